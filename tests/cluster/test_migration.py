"""A live migration hands the guest over unharmed, or leaves it where it runs.

A failed migrate_to makes Pacemaker stop the guest on both nodes and start it once.
"""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

import pytest
from lab.files import GUESTS as FILES
from lab.node import Node

if TYPE_CHECKING:
    from lab import Lab
    from lab.watch import Watch

GUEST = "web1"
GUESTS = (GUEST, "web2")
MOVE_S = 60.0
# The agent tries again until its time is over; the target may only be slow.
MIGRATE_TO_S = 25
LONG_S = 3600  # with --long
SLOW_MIB_S = 12  # a migration then takes some seconds
REFUSED_S = MIGRATE_TO_S + 15.0


def test_standby_moves_a_guest_whose_counter_goes_on(
    lab: Lab, watch: Watch, repetitions: int
) -> None:
    for _ in range(repetitions):
        source = lab.cluster.wait_running(GUEST)
        began = time.monotonic()
        lab.cluster.pcs("node", "standby", source)
        lab.wait_idle(MOVE_S)
        watch.wait_tick(GUEST, began, MOVE_S, not_on=source)
        for guest in GUESTS:
            assert watch.unbroken(guest), f"{guest} began anew or lost a tick"
        print(f"blackout {watch.blackout_s(GUEST, began):.2f} s")
        lab.cluster.pcs("node", "unstandby", source)
        lab.wait_idle(MOVE_S)


def test_a_target_without_the_guests_file_ends_with_one_copy(
    lab: Lab, watch: Watch
) -> None:
    source = lab.cluster.wait_running(GUEST)
    for node in lab.nodes:
        if node.name != source:
            node.path(f"{FILES}/{GUEST}.xml").unlink()
    try:
        refused(lab, watch, source)
    finally:
        lab.guest(GUEST)
    ends_with_one_copy(lab, watch, source)


def test_a_target_whose_libvirt_is_away_ends_with_one_copy(
    lab: Lab, watch: Watch
) -> None:
    timeout = ("op", "migrate_to", "interval=0s", f"timeout={MIGRATE_TO_S}s")
    lab.cluster.pcs("resource", "update", GUEST, *timeout)
    lab.wait_idle()
    source = lab.cluster.wait_running(GUEST)
    others = [node for node in lab.nodes if node.name != source]
    for node in others:
        node.service("stop", "libvirtd")
    try:
        refused(lab, watch, source)
    finally:
        for node in others:
            node.service("start", "libvirtd")
    ends_with_one_copy(lab, watch, source)


@pytest.mark.timeout(LONG_S)
def test_a_node_that_dies_in_mid_migration_leaves_one_copy(
    lab: Lab, watch: Watch, seed: int, is_long: bool, figures: list[str]
) -> None:
    """The source and the target in turn, by their cable or power, at any instant."""
    random = Random(seed)
    speed = ("resource", "update", GUEST, f"migration_speed={SLOW_MIB_S}")
    lab.cluster.pcs(*speed, "op", "migrate_to", "interval=0s", "timeout=40s")
    try:
        for trial in range(20 if is_long else 2):
            lab.wait_idle()
            figures.append(dies(lab, watch, random, ("source", "target")[trial % 2]))
            lab.recover()
    finally:
        lab.cluster.pcs("resource", "update", GUEST, "migration_speed=")
        lab.cluster.run(["crm_resource", "--clear", "-r", GUEST])
        lab.wait_idle()


def dies(lab: Lab, watch: Watch, random: Random, side: str) -> str:
    """Let one side of a migration die; the guest then executes on a living node."""
    source = lab.cluster.wait_running(GUEST)
    target = random.choice([n.name for n in lab.nodes if n.name != source])
    lost = lab.node(source if side == "source" else target)
    fault, after_s = random.choice((Node.cut, Node.power_off)), random.uniform(0, 4)
    watch.wait_tick(GUEST, time.monotonic(), MOVE_S, node=source)
    began = time.monotonic()
    lab.cluster.run(["crm_resource", "--move", "-r", GUEST, "--node", target])
    while (begun := lab.story().first("migrate_to begun", GUEST, began)) is None:
        assert time.monotonic() < began + MOVE_S, "migrate_to has not begun"
        time.sleep(0.05)
    time.sleep(max(0.0, begun.time_s + after_s - time.monotonic()))
    fault(lost)
    cut_s = time.monotonic()
    shown = f"{side} lost by {fault.__name__} {cut_s - begun.time_s:.1f} s into it"
    while (dead := lab.story().first("dead", lost.name, began)) is None:
        assert time.monotonic() < cut_s + MOVE_S, f"{shown}: {lost.name} lives"
        time.sleep(0.1)
    watch.wait_tick(GUEST, dead.time_s, 2 * MOVE_S, not_on=lost.name)
    until_s = time.monotonic() - cut_s
    while lab.story().first("fencing confirmed", lost.name, began) is None:
        assert time.monotonic() < cut_s + MOVE_S, f"{shown}: it is not fenced"
        time.sleep(0.1)
    lab.wait_idle(MOVE_S)
    place = lab.cluster.wait_running(GUEST)
    watch.wait_tick(GUEST, time.monotonic(), MOVE_S, node=place)
    assert watch.most_copies(GUEST) == 1, shown
    return f"{shown}: the guest executes elsewhere {until_s:.1f} s later"


def refused(lab: Lab, watch: Watch, source: str) -> None:
    """Put the source on standby; migrate_to must fail and not touch the guest."""
    began = time.monotonic()
    lab.cluster.pcs("node", "standby", source)
    while (ended := lab.story().first("migrate_to ended", GUEST, began)) is None:
        assert time.monotonic() < began + REFUSED_S, "migrate_to has not ended"
        time.sleep(0.05)
    assert ended.result != "0"
    watch.wait_tick(GUEST, began, REFUSED_S)
    until = [one for one in watch.sightings(GUEST) if one.time_s < ended.time_s]
    assert {one.node for one in until} == {source}
    counts = [one.tick.count for one in until]
    assert counts == list(range(counts[0], counts[-1] + 1)), "the guest was touched"


def ends_with_one_copy(lab: Lab, watch: Watch, source: str) -> None:
    """After Pacemaker's stop and start, exactly one copy executes."""
    lab.wait_idle(2 * MOVE_S)
    lab.cluster.pcs("node", "unstandby", source)
    lab.cluster.pcs("resource", "cleanup")
    lab.wait_idle(MOVE_S)
    place = lab.cluster.wait_running(GUEST)
    watch.wait_tick(GUEST, time.monotonic(), MOVE_S, node=place)
    assert watch.executing(GUEST) == [place]
