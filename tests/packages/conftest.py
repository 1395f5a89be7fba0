"""The packages, built once, and a root of its own that they are installed into."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from packages.overlay import OverlayRoot

ROOT = Path(__file__).resolve().parents[2]
BUILD = [str(ROOT / "packaging/build-deb"), "--no-install", "--output"]
NAMES = ("vmha", "vmha-agents", "vmha-cluster", "vmha-common", "vmha-fence")


@pytest.fixture(scope="session")
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the packages by name."""
    return built(ROOT, tmp_path_factory.mktemp("debs"))


def built(tree: Path, folder: Path) -> dict[str, Path]:
    """Build the packages of a tree into a folder; return them by name."""
    shown = subprocess.run(
        [str(tree / "packaging/build-deb"), *BUILD[1:], str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    paths = [Path(line) for line in shown.stdout.splitlines()]
    return {path.name.partition("_")[0]: path for path in paths}


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
