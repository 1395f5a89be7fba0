"""One version, and no trace of the machine or the people that made a change."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from architecture.source import ROOT

from vmha.agents.protocol.version import VERSION

# Hosts that a reader may be sent to; a mirror or a registry is not among them.
PUBLIC_HOSTS = {
    "clusterlabs.org",
    "json-schema.org",
    "keepachangelog.com",
    "libvirt.org",
    "localhost",
    "semver.org",
    "www.apache.org",
    "www.debian.org",
}
FOLDERS_OF_EVERY_MACHINE = {
    *("modules", "no", "shared"),  # in the test guest; nowhere; in the lab's nodes
    "redfish",  # the service root of a BMC
    *("bin", "boot", "dev", "etc", "lib", "lib64", "media", "mnt", "nonexistent"),
    *("proc", "run", "sbin", "srv", "sys", "tmp", "usr", "var"),
}

# An absolute path of two parts or more, as it stands in a sentence or in quotes.
PATHS = re.compile(r"""(?:^|(?<=[\s"'`(=:]))/([a-z][a-z0-9_.-]*)/[a-z0-9]""")
HOSTS = re.compile(r"https?://([a-z0-9.-]+)")


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


TRACKED = _tracked()


@pytest.mark.parametrize("path", TRACKED, ids=_name)
def test_no_file_names_a_mirror_or_a_private_folder(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name != "LICENSE":
        hosts = set(HOSTS.findall(text)) - PUBLIC_HOSTS
        assert {host for host in hosts if not host.endswith(".example")} == set()
    private = set(PATHS.findall(text)) - FOLDERS_OF_EVERY_MACHINE
    assert private == set()


def test_the_changelog_begins_with_the_version_that_is_built() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[?([^\]\s]+)", text, re.MULTILINE)
    assert next(name for name in headings if name != "Unreleased") == VERSION


def test_executables_start_an_isolated_interpreter() -> None:
    names = ("agents/resource.d", "fence/sbin", "heartbeat/bin")
    folders = [ROOT / name for name in names]
    executables = [path for folder in folders for path in folder.iterdir()]
    assert executables
    for path in executables:
        assert path.read_text().splitlines()[0] == "#!/usr/bin/python3 -I", path.name
        assert path.stat().st_mode & 0o777 == 0o755, path.name
