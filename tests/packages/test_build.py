"""The package as a file: what is in it, with which modes, and always the same."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

from packages.conftest import BUILD, ROOT

from vmha.agents.protocol.version import VERSION

LIBRARY = "/usr/lib/python3/dist-packages"
EGG_INFO = f"{LIBRARY}/vmha-{VERSION}.egg-info"
FIXED = {
    "/usr/share/vmha/switch-over",
    "/usr/lib/systemd/system/pacemaker.service.d/vmha.conf",
    *(f"{EGG_INFO}/{name}" for name in ("PKG-INFO", "dependency_links.txt")),
    *(f"{EGG_INFO}/{name}" for name in ("requires.txt", "top_level.txt")),
    *(
        f"/usr/share/doc/vmha/{name}"
        for name in ("README.md.gz", "changelog.gz", "changelog.Debian.gz", "copyright")
    ),
}
PLACES = {
    "agents/resource.d": "/usr/lib/ocf/resource.d/vmha",
    "fence/sbin": "/usr/sbin",
    "heartbeat/bin": "/usr/sbin",
}


class Entry(NamedTuple):
    """One line of the package's table of contents."""

    mode: str
    owner: str
    path: str


def test_it_holds_every_module_and_executable_and_nothing_else(deb: Path) -> None:
    modules = {
        f"{LIBRARY}/vmha/{path.relative_to(ROOT)}"
        for floor in ("agents", "fence", "heartbeat")
        for ending in ("py", "json")
        for path in (ROOT / floor).rglob(f"*.{ending}")
    }
    executables = {
        f"{place}/{path.name}"
        for folder, place in PLACES.items()
        for path in (ROOT / folder).iterdir()
    }
    found = {entry.path for entry in _contents(deb) if entry.mode[0] != "d"}
    assert found == modules | executables | FIXED


def test_modes_and_owners_do_not_depend_on_the_clone(deb: Path) -> None:
    places = (*(f"{place}/" for place in PLACES.values()), "/usr/share/vmha/")
    for mode, owner, path in _contents(deb):
        assert owner == "root/root", path
        if mode[0] == "d" or path.startswith(places):
            assert mode[1:] == "rwxr-xr-x", path
        else:
            assert mode == "-rw-r--r--", path


def test_executables_keep_their_first_line(deb: Path, tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-x", str(deb), str(tmp_path)], check=True, timeout=60)
    for folder, place in PLACES.items():
        for source in (ROOT / folder).iterdir():
            packed = tmp_path / place[1:] / source.name
            assert packed.read_bytes() == source.read_bytes()
            assert packed.read_text().startswith("#!/usr/bin/python3 -I\n")


def test_the_libraries_come_from_the_distribution(deb: Path) -> None:
    depends = _field(deb, "Depends").split(", ")
    names = ("jsonschema", "libvirt", "lxml", "pyghmi", "yaml")
    assert {f"python3-{name}" for name in names} <= set(depends)
    # No bound on a version: the same package installs on Debian 12 and 13.
    assert [name for name in depends if "(" in name] == []
    assert _field(deb, "Version") == VERSION


def test_the_same_tree_gives_the_same_bytes(deb: Path, tmp_path: Path) -> None:
    subprocess.run(
        [*BUILD, str(tmp_path)], check=True, timeout=300, capture_output=True
    )
    (again,) = tmp_path.iterdir()
    assert _digest(again) == _digest(deb)


def test_lintian_finds_no_error(deb: Path) -> None:
    argv = ["lintian", "--allow-root", "--fail-on", "error", str(deb)]
    found = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=120
    )
    assert found.returncode == 0, found.stdout + found.stderr


def _contents(deb: Path) -> list[Entry]:
    shown = subprocess.run(
        ["dpkg-deb", "-c", str(deb)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    rows = [line.split() for line in shown.stdout.splitlines()]
    return [Entry(row[0], row[1], row[5].removeprefix(".")) for row in rows]


def _field(deb: Path, name: str) -> str:
    shown = subprocess.run(
        ["dpkg-deb", "-f", str(deb), name],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return shown.stdout.strip()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
