"""The packages as files: what is in them, with which modes, and always the same."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from packages.conftest import BUILD, NAMES, ROOT

from vmha.agents.protocol.version import VERSION

PARTS = "/usr/lib/vmha/parts"
COMMANDS = ("vmha-common", "vmha-cluster")
# What the command reads of the agents and fence agents goes with what all share.
SHARED = (
    "agents/__init__.py",
    "agents/capacity/__init__.py",
    "agents/capacity/host.py",
    "agents/cib.py",
    "agents/domainxml/",
    "agents/hypervisor/__init__.py",
    "agents/hypervisor/uri.py",
    "agents/pacemaker.py",
    "agents/protocol/",
    "agents/vm/__init__.py",
    "agents/vm/declared/",
    "agents/vm/parameters.py",
    "agents/vm/virsh_options.py",
    "fence/__init__.py",
    "fence/protocol/__init__.py",
    "fence/protocol/hosts.py",
)
FLOORS = ("agents", "fence", "heartbeat")
FIXED = {
    "vmha-agents": {
        "/usr/lib/systemd/system/pacemaker.service.d/vmha.conf",
        "/usr/lib/tmpfiles.d/vmha.conf",
    },
    "vmha-cluster": {"/usr/share/vmha/switch-over"},
    "vmha-common": {
        "/usr/lib/python3/dist-packages/vmha.py",
        "/usr/lib/vmha/assemble",
        "/usr/lib/vmha/in-use",
    },
}
PLACES = {
    "agents/resource.d": ("vmha-agents", "/usr/lib/ocf/resource.d/vmha"),
    "fence/sbin": ("vmha-fence", "/usr/sbin"),
    "heartbeat/bin": ("vmha-cluster", "/usr/sbin"),
}
TEXTS = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/bash-completion/")
RUN_BY_A_PATH = ("/usr/sbin/", "/usr/lib/ocf/", "/usr/share/vmha/", "/usr/lib/vmha/")


class Entry(NamedTuple):
    """One line of a package's table of contents."""

    mode: str
    owner: str
    path: str


def test_every_module_is_in_one_package_and_nothing_else(debs: dict[str, Path]) -> None:
    wanted = {path for paths in FIXED.values() for path in paths}
    for path in modules():
        wanted.add(f"{PARTS}/{package_of(path)}/{path}")
    for folder, (_, place) in PLACES.items():
        wanted |= {f"{place}/{path.name}" for path in executables(folder)}
    found = [path for name in NAMES for path in files(debs[name])]
    builds = {f"{PARTS}/{name}/BUILD" for name in NAMES if name != "vmha"}
    assert sorted(found) == sorted(wanted | builds)


@pytest.mark.parametrize("name", NAMES)
def test_a_package_has_its_own_part_only(debs: dict[str, Path], name: str) -> None:
    wanted = set(FIXED.get(name, ()))
    for package, place in PLACES.values():
        if package == name:
            wanted.add(place)
    for path in files(debs[name]):
        where = path.rpartition("/")[0]
        assert path.startswith(f"{PARTS}/{name}/") or {path, where} & wanted, path


def test_fencing_needs_no_libvirt(debs: dict[str, Path]) -> None:
    needed = {"vmha-fence", "vmha-common"}
    depends = {word for name in needed for word in _depends(debs[name])}
    assert "python3-pyghmi" in depends
    assert not {"python3-libvirt", "vmha-agents", "vmha-cluster"} & depends


def test_the_command_needs_no_libvirt_and_no_agents(debs: dict[str, Path]) -> None:
    depends = {w for name in COMMANDS for w in _depends(debs[name])}
    assert {"python3-lxml", "python3-yaml"} <= depends
    assert not {"python3-libvirt", "python3-pyghmi"} & depends
    own = {word.partition(" ")[0] for word in depends if word.startswith("vmha")}
    assert own == {"vmha-common"}


def test_the_packages_of_one_build_go_together(debs: dict[str, Path]) -> None:
    names = {f"{name} (= {VERSION})" for name in NAMES}
    for name in NAMES:
        own = {word for word in _depends(debs[name]) if word.startswith("vmha")}
        assert own <= names, name
        assert own or name == "vmha-common"
        assert _field(debs[name], "Version") == VERSION


def test_modes_and_owners_do_not_depend_on_the_clone(debs: dict[str, Path]) -> None:
    for name in NAMES:
        for mode, owner, path in _contents(debs[name]):
            assert owner == "root/root", path
            runs = path.startswith(RUN_BY_A_PATH) and not path.startswith(PARTS)
            if mode[0] == "d" or runs:
                assert mode[1:] == "rwxr-xr-x", path
            else:
                assert mode == "-rw-r--r--", path


def test_executables_keep_their_first_line(
    debs: dict[str, Path], tmp_path: Path
) -> None:
    for folder, (name, place) in PLACES.items():
        extract = ["dpkg-deb", "-x", str(debs[name]), str(tmp_path)]
        subprocess.run(extract, check=True, timeout=60)
        for source in executables(folder):
            packed = tmp_path / place[1:] / source.name
            assert packed.read_bytes() == source.read_bytes()
            assert packed.read_text().startswith("#!/usr/bin/python3 -I\n")


def test_the_libraries_come_from_the_distribution(debs: dict[str, Path]) -> None:
    depends = {word for name in NAMES for word in _depends(debs[name])}
    names = ("jsonschema", "libvirt", "lxml", "pyghmi", "yaml")
    assert {f"python3-{name}" for name in names} <= depends
    # No bound on a version: the same packages install on Debian 12 and 13.
    assert [d for d in depends if "(" in d and not d.startswith("vmha")] == []


def test_the_same_tree_gives_the_same_bytes(
    debs: dict[str, Path], tmp_path: Path
) -> None:
    subprocess.run(
        [*BUILD, str(tmp_path)], check=True, timeout=300, capture_output=True
    )
    again = {path.name.partition("_")[0]: path for path in tmp_path.iterdir()}
    assert set(again) == set(NAMES)
    for name in NAMES:
        assert _digest(again[name]) == _digest(debs[name]), name


def test_lintian_is_content(debs: dict[str, Path]) -> None:
    packages = [str(debs[name]) for name in NAMES]
    argv = ["lintian", "--allow-root", "--fail-on", "error,warning", *packages]
    found = subprocess.run(
        argv, capture_output=True, text=True, check=False, timeout=120
    )
    assert (found.returncode, found.stdout) == (0, ""), found.stdout + found.stderr


def modules() -> list[str]:
    """Return the names of all modules and data files."""
    paths = [path for floor in FLOORS for path in (ROOT / floor).rglob("*")]
    return [
        str(path.relative_to(ROOT))
        for path in paths
        if path.is_file() and path.suffix not in ("", ".pyc")
    ]


def package_of(path: str) -> str:
    """Return the package that a module is to be in."""
    if path.startswith(SHARED):
        return "vmha-common"
    floors = {"agents": "agents", "fence": "fence", "heartbeat": "cluster"}
    return f"vmha-{floors[path.partition('/')[0]]}"


def executables(folder: str) -> list[Path]:
    """Return the executables of a folder of the sources."""
    return sorted(path for path in (ROOT / folder).iterdir() if path.is_file())


def files(deb: Path) -> list[str]:
    """Return the files of a package that are no texts for people."""
    paths = [entry.path for entry in _contents(deb) if entry.mode[0] != "d"]
    return [path for path in paths if not path.startswith(TEXTS)]


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


def _depends(deb: Path) -> list[str]:
    return _field(deb, "Depends").split(", ")


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
