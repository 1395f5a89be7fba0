"""Live migration between two daemons: it arrives once, or the guest is not touched."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Callable

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import PEER, Answer, Resource
from hosts.waiting import never, until
from lab.guest import Guest

Fresh = Callable[..., Guest]
Running = Callable[..., tuple[Resource, Guest]]


TCP = {"migration_transport": "tcp"}


def untouched(alpha: Host, beta: Host, guest: Guest, answer: Answer) -> bool:
    """The guest counts on, none of it ever began on beta, one sentence says so."""
    guests.await_tick(alpha, guest)
    said = len(answer.reasons) == 1 and "untouched" in answer.reason
    log = beta.path(f"/var/log/libvirt/qemu/{guest.name}.log")
    begun = log.exists() and guest.uuid in log.read_text(errors="replace")
    return answer.code == 1 and not answer.killed and said and not begun


def counted_through(alpha: Host, beta: Host, guest: Guest) -> bool:
    """The counter crosses from one host to the other without a gap or a restart."""
    before, after = guests.ticks(alpha, guest), guests.ticks(beta, guest)
    boots = {tick.boot for tick in before + after}
    numbers = [tick.count for tick in before + after]
    # The line that was being written when the guest crossed may be torn in two.
    gaps = [b - a for a, b in zip(numbers, numbers[1:]) if b - a != 1]
    return len(boots) == 1 and (not gaps or gaps == [2]) and bool(after)


def test_a_guest_crosses_with_its_counter_unbroken(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP)

    assert resource.migrate_to(alpha, beta).answer().code == 0
    again = resource.migrate_to(alpha, beta).answer()
    assert again.code == 0, "a repeated migrate_to after success is a success"
    assert resource.migrate_from(alpha, beta).code == 0
    assert resource.call(alpha, "stop").code == 0
    guests.await_tick(beta, guest)

    assert alpha.emulators(guest.uuid) == []
    assert len(beta.emulators(guest.uuid)) == 1
    assert counted_through(alpha, beta, guest)
    assert resource.call(alpha, "monitor").code == 7
    assert resource.call(beta, "monitor", interval_s=10).code == 0
    assert resource.call(beta, "stop").code == 0


def test_a_guest_crosses_there_and_back_over_a_network_of_its_own(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP, migration_network_suffix="-mig")

    for source, target in ((alpha, beta), (beta, alpha)):
        assert resource.migrate_to(source, target).answer().code == 0
        assert resource.migrate_from(source, target).code == 0
        assert resource.call(source, "stop").code == 0
        assert source.emulators(guest.uuid) == []

    assert guests.ticks(alpha, guest)[-1].boot == guests.ticks(beta, guest)[0].boot
    guests.await_tick(alpha, guest)


def test_a_target_that_is_named_by_its_ipv6_address_is_reached(
    alpha: Host, beta: Host, running: Running
) -> None:
    for number, host in enumerate((alpha, beta), 1):
        address = ("fd97::" + str(number) + "/64", "dev", "eth0", "nodad")
        host.run("ip", "-6", "addr", "replace", *address)
    resource, guest = running(**TCP, migrateuri="tcp://%n")

    for host, action in ((alpha, "migrate_to"), (beta, "migrate_from")):
        ends = {"migrate_source": "fd97::1", "migrate_target": "fd97::2"}
        assert resource.begin(host, action, 20, 0, **ends).answer().code == 0
    guests.await_tick(beta, guest)


def test_uris_may_be_given_in_full(alpha: Host, beta: Host, running: Running) -> None:
    uris = {"migrateuri": "tcp://%n-mig:49999", "remoteuri": "qemu+tcp://%n/system"}
    resource, _ = running(**TCP, **uris)

    migrating = resource.migrate_to(alpha, beta)

    assert migrating.answer().code == 0
    assert resource.migrate_from(alpha, beta).code == 0


def test_a_stop_on_the_source_of_a_guest_that_has_left_touches_nothing_there(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP)
    tuned = resource.but(migration_speed="fast", migration_downtime="-1")
    assert tuned.migrate_to(alpha, beta).answer().code == 0, "a typo only costs tuning"
    arrived = beta.emulators(guest.uuid)

    assert resource.call(alpha, "stop").code == 0

    assert beta.emulators(guest.uuid) == arrived
    guests.await_tick(beta, guest)


def test_migrate_from_without_an_arrival_ends_soon(
    beta: Host, agent: Path, alpha: Host, fresh: Fresh
) -> None:
    resource = guests.resource(agent, fresh())

    answer = resource.migrate_from(alpha, beta, timeout_s=60)

    assert (answer.code, answer.killed) == (1, False)
    assert answer.seconds < 20


def test_a_target_without_the_config_file_gets_nothing(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP)
    beta.path(guests.config_path(guest)).unlink()
    migrating = resource.migrate_to(alpha, beta)

    until(20, lambda: beta.emulators(guest.uuid) or migrating.is_over(), "no end")

    answer = migrating.answer()
    assert untouched(alpha, beta, guest, answer)
    assert guests.config_path(guest) in answer.reason
    assert counts_on_after_what_pacemaker_does(alpha, beta, resource, guest)


def counts_on_after_what_pacemaker_does(
    alpha: Host, beta: Host, resource: Resource, guest: Guest
) -> bool:
    """A failed migrate_to: stop on both nodes, start once; never two copies."""
    assert resource.call(beta, "stop").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert not alpha.emulators(guest.uuid) + beta.emulators(guest.uuid)
    assert resource.call(alpha, "start").code == 0
    guests.await_tick(alpha, guest)
    return beta.emulators(guest.uuid) == []


def test_the_peer_sends_a_guest_where_its_config_is_missing_and_doubles_it(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP)
    resource = resource.by(PEER)
    beta.path(guests.config_path(guest)).unlink()

    assert resource.migrate_to(alpha, beta).answer().code == 0
    assert resource.migrate_from(alpha, beta).code != 0
    assert resource.call(beta, "stop").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert resource.call(alpha, "start").code == 0

    assert alpha.emulators(guest.uuid)
    assert beta.emulators(guest.uuid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_target_whose_libvirt_is_away_gets_nothing(
    alpha: Host, beta: Host, running: Running, number: signal.Signals
) -> None:
    resource, guest = running(**TCP)
    beta.signal_libvirtd(number)

    answer = resource.migrate_to(alpha, beta, timeout_s=12).answer()

    assert untouched(alpha, beta, guest, answer)
    assert "beta" in answer.reason


def test_a_target_with_a_stranger_of_the_same_name_gets_nothing(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP)
    path = f"/run/guests/{guest.name}-stranger.xml"
    beta.path(path).write_text(guests.other_uuid(guest))
    beta.virsh("create", path)

    answer = resource.migrate_to(alpha, beta).answer()

    assert untouched(alpha, beta, guest, answer)
    assert guests.stranger_uuid(guest) in answer.reason
    assert beta.emulators(guests.stranger_uuid(guest))
    beta.virsh("destroy", guest.name)


def test_a_target_that_cannot_run_the_guest_gets_nothing_and_the_source_goes_on(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP)
    serial = beta.path("/run/serial")
    serial.rename(beta.path("/run/serial-away"))

    answer = resource.migrate_to(alpha, beta).answer()

    beta.path("/run/serial-away").rename(serial)
    assert (answer.code, answer.killed) == (1, False)
    guests.await_tick(alpha, guest)
    assert beta.emulators(guest.uuid) == []


def test_a_migration_that_cannot_end_in_time_is_aborted_by_the_agent(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP, migration_speed="1")

    answer = resource.migrate_to(alpha, beta, timeout_s=8).answer()

    assert (answer.code, answer.killed) == (1, False)
    assert "aborted" in answer.reason
    guests.await_tick(alpha, guest)
    assert re.search(r"Job type:\s+None", alpha.virsh("domjobinfo", guest.name))
    until(5, lambda: not beta.emulators(guest.uuid), "half a guest stays on the target")


def test_an_agent_that_is_killed_in_the_middle_leaves_the_guest_at_its_source(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP, migration_speed="1")
    migrating = resource.migrate_to(alpha, beta)
    until(10, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")

    migrating.kill()

    guests.await_tick(alpha, guest)
    until(15, lambda: not beta.emulators(guest.uuid), "half a guest stays on beta")
    never(1, lambda: guests.ticks(beta, guest), "it counts on both hosts")
    assert resource.call(beta, "stop").code == 0
    assert resource.call(alpha, "monitor", interval_s=10).code == 0


def test_a_target_that_dies_in_the_middle_leaves_the_guest_at_its_source(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP, migration_speed="1")
    migrating = resource.migrate_to(alpha, beta, timeout_s=16)
    until(10, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")

    guests.end(beta, guest)
    beta.signal_libvirtd(signal.SIGKILL)
    answer = migrating.answer()

    assert (answer.code, answer.killed) == (1, False)
    guests.await_tick(alpha, guest)


def test_a_guest_that_the_parameters_no_longer_mean_is_not_moved(
    alpha: Host, beta: Host, fresh: Fresh, running: Running
) -> None:
    new = fresh()
    resource, old = running(**TCP)
    for host in (alpha, beta):
        guests.put_config(host, old, new.xml())

    answer = resource.migrate_to(alpha, beta).answer()

    assert untouched(alpha, beta, old, answer)
    assert resource.call(beta, "stop").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert alpha.emulators(old.uuid) == []
