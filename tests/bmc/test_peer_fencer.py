"""Which nodes a device may fence, as Pacemaker's real fencer finds it out.

The agent advertises ``status`` and not ``list``, as fence_ipmilan does; by that,
pcmk_host_list and pcmk_host_check the fencer decides whom a device fences. A room has
one fencer, as a node has.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from bmc.fencer import Room
from bmc.simulator import PASSWORD, Simulator

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

AGENT = "fence_vmha_ipmi"
OFF, ON = "set power 0", "set power 1"
NO_DEVICE = "No such device"


class Fencer:
    """The fencer of a room, two BMCs in its network, and what was registered."""

    def __init__(self, room: Room, first: Simulator, second: Simulator) -> None:
        self.room = room
        self.first = first
        self.second = second
        self._began = len(room.log())

    def admin(self, *words: object) -> subprocess.CompletedProcess[str]:
        return self.room.run("stonith_admin", *words)

    def register(self, **options: object) -> None:
        parameters = {
            "ipport": self.first.port,
            "username": "admin",
            "password": PASSWORD,
            **options,
        }
        words = [w for k, v in parameters.items() for w in ("-o", f"{k}={v}")]
        done = self.admin("-R", "device", "-a", AGENT, *words)
        assert done.returncode == 0, done.stderr

    def devices_for(self, node: str) -> int:
        """Return how many devices the fencer would use for a node."""
        answer = self.admin("-l", node, "-t", 20)
        return int("device" in answer.stdout.splitlines())

    def log(self) -> str:
        """Return what the fencer has logged in this test."""
        return self.room.log()[self._began :]


@pytest.fixture(scope="module")
def room(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("fencer") / "room"
    with Room(folder, root / "sbin") as made:
        yield made


@pytest.fixture
def fencer(room: Room, tmp_path: Path) -> Iterator[Fencer]:
    """Return the room's fencer without a device, and two healthy BMCs."""
    first = Simulator(tmp_path / "first")
    second = Simulator(tmp_path / "second", first.port, address="127.0.0.2")
    for bmc in (first, second):
        bmc.start(room.network)
    wait_until_they_answer(room, first, second)
    made = Fencer(room, first, second)
    yield made
    made.admin("-D", "device")
    for bmc in (first, second):
        bmc.stop()


def wait_until_they_answer(room: Room, *bmcs: Simulator) -> None:
    """Ask with ipmitool, inside, until each BMC answers."""
    for bmc in bmcs:
        where = ("-H", bmc.address, "-p", bmc.port, "-U", "admin", "-P", PASSWORD)
        ask = ("ipmitool", "-I", "lanplus", "-C", 3, "-N", 1, "-R", 1, *where)
        end = time.monotonic() + 10
        while room.run(*ask, "chassis", "power", "status").returncode:
            assert time.monotonic() < end, "a BMC does not answer"
        bmc.forget()


def test_the_fencer_lists_queries_and_forgets_a_device(fencer: Fencer) -> None:
    fencer.register(ip="127.0.0.1", pcmk_host_list="node1")
    assert "device" in fencer.admin("-L").stdout.splitlines()
    assert AGENT in fencer.admin("-I").stdout.splitlines()
    assert fencer.admin("-Q", "device", "-t", 20).returncode == 0
    assert fencer.admin("-D", "device").returncode == 0
    assert "device" not in fencer.admin("-L").stdout.splitlines()


def test_with_hosts_the_list_tells_which_nodes_a_device_fences(fencer: Fencer) -> None:
    fencer.register(
        hosts="node1=127.0.0.1 node2=127.0.0.2", pcmk_host_check="dynamic-list"
    )
    told = {node: fencer.devices_for(node) for node in ("node1", "node2", "node3")}
    assert told == {"node1": 1, "node2": 1, "node3": 0}
    assert fencer.admin("-F", "node1", "-t", 40).returncode == 0
    assert (fencer.first.orders(), fencer.second.orders()) == ([OFF], [])
    assert fencer.admin("-B", "node2", "-t", 40).returncode == 0
    assert (fencer.first.orders(), fencer.second.orders()) == ([OFF], [OFF, ON])
    assert fencer.admin("-U", "node1", "-t", 40).returncode == 0
    assert fencer.first.orders() == [OFF, ON]
    stranger = fencer.admin("-F", "node3", "-t", 40)
    assert NO_DEVICE in stranger.stderr
    assert "stderr" not in fencer.log(), "the fencer quotes an agent that complains"


def test_with_pcmk_host_list_the_agent_is_not_asked_whom_it_fences(
    fencer: Fencer,
) -> None:
    fencer.register(ip="127.0.0.1", pcmk_host_list="node1")
    assert (fencer.devices_for("node1"), fencer.devices_for("node2")) == (1, 0)
    assert fencer.first.log() == []
    assert fencer.admin("-F", "node1", "-t", 40).returncode == 0
    assert fencer.first.power == 0
    assert "(list)" not in fencer.log()


def test_with_pcmk_host_map_the_plug_is_the_address(fencer: Fencer) -> None:
    fencer.register(
        port_as_ip=1, pcmk_host_map="node1:127.0.0.1;node2:127.0.0.2", login_timeout=2
    )
    assert fencer.admin("-F", "node2", "-t", 40).returncode == 0
    assert (fencer.first.orders(), fencer.second.orders()) == ([], [OFF])


def test_without_any_list_the_fencer_asks_status_at_once(fencer: Fencer) -> None:
    # Were list advertised, the first request would end with "No such device".
    fencer.register(port_as_ip=1)
    first = fencer.admin("-F", "127.0.0.2", "-t", 40)
    assert first.returncode == 0, first.stderr
    assert (fencer.first.power, fencer.second.power) == (1, 0)
    assert "(list)" not in fencer.log()


def test_without_a_check_a_map_of_hosts_is_found_by_status(fencer: Fencer) -> None:
    fencer.register(hosts="node1=127.0.0.1 node2=127.0.0.2")
    assert fencer.admin("-F", "node2", "-t", 40).returncode == 0
    assert (fencer.first.power, fencer.second.power) == (1, 0)
    assert NO_DEVICE in fencer.admin("-F", "node3", "-t", 40).stderr


def test_told_to_use_the_list_the_fencer_does_so(fencer: Fencer) -> None:
    hosts = "node1=127.0.0.1 node2=127.0.0.2"
    fencer.register(hosts=hosts, pcmk_host_check="dynamic-list")
    assert fencer.admin("-F", "node2", "-t", 40).returncode == 0
    assert (fencer.first.power, fencer.second.power) == (1, 0)
    assert NO_DEVICE in fencer.admin("-F", "node3", "-t", 40).stderr


def test_told_to_ask_status_the_fencer_does_so_at_once(fencer: Fencer) -> None:
    fencer.register(port_as_ip=1, pcmk_host_check="status")
    assert fencer.admin("-F", "127.0.0.2", "-t", 40).returncode == 0
    assert (fencer.first.power, fencer.second.power) == (1, 0)


def test_a_node_that_is_off_can_be_fenced_by_status(fencer: Fencer) -> None:
    fencer.register(port_as_ip=1, pcmk_host_check="status")
    fencer.second.set_power(0)
    assert fencer.devices_for("127.0.0.2") == 1
    assert fencer.admin("-F", "127.0.0.2", "-t", 40).returncode == 0
    assert fencer.second.orders() == []
