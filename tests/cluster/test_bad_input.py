"""Bad input and dead daemons on a cluster: the guest runs on, or stops with proof.

Each case is one in which other agents answer "not running" beside a running guest, or
fail a stop, which fences a healthy node.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from lab.files import GUESTS as FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import Lab
    from lab.node import Node
    from lab.watch import Watch

GUEST = "web2"
WAIT = "--wait=90"
WAIT_S = 120.0


@pytest.fixture
def node(lab: Lab) -> Node:
    """Give the node that runs the guest."""
    return lab.node(lab.cluster.wait_running(GUEST))


@pytest.fixture
def unfenced(lab: Lab) -> Iterator[None]:
    """Assert that no node was fenced over the scenario."""
    began_s = time.monotonic()
    yield
    fenced = [e for e in lab.story().since(began_s) if e.kind == "fencing requested"]
    assert not fenced


def refresh(lab: Lab) -> None:
    """Have every node probed anew."""
    lab.cluster.run(["crm_resource", "--refresh", "-r", GUEST])
    lab.wait_idle()


def test_a_guest_stops_with_proof_while_libvirtd_is_gone(
    lab: Lab, watch: Watch, node: Node, unfenced: None
) -> None:
    node.service("stop", "libvirtd")
    try:
        lab.cluster.pcs("resource", "disable", GUEST, WAIT, timeout_s=WAIT_S)
        assert GUEST not in node.guests()
    finally:
        node.service("start", "libvirtd")
        lab.cluster.pcs("resource", "enable", GUEST, WAIT, timeout_s=WAIT_S)
    assert watch.executing(GUEST, 30.0)


def test_an_unreadable_file_neither_hides_a_guest_nor_keeps_it_from_stopping(
    lab: Lab, watch: Watch, node: Node, unfenced: None
) -> None:
    file = node.path(f"{FILES}/{GUEST}.xml")
    file.unlink()
    file.mkdir()  # root can read any file, but no directory
    try:
        refresh(lab)
        assert lab.cluster.where(GUEST) == [node.name]
        assert watch.unbroken(GUEST)
        lab.cluster.pcs("resource", "disable", GUEST, WAIT, timeout_s=WAIT_S)
        assert GUEST not in node.guests()
    finally:
        file.rmdir()
        lab.guest(GUEST)
        lab.cluster.pcs("resource", "enable", GUEST, WAIT, timeout_s=WAIT_S)


def test_a_typo_in_a_tuning_parameter_reaches_the_agent_and_not_the_guest(
    lab: Lab, watch: Watch, node: Node, unfenced: None
) -> None:
    """It comes by reload-agent, probes see the guest, and it still moves alive."""
    given = ["crm_resource", "-r", GUEST, "-p", "migration_speed"]
    lab.cluster.run([*given, "-v", "fast"])
    try:
        lab.wait_idle()
        refresh(lab)
        began_s = time.monotonic()
        there = lab.cluster.wait_running(GUEST)
        lab.cluster.pcs("node", "standby", there)
        lab.wait_idle()
        watch.wait_tick(GUEST, began_s, WAIT_S, not_on=there)
        assert watch.unbroken(GUEST)
    finally:
        lab.cluster.run(["crm_resource", "-r", GUEST, "-d", "migration_speed"])
        lab.wait_idle()
