"""A live migration hands the guest over unharmed, or leaves it where it runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.files import GUESTS as FILES

if TYPE_CHECKING:
    from lab import Lab
    from lab.watch import Watch

GUESTS = ("web1", "web2")
MOVE_S = 60.0


def leave(lab: Lab, source: str) -> float:
    """Put a node on standby; returns when the cluster has settled."""
    began = time.monotonic()
    lab.cluster.pcs("node", "standby", source)
    lab.wait_idle(MOVE_S)
    return began


def test_standby_moves_a_guest_whose_counter_goes_on(
    lab: Lab, watch: Watch, repetitions: int
) -> None:
    for _ in range(repetitions):
        source = lab.cluster.wait_running("web1")
        began = leave(lab, source)
        watch.wait_tick("web1", began, MOVE_S, not_on=source)
        for guest in GUESTS:
            assert watch.unbroken(guest), f"{guest} began anew or lost a tick"
        print(f"blackout {watch.blackout_s('web1', began):.2f} s")
        lab.cluster.pcs("node", "unstandby", source)
        lab.wait_idle(MOVE_S)


def test_a_target_without_the_guests_file_ends_with_one_copy(
    lab: Lab, watch: Watch
) -> None:
    """Pacemaker stops and starts the guest after a failed migration: one copy."""
    source = lab.cluster.wait_running("web1")
    others = [node for node in lab.nodes if node.name != source]
    for node in others:
        node.path(f"{FILES}/web1.xml").unlink()
    try:
        leave(lab, source)
        assert len(watch.executing("web1", 1.0)) <= 1
    finally:
        lab.guest("web1")
    lab.cluster.pcs("node", "unstandby", source)
    lab.cluster.pcs("resource", "cleanup")
    lab.wait_idle(MOVE_S)
    lab.cluster.wait_running("web1")
    assert len(watch.executing("web1", 1.0)) == 1


def test_a_target_whose_libvirt_is_away_ends_with_one_copy(
    lab: Lab, watch: Watch
) -> None:
    source = lab.cluster.wait_running("web1")
    others = [node for node in lab.nodes if node.name != source]
    for node in others:
        node.service("stop", "libvirtd")
    try:
        leave(lab, source)
        assert len(watch.executing("web1", 1.0)) <= 1
    finally:
        for node in others:
            node.service("start", "libvirtd")
    lab.cluster.pcs("node", "unstandby", source)
    lab.cluster.pcs("resource", "cleanup")
    lab.wait_idle(MOVE_S)
    lab.cluster.wait_running("web1")
