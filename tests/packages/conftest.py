"""The package, built once, and a root of its own that it is installed into."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from packages.overlay import OverlayRoot

ROOT = Path(__file__).resolve().parents[2]
BUILD = [str(ROOT / "packaging/build-deb"), "--no-install", "--output"]


@pytest.fixture(scope="session")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deb")
    shown = subprocess.run(
        [*BUILD, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    return Path(shown.stdout.strip())


@pytest.fixture(scope="session")
def installed(
    deb: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OverlayRoot]:
    """A root with the package installed the way dpkg does it, scripts included."""
    root = OverlayRoot(tmp_path_factory.mktemp("root"))
    root.put(deb, "/tmp/vmha.deb")
    root.run(["dpkg", "--purge", "vmha"])  # what the machine itself may have
    root.output(["dpkg", "--install", "/tmp/vmha.deb"])
    yield root
    root.close()
