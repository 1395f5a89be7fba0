"""libvirtd or the emulator is dead, frozen or forgetful while the guest runs."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Callable

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import PEER, Resource
from lab.guest import Guest

Fresh = Callable[..., Guest]
Running = Callable[..., tuple[Resource, Guest]]
MONITOR_S = 5.0


def _kill(host: Host) -> None:
    host.signal_libvirtd(signal.SIGKILL)


def _freeze(host: Host) -> None:
    host.signal_libvirtd(signal.SIGSTOP)


SILENCES = [_kill, _freeze]
IDS = ["killed", "frozen"]


def launched(host: Host, agent: Path, guest: Guest) -> Resource:
    resource = guests.resource(agent, guest)
    assert resource.call(host, "start").code == 0
    return resource


@pytest.mark.timeout(120)
@pytest.mark.parametrize("silence", SILENCES, ids=IDS)
def test_guests_under_a_silent_libvirt_are_seen_and_stopped_with_proof(
    alpha: Host, agent: Path, fresh: Fresh, silence: Callable[[Host], None]
) -> None:
    short, long, nameless, bystander = (fresh() for _ in range(4))
    quick, patient, recorded, _ = (
        launched(alpha, agent, guest) for guest in (short, long, nameless, bystander)
    )
    alpha.path(guests.config_path(nameless)).unlink()
    silence(alpha)

    for resource, interval_s in ((quick, 10), (recorded, 0)):
        seen = resource.call(alpha, "monitor", interval_s=interval_s)
        assert seen.code == 0
        assert seen.seconds < MONITOR_S
    stops = {
        short: quick.begin(alpha, "stop", timeout_s=20),
        long: patient.begin(alpha, "stop", timeout_s=60),
        nameless: recorded.begin(alpha, "stop", timeout_s=20),
    }

    for guest, stopping in stops.items():
        stopped = stopping.answer()
        assert (stopped.code, stopped.killed) == (0, False), guest.name
        assert alpha.emulators(guest.uuid) == []
    assert alpha.emulators(bystander.uuid)
    assert quick.call(alpha, "monitor").code == 7
    assert quick.call(alpha, "stop").code == 0


def test_under_a_silent_libvirt_start_and_migration_fail_in_time_and_touch_nothing(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest).but(migration_transport="tcp")
    first = alpha.emulators(guest.uuid)
    _freeze(alpha)

    started = resource.call(alpha, "start", timeout_s=6)
    migrated = resource.migrate_to(alpha, beta, timeout_s=6).answer()

    assert (started.code, started.killed) == (1, False)
    assert (migrated.code, migrated.killed) == (1, False)
    assert alpha.emulators(guest.uuid) == first
    assert beta.emulators(guest.uuid) == []


def test_a_libvirt_that_comes_back_shuts_the_guest_down_gracefully(
    alpha: Host, running: Running
) -> None:
    resource, guest = running()
    _kill(alpha)
    stopping = resource.begin(alpha, "stop", timeout_s=60)

    alpha.start_libvirtd()

    assert stopping.answer().code == 0
    assert "Power down" in guests.console(alpha, guest)


def test_a_frozen_emulator_is_stopped_in_time(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest)
    os.kill(alpha.emulators(guest.uuid)[0], signal.SIGSTOP)

    stopped = resource.call(alpha, "stop", timeout_s=10)

    assert (stopped.code, stopped.killed) == (0, False)
    assert alpha.emulators(guest.uuid) == []


def test_an_emulator_that_libvirt_does_not_know_is_not_started_over_but_stopped(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest)
    orphan = alpha.emulators(guest.uuid)
    _kill(alpha)
    shutil.rmtree(alpha.path("/run/libvirt"))
    alpha.start_libvirtd()
    assert guest.name not in alpha.virsh("list", "--all", "--name")

    assert resource.call(alpha, "monitor").code == 1
    assert resource.call(alpha, "start").code == 1
    assert alpha.emulators(guest.uuid) == orphan

    assert resource.call(alpha, "stop").code == 0
    assert alpha.emulators(guest.uuid) == []
    assert resource.call(alpha, "start").code == 0


def test_the_peer_hangs_with_a_frozen_libvirt(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest).by(PEER)
    _freeze(alpha)

    assert resource.call(alpha, "monitor", timeout_s=5).killed
