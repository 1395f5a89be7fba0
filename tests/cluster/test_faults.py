"""What fails on a healthy node: the guest's emulator, libvirt, the guest's file."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from lab.processes import Process

if TYPE_CHECKING:
    from lab import Lab
    from lab.watch import Watch

GUESTS = ("web1", "web2")
GUEST = GUESTS[0]
MONITOR_S = 10.0
TWO_MONITORS_S = 2 * MONITOR_S + 5


def test_a_guest_whose_emulator_is_killed_is_started_again(
    lab: Lab, watch: Watch
) -> None:
    copy = watch.copies(GUEST)[-1]
    began = time.monotonic()
    Process.of(copy.pid).signal(signal.SIGKILL)
    first = watch.sightings(GUEST)[-1].tick
    tick = watch.wait_tick(GUEST, began + 1, MONITOR_S + 60)
    assert tick.tick.boot != first.boot
    lab.wait_idle()
    assert lab.cluster.wait_running(GUEST) == tick.node


def test_a_killed_or_frozen_libvirtd_and_a_lost_file_touch_no_guest(
    lab: Lab, watch: Watch
) -> None:
    """Each fault on a node of its own, with a guest; they last for two monitors.

    VirtualDomain takes a guest whose file is lost for stopped and starts another copy.
    """
    homes = apart(lab)
    began = time.monotonic()
    killed, frozen = (lab.node(homes[guest]) for guest in GUESTS)
    losing = [node.path(lab.guest_file(GUEST)) for node in lab.nodes]
    texts = [file.read_text() for file in losing]
    for pid in killed.pids("libvirtd"):
        Process.of(pid).signal(signal.SIGKILL)
    for pid in frozen.pids("libvirtd"):
        Process.of(pid).signal(signal.SIGSTOP)
    losing[lab.nodes.index(killed)].unlink()
    try:
        time.sleep(max(0.0, began + TWO_MONITORS_S - time.monotonic()))
        for guest, home in homes.items():
            assert lab.cluster.where(guest) == [home]
            assert watch.unbroken(guest)
            assert watch.executing(guest) == [home]
    finally:
        for file, text in zip(losing, texts):
            file.write_text(text)
        frozen.recover()
        lab.cluster.run(["sh", "-c", f"crm_resource --clear -r {GUESTS[1]} || true"])


def apart(lab: Lab) -> dict[str, str]:
    """Have the guests on two nodes; tells on which."""
    first, second = GUESTS
    home = lab.cluster.wait_running(first)
    if lab.cluster.wait_running(second) == home:
        other = next(node.name for node in lab.nodes if node.name != home)
        lab.cluster.run(["crm_resource", "--move", "-r", second, "--node", other])
        lab.wait_idle()
    return {guest: lab.cluster.wait_running(guest) for guest in GUESTS}
