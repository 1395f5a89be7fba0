"""Packages of this tree, and of one that differs in every module.

Called by the tests of upgrades, here and in the embedded cluster.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from vmha.agents.protocol.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
BUILD = [str(ROOT / "packaging/build-deb"), "--no-install", "--output"]
NAMES = ("vmha", "vmha-agents", "vmha-cluster", "vmha-common", "vmha-fence")
OTHER = "9.9.9"  # a later version
FLOORS = ("agents", "fence", "heartbeat")
SHOWN = ("README.md", "CHANGELOG.md", "LICENSE", "packaging", "docs")
# Each module knows its own build; a process that saw two of them would tell.
MARK = "\n_VMHA_BUILD = {build!r}\n"


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


def marked(tree: Path, build: str) -> list[Path]:
    """Copy this tree with another version and a mark in every module; build it."""
    ignore = shutil.ignore_patterns("__pycache__")
    for name in (*FLOORS, *SHOWN):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=ignore)
        else:
            shutil.copy(source, tree / name)
    for floor in FLOORS:
        for module in (tree / floor).rglob("*.py"):
            module.write_text(module.read_text() + MARK.format(build=build))
    place = tree / "agents/protocol/version.py"
    place.write_text(place.read_text().replace(f'"{VERSION}"', f'"{build}"'))
    return list(built(tree, tree / "dist").values())
