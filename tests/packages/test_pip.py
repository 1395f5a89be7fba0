"""vmha from pip: a wheel in a clean environment, and agents that start its Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packages.conftest import ROOT

from vmha.agents.protocol.version import VERSION

SOURCES = ("agents", "fence", "heartbeat", "setup.py", "pyproject.toml", "README.md")
LIMIT_S = 400
METADATA = {
    "resource.d/vmha/VirtualMachine": ["meta-data"],
    "resource.d/vmha/NodeCapacity": ["meta-data"],
    "sbin/fence_vmha_ipmi": ["-o", "metadata"],
    "sbin/fence_vmha_redfish": ["-o", "metadata"],
}
LIBRARIES = (
    "import libvirt, lxml.etree, yaml, jsonschema, pyghmi.ipmi.private.session, "
    "vmha.agents.hypervisor.connection, vmha.fence.ipmi.session"
)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that anybody may enter, as one of a node's has to be."""
    with tempfile.TemporaryDirectory(prefix="vmha-pip-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def wheel(folder: Path) -> Path:
    """The wheel, built by pip from a copy of the sources."""
    tree = folder / "tree"
    ignore = shutil.ignore_patterns("__pycache__")
    tree.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=ignore)
        else:
            shutil.copy(ROOT / name, tree / name)
    _environment(folder / "builder")
    pip = [str(folder / "builder/bin/pip"), "wheel", "--quiet", "--no-deps"]
    _run([*pip, "--wheel-dir", str(folder / "wheels"), str(tree)])
    (built,) = (folder / "wheels").iterdir()
    return built


@pytest.fixture(scope="module")
def environment(folder: Path, wheel: Path) -> Path:
    """A clean environment with the wheel alone."""
    place = folder / "environment"
    _environment(place)
    _run([str(place / "bin/pip"), "install", "--quiet", "--no-deps", str(wheel)])
    return place


@pytest.fixture(scope="module")
def root(folder: Path, environment: Path) -> Path:
    """An OCF root that the environment's command has filled."""
    root = folder / "ocf"
    _run([str(environment / "bin/vmha"), "install-agents", "--root", str(root)])
    return root


def test_the_wheel_is_for_every_machine(wheel: Path) -> None:
    assert wheel.name == f"vmha-{VERSION}-py3-none-any.whl"


def test_the_command_runs_in_the_environment(environment: Path) -> None:
    command = environment / "bin/vmha"
    assert _run([str(command), "--version"]).split() == ["vmha", VERSION]
    assert "install-agents" in _run([str(command), "--help"])


@pytest.mark.parametrize("name", METADATA)
def test_an_agent_starts_the_environments_python_for_anybody(
    environment: Path, root: Path, name: str
) -> None:
    executable = root / name
    first = executable.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith(f"#!{environment}/bin/python")
    assert first.endswith(" -I")
    nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    # Anybody's current folder, and no variable of Python's.
    shown = _run([*nobody, str(executable), *METADATA[name]])
    assert f'<resource-agent name="{executable.name}"' in shown


def test_a_repeated_installation_repairs_and_a_packages_agent_stays(
    environment: Path, root: Path
) -> None:
    command = [str(environment / "bin/vmha"), "install-agents", "--root", str(root)]
    agent = root / "resource.d/vmha/VirtualMachine"
    wanted = agent.read_text(encoding="utf-8")
    agent.write_text("#!/gone/bin/python -I\n# vmha\n", encoding="utf-8")
    _run(command)
    assert agent.read_text(encoding="utf-8") == wanted
    packaged = (ROOT / "agents/resource.d/NodeCapacity").read_text(encoding="utf-8")
    other = root / "resource.d/vmha/NodeCapacity"
    kept = other.read_text(encoding="utf-8")
    other.write_text(packaged, encoding="utf-8")
    agent.write_text("#!/gone/bin/python -I\n# vmha\n", encoding="utf-8")
    said = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60
    )
    assert said.returncode == 2
    assert "remove the package" in said.stderr
    assert other.read_text(encoding="utf-8") == packaged
    assert "gone" in agent.read_text(encoding="utf-8"), "nothing is half done"
    other.write_text(kept, encoding="utf-8")
    _run(command)


@pytest.mark.timeout(LIMIT_S)
def test_the_libraries_of_the_package_index_are_enough(
    folder: Path, wheel: Path, is_long: bool
) -> None:
    """Named in the wheel; a long run installs them, which compiles libvirt-python."""
    with zipfile.ZipFile(wheel) as packed:
        text = packed.read(f"vmha-{VERSION}.dist-info/METADATA").decode()
    needed = {
        line.partition(": ")[2]
        for line in text.splitlines()
        if line.startswith("Requires-Dist: ") and "extra" not in line
    }
    assert needed == {"PyYAML", "jsonschema", "libvirt-python", "lxml", "pyghmi"}
    if is_long:
        place = folder / "complete"
        _environment(place)
        _run([str(place / "bin/pip"), "install", "--quiet", str(wheel)])
        _run([str(place / "bin/python"), "-I", "-c", LIBRARIES])
        _run([str(place / "bin/pip"), "check"])


def _environment(place: Path) -> None:
    _run(["/usr/bin/python3", "-m", "venv", str(place)])


def _run(argv: list[str]) -> str:
    # The caller's environment may hold the proxy and the index that pip needs.
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    said = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
        env=clean,
        cwd="/",
    )
    assert said.returncode == 0, f"{argv}: {said.stdout}{said.stderr}"
    return said.stdout
