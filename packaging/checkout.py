"""This checkout as a package is built from it: version, time, a clean copy.

Imported by build-deb and build-rpm, so that both pack the same.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (
    "agents",
    "fence",
    "heartbeat",
    "docs",
    "packaging/debian",
    "packaging/installed",
    "packaging/layout",
    "packaging/switch-over",
    "packaging/systemd",
    "packaging/write-manual",
    "LICENSE",
    "README.md",
    "CHANGELOG.md",
)

# The distribution's tools and interpreter, whatever the caller's PATH prefers.
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}


class BuildError(Exception):
    """The packages could not be built; the text says why and what to do."""


def read_version() -> str:
    """Read the one version file as text."""
    text = (ROOT / "agents/protocol/version.py").read_text(encoding="utf-8")
    found = re.search(r'^VERSION = "([0-9.]+)"$', text, re.MULTILINE)
    if not found:
        raise BuildError('agents/protocol/version.py holds no line VERSION = "…"')
    return found.group(1)


def source_date_epoch() -> int:
    """Take the time of the last commit: the same commit gives the same bytes."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    if shutil.which("git"):
        # Root often builds a clone that another user owns; reading it is harmless.
        shown = subprocess.run(
            ["git", "-c", f"safe.directory={ROOT}", "log", "-1", "--format=%ct"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if shown.returncode == 0:
            return int(shown.stdout)
    return int((ROOT / "CHANGELOG.md").stat().st_mtime)


def copy_tree(tree: Path) -> None:
    """Copy what the packages are made of, with fixed modes."""
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "*~")
    tree.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=ignore)
        else:
            shutil.copy(source, tree / name)
    # The umask of whoever cloned must not reach the packages.
    for path in tree.rglob("*"):
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
