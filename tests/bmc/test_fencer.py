"""fence_vmha_ipmi under Pacemaker's real fencer, and in pcs, crm and stonith_admin."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from bmc.fencer import Room
from bmc.simulator import PASSWORD, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def room(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Return a room whose fencer knows no device yet."""
    folder = tmp_path_factory.mktemp("fencer") / "room"
    with Room(folder, root / "sbin") as made:
        yield made


@pytest.fixture
def node(room: Room, tmp_path: Path) -> Iterator[Simulator]:
    """Return the BMC of node1, registered as bmc1."""
    simulator = Simulator(tmp_path / "bmc")
    simulator.start(room.network)
    register(room, simulator)
    end = time.monotonic() + 10
    while room.run("stonith_admin", "-Q", "bmc1", "-t", "10").returncode != 0:
        assert time.monotonic() < end, room.log()
    simulator.forget()
    yield simulator
    room.run("stonith_admin", "-D", "bmc1")
    simulator.stop()


def register(room: Room, simulator: Simulator, **more: object) -> None:
    parameters = {
        "ip": "127.0.0.1",
        "ipport": simulator.port,
        "username": "admin",
        "password": PASSWORD,
        "pcmk_host_list": "node1",
        **more,
    }
    options = [w for k, v in parameters.items() for w in ("-o", f"{k}={v}")]
    done = room.run("stonith_admin", "-R", "bmc1", "-a", "fence_vmha_ipmi", *options)
    assert done.returncode == 0, done.stderr


def test_the_fencer_turns_a_node_off_and_on_and_reboots_it(
    room: Room, node: Simulator
) -> None:
    assert room.run("stonith_admin", "-F", "node1", "-t", "60").returncode == 0
    assert (node.power, node.orders()) == (0, ["set power 0"])
    assert room.run("stonith_admin", "-U", "node1", "-t", "60").returncode == 0
    assert node.power == 1
    node.forget()
    assert room.run("stonith_admin", "-B", "node1", "-t", "60").returncode == 0
    assert node.orders() == ["set power 0", "set power 1"]


def test_the_fencer_finds_nothing_to_warn_about(room: Room, node: Simulator) -> None:
    before = len(room.log())
    assert room.run("stonith_admin", "-Q", "bmc1", "-t", "60").returncode == 0
    assert room.run("stonith_admin", "-F", "node1", "-t", "60").returncode == 0
    assert node.power == 0
    log = room.log()[before:]
    assert "using bmc1 returned 0" in log
    assert "stderr" not in log
    assert "fence_vmha_ipmi" not in log, "the fencer names an agent when it complains"
    assert PASSWORD not in log


def test_the_fencer_tries_a_second_time_and_reports_our_sentence(
    room: Room, node: Simulator
) -> None:
    register(room, node, login_timeout=1)
    before = len(room.log())
    node.freeze()
    done = room.run("stonith_admin", "-F", "node1", "-t", "60")
    node.thaw()
    assert done.returncode != 0
    log = room.log()[before:]
    assert log.count("does not answer: check its address") >= 1
    starts = log.count("fence_vmha_ipmi_off_1") and log.count("fence_vmha_ipmi_off_2")
    assert starts, "the fencer took the failure for one of time"


def test_tools_print_complete_metadata(room: Room) -> None:
    raw = room.run("stonith_admin", "--metadata", "-a", "fence_vmha_ipmi").stdout
    for piece in ('name="ip"', 'name="password_script"', 'action name="reboot"'):
        assert piece in raw
    text = room.run("pcs", "stonith", "describe", "fence_vmha_ipmi").stdout
    assert "proves power off" in text
    for name in ("ip", "username", "password", "cipher", "power_timeout", "delay"):
        assert f"  {name}: " in text
    assert "None" not in text
    seen_by_crm = room.run("crm", "ra", "info", "stonith:fence_vmha_ipmi").stdout
    assert "Powers a node on and off" in seen_by_crm
    assert "power_timeout" in seen_by_crm


def test_validation_tells_what_is_wrong(room: Room) -> None:
    agent = ("stonith_admin", "--validate", "-a", "fence_vmha_ipmi")
    assert room.run(*agent, "-o", "ip=10.0.0.1").returncode == 0
    bad = room.run(*agent, "-o", "ip=10.0.0.1", "-o", "ipport=99999")
    assert bad.returncode != 0
    assert "ipport='99999'" in bad.stdout + bad.stderr
