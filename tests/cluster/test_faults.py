"""What fails on a healthy node: the guest's emulator, libvirt, the guest's file."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from lab.files import GUESTS as FILES
from lab.processes import Process

if TYPE_CHECKING:
    from lab import Lab
    from lab.watch import Watch

GUEST = "web1"
MONITOR_S = 10.0
TWO_MONITORS_S = 2 * MONITOR_S + 5


def stays(lab: Lab, watch: Watch, began_s: float) -> None:
    """The guest goes on where it is through two monitors, and nobody touches it."""
    source = lab.cluster.where(GUEST)
    time.sleep(max(0.0, began_s + TWO_MONITORS_S - time.monotonic()))
    assert lab.cluster.where(GUEST) == source
    assert watch.unbroken(GUEST)
    assert watch.executing(GUEST) == source


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


def test_a_killed_libvirtd_does_not_touch_its_guest(lab: Lab, watch: Watch) -> None:
    node = lab.node(lab.cluster.wait_running(GUEST))
    began = time.monotonic()
    for pid in node.pids("libvirtd"):
        Process.of(pid).signal(signal.SIGKILL)
    stays(lab, watch, began)


def test_a_frozen_libvirtd_does_not_touch_its_guest(lab: Lab, watch: Watch) -> None:
    node = lab.node(lab.cluster.wait_running(GUEST))
    began = time.monotonic()
    for pid in node.pids("libvirtd"):
        Process.of(pid).signal(signal.SIGSTOP)
    stays(lab, watch, began)


def test_a_guest_whose_file_is_lost_goes_on(lab: Lab, watch: Watch) -> None:
    """VirtualDomain takes this guest for stopped and starts a second copy."""
    node = lab.node(lab.cluster.wait_running(GUEST))
    file = node.path(f"{FILES}/{GUEST}.xml")
    text = file.read_text()
    file.unlink()
    try:
        stays(lab, watch, time.monotonic())
    finally:
        file.write_text(text)
