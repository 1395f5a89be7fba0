"""A guest survives the loss of its node, and only after the node is really dead."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from lab.processes import Process

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


def reached(
    lab: Lab, kind: str, subject: str, since_s: float, result: str = ""
) -> float:
    """When the nodes' logs say that this happened."""
    event = lab.story().first(kind, subject, since_s, result)
    assert event is not None, f"{kind} of {subject} is in no log"
    return event.time_s


@pytest.mark.parametrize("lose", [cut_the_cable, take_the_power, freeze_its_corosync])
def test_a_guest_starts_elsewhere_once_its_node_is_proven_off(
    lab: Lab, watch: Watch, lose: Callable[[Node], None], repetitions: int
) -> None:
    for _ in range(repetitions):
        source = lab.cluster.wait_running(GUEST)
        began = time.monotonic()
        lose(lab.node(source))
        watch.wait_tick(GUEST, began, FAILOVER_S, not_on=source)
        executes = watch.first_execution(GUEST, began, not_on=source)
        assert executes is not None
        dead = reached(lab, "dead", source, began)
        proven = reached(lab, "fencing confirmed", source, began, "OK")
        assert dead < proven < reached(lab, "start begun", GUEST, began) < executes
        print(f"{lose.__name__}: executes elsewhere after {executes - began:.2f} s")
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
