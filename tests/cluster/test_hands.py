"""Guests that a person moved or started past Pacemaker: still never two copies.

Without the question that a start asks the other nodes, both of these guests execute
twice: what one node sees of itself is not enough.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.watch import overlap_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import Lab
    from lab.watch import Watch

import pytest

MOVED, STARTED = "web1", "web2"
PEER_MOVED, PEER_LOST = "peer1", "peer2"
FOUND_S = 90.0
TWICE_S = 20.0


def migrate_by_hand(lab: Lab, guest: str, beside: str = "") -> tuple[str, str]:
    """Move a guest with virsh; returns from where and to where."""
    source = lab.cluster.wait_running(guest)
    target = next(n.name for n in lab.nodes if n.name not in (source, beside))
    to = f"qemu+tcp://{target}/system"
    lab.node(source).run(["virsh", "migrate", "--live", guest, to])
    return source, target


def test_guests_moved_and_started_by_hand_are_found_and_not_started_again(
    lab: Lab, watch: Watch
) -> None:
    """The moved one is found where it is; the other may not run where it was put."""
    cluster = lab.cluster
    cluster.pcs("resource", "disable", STARTED, "--wait=60", timeout_s=90)
    # Two guests on one node, and Pacemaker would move one of them away again.
    others = (lab.cluster.dc(), cluster.wait_running(MOVED))
    place = next(node for node in lab.nodes if node.name not in others)
    cluster.run(["crm_resource", "--ban", "-r", STARTED, "--node", place.name])
    began_s = time.monotonic()
    place.run(["virsh", "create", lab.guest_file(STARTED)])
    try:
        source, target = migrate_by_hand(lab, MOVED, beside=place.name)
        watch.wait_tick(STARTED, began_s, 30, node=place.name)
        cluster.pcs("resource", "enable", STARTED)
        cluster.wait_where(MOVED, [target], FOUND_S)
        refused_elsewhere(lab, place.name)
    finally:
        cluster.run(["crm_resource", "--clear", "-r", STARTED])
        cluster.run(["crm_resource", "--cleanup", "-r", STARTED])
    lab.wait_idle()
    assert cluster.wait_running(STARTED) == place.name
    assert watch.unbroken(STARTED, began_s)
    assert watch.unbroken(MOVED)
    assert watch.executing(MOVED) == [target] != [source]


def refused_elsewhere(lab: Lab, place: str) -> None:
    """The starts have failed and said where the guest is."""
    ends_s = time.monotonic() + FOUND_S
    while True:
        failures = lab.cluster.status().iterfind("./failures/failure")
        told = [f for f in failures if f.get("op_key") == f"{STARTED}_start_0"]
        if told:
            assert all(f"lives on {place}" in f.get("exitreason", "") for f in told)
            return
        assert time.monotonic() < ends_s, "no start was refused"
        time.sleep(0.5)


@pytest.fixture
def peers(lab: Lab) -> Iterator[None]:
    """Run two more guests, under VirtualDomain."""
    names = (PEER_MOVED, PEER_LOST)
    for name in names:
        lab.guest(name)
        lab.cluster.add_guest(name, lab.guest_file(name), peers=True)
    lab.wait_idle()
    yield
    for name in names:
        lab.guest(name)
        lab.cluster.pcs("resource", "delete", name, timeout_s=150)
        for node in lab.nodes:
            node.run(["virsh", "destroy", name], check=False)
    lab.wait_idle()


@pytest.mark.long
def test_the_predecessor_lets_two_copies_of_such_guests_execute(
    lab: Lab, peers: None, figures: list[str]
) -> None:
    with lab.watch() as witness:
        for guest in (PEER_MOVED, PEER_LOST):
            witness.wait_tick(guest, 0.0, 60.0)
        source = lab.node(lab.cluster.wait_running(PEER_LOST))
        source.path(lab.guest_file(PEER_LOST)).unlink()
        migrate_by_hand(lab, PEER_MOVED)
        ends_s = time.monotonic() + FOUND_S
        for guest in (PEER_MOVED, PEER_LOST):
            while overlap_s(witness.copies(guest)) < TWICE_S:
                assert time.monotonic() < ends_s, f"{guest} does not execute twice"
                time.sleep(0.5)
            twice_s = overlap_s(witness.copies(guest))
            figures.append(f"VirtualDomain, {guest}: two copies for {twice_s:.0f} s")
