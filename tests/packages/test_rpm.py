"""The RPMs for the RHEL 9 family: the DEBs' files in the target's places, at work."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from packages.conftest import NAMES, ROOT
from packages.overlay import OverlayRoot

from vmha.agents.protocol.version import VERSION

BUILD = [str(ROOT / "packaging/build-rpm"), "--no-install", "--output"]
DEBIANS = "/usr/lib/python3/dist-packages/"
TARGETS = "/usr/lib/python3.9/site-packages/"
DATABASE = ["--dbpath", "/tmp/rpm-database"]
STORED = "/var/lib/pacemaker/cib/cib.xml"
USED = '<primitive id="web" class="ocf" provider="vmha" type="VirtualMachine"/>'
# This machine's Python does not look where the target's does.
SEEN = f"""
library=$(/usr/bin/python3 -Ic 'import sys; print(next(p for p in sys.path if
    p.startswith("/usr/local/lib/python")))')
mkdir -p "$library"
ln -s {TARGETS}vmha.py "$library/"
"""


@pytest.fixture(scope="module")
def rpms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the packages by name."""
    return _built(tmp_path_factory.mktemp("rpms"))


@pytest.fixture(scope="module")
def target(
    rpms: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OverlayRoot]:
    """A root with the RPMs and no DEB of vmha, a database of its own."""
    root = OverlayRoot(tmp_path_factory.mktemp("root"))
    root.run(["dpkg", "--purge", *NAMES])
    for name, rpm in rpms.items():
        root.put(rpm, f"/tmp/{name}.rpm")
    root.output(["rpm", *DATABASE, "--initdb"])
    root.output(_install(rpms))
    root.output(["sh", "-euc", SEEN])
    yield root
    root.close()


def test_they_are_split_as_the_debs_are(rpms: dict[str, Path]) -> None:
    assert sorted(rpms) == sorted(NAMES)
    for name, rpm in rpms.items():
        assert rpm.name == f"{name}-{VERSION}-1.el9.noarch.rpm"


@pytest.mark.parametrize("name", NAMES)
def test_a_package_has_the_files_of_the_deb_with_modes_and_content(
    debs: dict[str, Path], rpms: dict[str, Path], name: str, tmp_path: Path
) -> None:
    subprocess.run(
        ["dpkg-deb", "-x", str(debs[name]), str(tmp_path)], check=True, timeout=60
    )
    there = {
        "/" + str(path.relative_to(tmp_path)): path
        for path in tmp_path.rglob("*")
        if path.is_file() and "/usr/share/doc/" not in str(path)
    }
    wanted = {
        place.replace(DEBIANS, TARGETS): (_mode(path), _digest(path))
        for place, path in there.items()
    }
    assert _files(rpms[name]) == wanted


def test_no_byte_code_of_this_machine_is_in_them(rpms: dict[str, Path]) -> None:
    for rpm in rpms.values():
        assert not [path for path in _files(rpm) if "pyc" in path]


def test_they_need_what_the_target_calls_so(rpms: dict[str, Path]) -> None:
    needed = {name: set(_query(rpms[name], "--requires").split("\n")) for name in rpms}
    assert "python3-pyghmi" in needed["vmha-fence"]
    assert {"python3-libvirt", "python3-lxml"} <= needed["vmha-agents"]
    assert {"python3-pyyaml", "python3-jsonschema"} <= needed["vmha-cluster"]
    assert "python(abi) = 3.9" in needed["vmha-common"]
    for name in ("vmha-fence", "vmha-cluster", "vmha-common"):
        assert not [word for word in needed[name] if "libvirt" in word]
    assert "vmha-agents" not in " ".join(needed["vmha-cluster"])
    for name in NAMES:
        own = {word for word in needed[name] if word.startswith("vmha")}
        assert all(word.endswith(f" = {VERSION}-1.el9") for word in own)
        assert own or name == "vmha-common"


def test_the_same_tree_gives_the_same_bytes(
    rpms: dict[str, Path], tmp_path: Path
) -> None:
    again = _built(tmp_path)
    for name, rpm in rpms.items():
        assert _digest(again[name]) == _digest(rpm), name


def test_rpmlint_is_content(rpms: dict[str, Path]) -> None:
    """Each word that it may say has its reason in the file of filters."""
    filters = ROOT / "packaging/rpm/rpmlint.toml"
    packages = [str(rpm) for rpm in rpms.values()]
    found = subprocess.run(
        ["rpmlint", "--strict", "--config", str(filters), *packages],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{len(NAMES)} packages and 0 specfiles checked; 0 errors" in found.stdout


def test_the_installed_agents_give_their_metadata(
    target: OverlayRoot,
) -> None:
    for executable, words in (
        ("/usr/lib/ocf/resource.d/vmha/VirtualMachine", ["meta-data"]),
        ("/usr/lib/ocf/resource.d/vmha/NodeCapacity", ["meta-data"]),
        ("/usr/sbin/fence_vmha_ipmi", ["-o", "metadata"]),
        ("/usr/sbin/fence_vmha_redfish", ["-o", "metadata"]),
    ):
        name = Path(executable).name
        shown = target.output([executable, *words])
        assert f'<resource-agent name="{name}"' in shown
    where = "import vmha.agents.vm.main as m; print(m.__file__)"
    place = target.output(["/usr/bin/python3", "-Ic", where])
    assert place.startswith(f"/usr/lib/vmha/trees/{VERSION}-")
    assert target.output(["vmha", "--version"]).split() == ["vmha", VERSION]


def test_they_verify_after_installation(target: OverlayRoot) -> None:
    verify = ["rpm", *DATABASE, "--verify", "--nodeps", *NAMES]
    assert target.output(verify) == ""


def test_removal_is_refused_while_in_use_and_clean_when_not(
    target: OverlayRoot, rpms: dict[str, Path]
) -> None:
    fill = f"mkdir -p $(dirname {STORED}); cibadmin --empty | sed 's,<resources/>,"
    fill += f"<resources>{USED}</resources>,' > {STORED}"
    target.output(["sh", "-euc", fill])
    erase = ["rpm", *DATABASE, "--erase", "--nodeps"]
    said = target.run([*erase, "vmha-agents"])
    assert said.returncode != 0
    assert "vmha-agents is not removed" in said.stderr
    assert "web;" in said.stderr
    target.output(["/usr/lib/ocf/resource.d/vmha/VirtualMachine", "meta-data"])
    target.output(["rm", STORED])
    target.output([*erase, *NAMES])
    left = "find /usr -name '*vmha*' -not -path '/usr/local/*'"
    assert target.output(["sh", "-c", left]) == ""
    target.output(_install(rpms))


def _install(rpms: dict[str, Path]) -> list[str]:
    # --nodeps: what they need are this machine's own packages, which rpm does not know.
    paths = [f"/tmp/{name}.rpm" for name in rpms]
    return ["rpm", *DATABASE, "--upgrade", "--nodeps", "--ignorearch", *paths]


def _built(folder: Path) -> dict[str, Path]:
    shown = subprocess.run(
        [*BUILD, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    )
    paths = [Path(line) for line in shown.stdout.splitlines()]
    return {path.name.partition(f"-{VERSION}")[0]: path for path in paths}


def _files(rpm: Path) -> dict[str, tuple[str, str]]:
    """Return mode and digest of every file that is no text for people."""
    form = "[%{FILENAMES}\t%{FILEMODES:octal}\t%{FILEDIGESTS}\n]"
    rows = [line.split("\t") for line in _query(rpm, "--qf", form).splitlines()]
    return {
        path: (mode, digest)
        for path, mode, digest in rows
        if digest and not path.startswith(("/usr/share/doc/", "/usr/share/licenses/"))
    }


def _query(rpm: Path, *words: str) -> str:
    return subprocess.run(
        ["rpm", "--query", "--package", str(rpm), *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def _mode(path: Path) -> str:
    return f"{path.stat().st_mode:o}"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
