"""A guest survives the loss of its node, and only after the node is really dead."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from lab.processes import Process
from lab.stages import Failover

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Lab
    from lab.node import Node
    from lab.watch import Watch

GUEST = "web1"
FAILOVER_S = 60.0


def cut_the_cable(node: Node) -> None:
    node.cut()


def take_the_power(node: Node) -> None:
    node.power_off()


def freeze_its_corosync(node: Node) -> None:
    for pid in node.pids("corosync"):
        Process.of(pid).signal(signal.SIGSTOP)


@pytest.mark.parametrize("lose", [cut_the_cable, take_the_power, freeze_its_corosync])
def test_a_guest_starts_elsewhere_once_its_node_is_proven_off(
    lab: Lab, watch: Watch, lose: Callable[[Node], None], repetitions: int
) -> None:
    for _ in range(repetitions):
        source = lab.cluster.wait_running(GUEST)
        failover = Failover(GUEST, source, time.monotonic())
        lose(lab.node(source))
        watch.wait_tick(GUEST, failover.began_s, FAILOVER_S, not_on=source)
        failover.look(lab.story(), watch)
        assert failover.complete(), failover.reached_s
        dead = lab.story().first("dead", source, failover.began_s)
        assert dead is not None
        assert dead.time_s < failover.reached_s["power off proven"]
        assert (
            failover.reached_s["power off proven"] < failover.reached_s["start begun"]
        )
        print(
            f"{lose.__name__}: {failover.total_s():.2f} s in all, the agents' "
            f"{failover.ours_s():.2f} s"
        )
        lab.recover()
        assert lab.cluster.wait_running(GUEST)


def test_a_guest_stays_down_while_the_bmc_cannot_prove_its_node_off(
    lab: Lab, watch: Watch
) -> None:
    """No proof, no second copy: the guest waits until the BMC speaks again."""
    source = lab.cluster.wait_running(GUEST)
    node = lab.node(source)
    node.bmc.set_fault("deaf")
    began = time.monotonic()
    node.cut()
    while time.monotonic() < began + 25:
        assert watch.first_execution(GUEST, began, not_on=source) is None
        time.sleep(0.2)
    node.bmc.set_fault("deaf", None)
    watch.wait_tick(GUEST, began, 120.0, not_on=source)
