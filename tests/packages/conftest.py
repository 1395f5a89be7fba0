"""The packages, built once, and a root of its own that they are installed into."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from packages.builds import BUILD, NAMES, ROOT, built
from packages.overlay import OverlayRoot

__all__ = ["BUILD", "NAMES", "ROOT", "install"]


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the packages by name."""
    return built(ROOT, tmp_path_factory.mktemp("debs"))


@pytest.fixture(scope="session")
def installed(
    debs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OverlayRoot]:
    """A root with the packages installed the way dpkg does it, scripts included."""
    root = OverlayRoot(tmp_path_factory.mktemp("root"))
    root.run(["dpkg", "--purge", *NAMES])  # what the machine itself may have
    install(root, list(debs.values()))
    yield root
    root.close()


def install(root: OverlayRoot, debs: Sequence[Path]) -> None:
    """Have dpkg install packages in a root, all in one call."""
    places = [f"/tmp/{deb.name}" for deb in debs]
    for deb, place in zip(debs, places):
        root.put(deb, place)
    root.output(["dpkg", "--install", *places])
