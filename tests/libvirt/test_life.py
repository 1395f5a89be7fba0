"""Start, stop, monitor, probe and status of a real guest."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import Resource
from hosts.waiting import until
from lab.guest import Guest

Fresh = Callable[..., Guest]
Running = Callable[..., tuple[Resource, Guest]]


def test_a_guest_lives_from_start_to_stop(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest)
    assert resource.call(alpha, "monitor").code == 7
    assert resource.call(alpha, "status").code == 7
    assert resource.call(alpha, "stop").code == 0
    assert resource.call(alpha, "start").code == 0
    assert resource.call(alpha, "monitor").code == 0
    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    assert resource.call(alpha, "status").code == 0
    first = alpha.emulators(guest.uuid)
    assert resource.call(alpha, "start").code == 0
    assert alpha.emulators(guest.uuid) == first
    guests.await_tick(alpha, guest)

    stopped = resource.call(alpha, "stop")

    assert stopped.code == 0
    assert alpha.emulators(guest.uuid) == []
    assert "Power down" in guests.console(alpha, guest)
    assert resource.call(alpha, "stop").code == 0
    assert resource.call(alpha, "monitor", interval_s=10).code == 7
    assert not alpha.path(f"/run/vmha/guests/{guest.name}.guest").exists()


def test_a_deaf_guest_is_destroyed_inside_the_deadline(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh(deaf=True)
    resource = guests.resource(agent, guest)
    assert resource.call(alpha, "start").code == 0
    guests.await_tick(alpha, guest)

    stopped = resource.call(alpha, "stop", timeout_s=8)

    assert (stopped.code, stopped.killed) == (0, False)
    assert alpha.emulators(guest.uuid) == []
    assert "Power down" not in guests.console(alpha, guest)


def test_a_guest_in_its_first_second_of_boot_is_asked_again(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest)
    assert resource.call(alpha, "start").code == 0

    stopped = resource.call(alpha, "stop", timeout_s=40)

    assert stopped.code == 0
    assert stopped.seconds < 25  # force would come later
    assert "Power down" in guests.console(alpha, guest)


def test_force_stop_does_not_ask(alpha: Host, running: Running) -> None:
    resource, guest = running(force_stop="yes")

    stopped = resource.call(alpha, "stop")

    assert stopped.code == 0
    assert stopped.seconds < 5
    assert "Power down" not in guests.console(alpha, guest)


def test_a_paused_guest_is_resumed_so_that_it_can_obey(
    alpha: Host, agent: Path, running: Running
) -> None:
    resource, guest = running()
    alpha.virsh("suspend", guest.name)
    assert resource.call(alpha, "monitor", interval_s=10).code == 0

    assert resource.call(alpha, "stop").code == 0

    assert "Power down" in guests.console(alpha, guest)


@pytest.mark.parametrize("mode", ["acpi", "agent,acpi"])
def test_shutdown_modes_are_used_in_their_order(
    alpha: Host, running: Running, mode: str
) -> None:
    resource, guest = running(shutdown_mode=mode)

    stopped = resource.call(alpha, "stop")

    assert stopped.code == 0
    assert stopped.seconds < 5
    assert "Power down" in guests.console(alpha, guest)


def test_a_guest_that_dies_right_after_its_creation_fails_the_start_at_once(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    shy = guest.xml().replace("<name>", "<name>", 1)
    # A machine without devices to boot from, told to leave at its first reset.
    shy = shy.replace("<on_reboot>restart<", "<on_reboot>destroy<")
    shy = shy.replace("console=ttyS0", "console=ttyS0 panic=1 rdinit=/nothing init=/no")
    guests.put_config(alpha, guest, shy)
    resource = guests.resource(agent, guest)

    started = resource.call(alpha, "start")

    # It may live for a moment; the next monitor must then tell.
    if started.code == 0:
        until(
            20,
            lambda: resource.call(alpha, "monitor", interval_s=10).code == 7,
            "the monitor still finds it",
        )
    assert started.seconds < 10
    assert alpha.emulators(guest.uuid) == []


def test_an_emulator_that_ends_at_once_fails_the_start(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    broken = guest.xml().replace(str(guest.image.kernel), "/run/no-kernel")
    guests.put_config(alpha, guest, broken)

    started = guests.resource(agent, guest).call(alpha, "start")

    assert started.code == 1
    assert started.seconds < 10
    assert len(started.reasons) == 1
    assert "no-kernel" in started.reason
    assert guests.resource(agent, guest).call(alpha, "stop").code == 0


def test_a_crash_of_the_emulator_is_seen_by_the_next_monitor(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest)
    assert resource.call(alpha, "start").code == 0
    guests.end(alpha, guest)

    assert resource.call(alpha, "monitor", interval_s=10).code == 7
    assert resource.call(alpha, "stop").code == 0
    assert resource.call(alpha, "start").code == 0


def test_a_monitor_writes_nothing_once_the_guest_is_recorded(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest)
    assert resource.call(alpha, "start").code == 0
    record = alpha.path(f"/run/vmha/guests/{guest.name}.guest")
    before = record.stat(), record.read_text()

    for _ in range(3):
        assert resource.call(alpha, "monitor", interval_s=10).code == 0

    assert record.read_text() == before[1]
    assert record.stat().st_mtime_ns == before[0].st_mtime_ns


def test_reload_agent_leaves_the_guest_alone(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest)
    assert resource.call(alpha, "start").code == 0
    first = alpha.emulators(guest.uuid)

    assert resource.but(migration_speed="100").call(alpha, "reload-agent").code == 0
    assert resource.but(migration_speed="x").call(alpha, "reload-agent").code == 0

    assert alpha.emulators(guest.uuid) == first
