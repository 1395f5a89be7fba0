"""The packages, built once, and a root of its own that they are installed into.

That root lies over this machine's, or with ``--suite`` over another Debian's.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from lab import Progress
from lab import root as roots
from packages.builds import BUILD, NAMES, ROOT, built
from packages.overlay import OverlayRoot

__all__ = ["BUILD", "NAMES", "ROOT", "install"]

# Agents that the guides name (each has its own package in Debian 13), and the manual.
OTHERS = ("drbd-utils", "fence-agents-apc-snmp", "man-db")


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the packages by name."""
    return built(ROOT, tmp_path_factory.mktemp("debs"))


@pytest.fixture(scope="session")
def installed(
    debs: dict[str, Path], suite: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OverlayRoot]:
    """A root with the packages installed the way dpkg does it, scripts included."""
    root = OverlayRoot(tmp_path_factory.mktemp("root"), below(suite))
    root.run(["dpkg", "--purge", *NAMES])  # what the machine itself may have
    install(root, list(debs.values()))
    yield root
    root.close()


def below(suite: str) -> Path:
    """Return the root of a Debian: this machine's, or one that is made and kept."""
    told = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    if f"VERSION_CODENAME={suite}" in told:
        return Path("/")
    wanted = [*roots.packages(suite), *OTHERS]
    return roots.base(suite, Progress(sys.stderr), wanted=wanted)


def install(root: OverlayRoot, debs: Sequence[Path]) -> None:
    """Have dpkg install packages in a root, all in one call."""
    places = [f"/tmp/{deb.name}" for deb in debs]
    for deb, place in zip(debs, places):
        root.put(deb, place)
    root.output(["dpkg", "--install", *places])
