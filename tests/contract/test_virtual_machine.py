"""ocf:vmha:VirtualMachine as a process, without libvirt and without a guest."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from contract import ocf_root
from lxml import etree

ACTIONS = {
    "start": "90s",
    "stop": "90s",
    "status": "30s",
    "monitor": "60s",  # of level 20, the last one
    "migrate_to": "120s",
    "migrate_from": "60s",
    "reload-agent": "20s",
    "validate-all": "10s",
    "meta-data": "5s",
}
VIRTUAL_DOMAIN = Path("/usr/lib/ocf/resource.d/heartbeat/VirtualDomain")


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = ocf_root.build(tmp_path_factory.mktemp("ocf"))
    return root / "resource.d/vmha/VirtualMachine"


def call(agent: Path, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": "/usr/bin:/bin", "OCF_RESOURCE_INSTANCE": "contract", **environ}
    return subprocess.run(
        [str(agent), *argv],
        env={**given, "HA_LOGFACILITY": "none"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd="/",
    )


@pytest.fixture(scope="session")
def metadata(agent: Path) -> etree._Element:
    done = call(agent, "meta-data")
    assert (done.returncode, done.stderr) == (0, "")
    return etree.fromstring(done.stdout.encode())


def test_the_metadata_has_the_order_of_ocf_1_1(metadata: etree._Element) -> None:
    tags = [str(child.tag) for child in metadata]
    assert tags == ["version", "longdesc", "shortdesc", "parameters", "actions"]
    assert metadata.findtext("version") == "1.1"
    for parameter in metadata.iterfind("parameters/parameter"):
        inner = [str(child.tag) for child in parameter if child.tag != "deprecated"]
        assert inner == ["longdesc", "shortdesc", "content"], parameter.get("name")


def test_the_metadata_lists_every_action_with_its_time(
    metadata: etree._Element,
) -> None:
    actions = metadata.findall("actions/action")
    listed = {str(a.get("name")): a.get("timeout") for a in actions}
    assert listed == ACTIONS
    assert len(actions) == len(ACTIONS) + 2


def test_three_monitors_of_different_depth_have_different_intervals(
    metadata: etree._Element,
) -> None:
    """Pacemaker tells recurring monitors of a resource apart by their interval."""
    monitors = metadata.findall("actions/action[@name='monitor']")
    listed = [(m.get("depth"), m.get("interval"), m.get("timeout")) for m in monitors]
    assert listed == [("0", "10s", "30s"), ("10", "60s", "30s"), ("20", "300s", "60s")]


def test_every_parameter_of_virtual_domain_has_its_name_here(
    metadata: etree._Element,
) -> None:
    peer = etree.fromstring(
        call(VIRTUAL_DOMAIN, "meta-data", OCF_ROOT="/usr/lib/ocf").stdout.encode()
    )
    theirs = {str(p.get("name")) for p in peer.iterfind("parameters/parameter")}
    ours = {str(p.get("name")) for p in metadata.iterfind("parameters/parameter")}
    assert len(theirs) > 25
    assert not theirs - ours


def test_only_identity_is_not_reloadable(metadata: etree._Element) -> None:
    parameters = metadata.findall("parameters/parameter")
    fixed = {str(p.get("name")) for p in parameters if p.get("reloadable") != "1"}
    assert fixed == {"config", "domain", "hypervisor"}


def test_metadata_needs_neither_parameters_nor_environment(agent: Path) -> None:
    done = subprocess.run(
        [str(agent), "meta-data"],
        env={},
        capture_output=True,
        timeout=30,
        check=False,
        cwd="/",
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_metadata_and_usage_work_for_anybody(agent: Path, tmp_path: Path) -> None:
    # The checkout may lie where only its owner can look.
    library = Path("/tmp") / f"vmha-contract-{os.getpid()}"
    try:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(
            ocf_root.CHECKOUT / "agents", library / "vmha/agents", ignore=ignored
        )
        library.chmod(0o755)
        text = agent.read_text().splitlines(keepends=True)
        text[1] = f"import sys; sys.path.insert(0, {str(library)!r})\n"
        copy = library / "VirtualMachine"
        copy.write_text("".join(text))
        copy.chmod(0o755)
        for action, code in (("meta-data", 0), ("explode", 3)):
            done = subprocess.run(
                [str(copy), action],
                user=65534,
                group=65534,
                extra_groups=[],
                capture_output=True,
                timeout=30,
                check=False,
                cwd="/",
            )
            assert done.returncode == code, done.stderr
    finally:
        shutil.rmtree(library, ignore_errors=True)


@pytest.mark.parametrize("action", ["promote", "demote", "notify", "recover", "-h", ""])
def test_an_action_it_does_not_have_is_3(agent: Path, action: str) -> None:
    done = call(agent, *([action] if action else []))
    assert done.returncode == 3
    assert "start|stop" in done.stderr


def test_further_arguments_are_ignored(agent: Path) -> None:
    assert call(agent, "meta-data", "and", "more").returncode == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"config": "relative.xml"}, "config='relative.xml'"),
        ({"config": "/a", "domain": "b"}, "domain='b'"),
        ({}, "config"),
        ({"domain": "a", "migration_speed": "fast"}, "migration_speed='fast'"),
        ({"domain": "a", "hypervisor": "nonsense"}, "hypervisor='nonsense'"),
    ],
)
def test_validation_names_the_bad_parameter_and_answers_6(
    agent: Path, given: dict[str, str], named: str
) -> None:
    environ = {f"OCF_RESKEY_{name}": value for name, value in given.items()}
    done = call(agent, "validate-all", **environ)
    assert done.returncode == 6
    assert done.stderr.startswith("ocf-exit-reason:")
    assert done.stderr.count("\n") == 1
    assert named in done.stderr


def test_validation_at_level_0_does_not_look_at_the_machine(agent: Path) -> None:
    done = call(agent, "validate-all", OCF_RESKEY_config="/nonexistent/vm.xml")
    assert (done.returncode, done.stderr) == (0, "")


def test_reloading_is_never_refused(agent: Path) -> None:
    given = {"OCF_RESKEY_domain": "a", "OCF_RESKEY_migration_speed": "fast"}
    assert call(agent, "reload-agent", **given).returncode == 0
    assert call(agent, "reload-agent").returncode == 0


def test_nothing_of_a_bad_call_reaches_standard_output(agent: Path) -> None:
    for action in ("start", "explode"):
        assert call(agent, action).stdout == ""
