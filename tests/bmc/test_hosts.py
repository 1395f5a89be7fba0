"""One fencing device for several nodes: a map of hosts, each with a BMC of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bmc.calls import Caller
from bmc.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTS = "node1=127.0.0.1 node2=127.0.0.2"
OFF = "set power 0"
UNDER_THE_FENCER = {"PCMK_service": "pacemaker-fenced"}


@pytest.fixture
def second(bmc: Simulator, tmp_path: Path) -> Iterator[Simulator]:
    """Return node2's BMC: the same port at another address."""
    with Simulator(tmp_path / "second", bmc.port, address="127.0.0.2") as simulator:
        yield simulator


@pytest.fixture
def device(root: Path, bmc: Simulator, second: Simulator) -> Caller:
    """Return our agent as the fencing device of both nodes."""
    assert second.port == bmc.port
    return Caller(root / "sbin/fence_vmha_ipmi", bmc, ip=None, hosts=HOSTS)


def test_off_reaches_the_bmc_of_the_node_that_is_meant(
    device: Caller, bmc: Simulator, second: Simulator
) -> None:
    outcome = device("off", plug="node2")
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Powered OFF\n")
    assert (bmc.power, second.power) == (1, 0)
    assert bmc.log() == []


def test_a_node_that_is_not_in_the_map_is_refused(
    device: Caller, bmc: Simulator, second: Simulator
) -> None:
    outcome = device("off", plug="node3")
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert "hosts has node1, node2" in outcome.stderr
    assert bmc.log() == second.log() == []


def test_the_list_tells_the_power_of_every_node(
    device: Caller, second: Simulator
) -> None:
    second.set_power(0)
    outcome = device("list-status", plug=None)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout == "node1,127.0.0.1,ON\nnode2,127.0.0.2,OFF\n"


def test_a_bmc_that_is_silent_does_not_hide_the_others(
    device: Caller, bmc: Simulator
) -> None:
    bmc.freeze()
    outcome = device("list-status", plug=None, login_timeout=1)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert outcome.stdout == "node1,127.0.0.1,UNKNOWN\nnode2,127.0.0.2,ON\n"


def test_the_monitor_proves_every_node(device: Caller, second: Simulator) -> None:
    fine = device("monitor", plug=None)
    assert (fine.exit_code, fine.stdout, fine.stderr) == (0, "", "")
    second.freeze()
    bad = device("monitor", plug=None, environ=UNDER_THE_FENCER)
    assert (bad.exit_code, bad.stdout) == (1, "")
    assert "node2: the BMC at 127.0.0.2" in bad.stderr
    assert "node1" not in bad.stderr
    assert len(bad.stderr.splitlines()) == 1


def test_many_silent_bmcs_are_asked_side_by_side(device: Caller) -> None:
    silent = " ".join(f"x{n}=127.0.1.{n}" for n in range(1, 9))
    outcome = device(
        "monitor",
        plug=None,
        hosts=f"{HOSTS} {silent}",
        environ=UNDER_THE_FENCER,
        fencing_timeout=10,
    )
    assert outcome.exit_code == 1
    assert outcome.stderr.count("nothing listens") == 8
    assert outcome.seconds < 6
