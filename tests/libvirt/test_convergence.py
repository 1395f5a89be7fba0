"""Guests that write to their memory faster than it can be sent."""

from __future__ import annotations

import re
from typing import Callable

from hosts import guests
from hosts.host import Host
from hosts.operation import PEER, Resource
from hosts.waiting import until
from lab.guest import Guest

Writing = Callable[..., tuple[Resource, Guest]]
TCP = {"migration_transport": "tcp"}


def no_job(host: Host, guest: Guest) -> bool:
    """Tell whether libvirt is at nothing with the guest."""
    return bool(re.search(r"Job type:\s+None", host.virsh("domjobinfo", guest.name)))


def arrived_whole(alpha: Host, beta: Host, resource: Resource, guest: Guest) -> bool:
    """It counts on where it went on, on one host, and its source is quiet."""
    assert resource.migrate_from(alpha, beta).code == 0
    assert resource.call(alpha, "stop").code == 0
    guests.await_tick(beta, guest)
    boots = {tick.boot for host in (alpha, beta) for tick in guests.ticks(host, guest)}
    return len(boots) == 1 and alpha.emulators(guest.uuid) == []


def test_a_writing_guest_crosses_by_the_ladder(
    alpha: Host, beta: Host, writing: Writing
) -> None:
    capped = {"migration_speed": "16", "migration_auto_converge": "no"}
    resource, guest = writing(**TCP, **capped, migration_downtime_max="3000")

    answer = resource.migrate_to(alpha, beta, timeout_s=24).answer()

    assert (answer.code, answer.killed) == (0, False)
    assert arrived_whole(alpha, beta, resource, guest)


def test_without_the_ladder_it_is_aborted_in_time_and_runs_on(
    alpha: Host, beta: Host, writing: Writing
) -> None:
    capped = {"migration_speed": "16", "migration_auto_converge": "no"}
    resource, guest = writing(**TCP, **capped, migration_downtime_max="0")

    answer = resource.migrate_to(alpha, beta, timeout_s=16).answer()

    assert (answer.code, answer.killed) == (1, False)
    assert "aborted" in answer.reason
    guests.await_tick(alpha, guest)
    assert no_job(alpha, guest)
    until(5, lambda: not beta.emulators(guest.uuid), "half a guest stays on beta")


def test_the_peer_is_killed_over_it_in_the_middle_of_the_job(
    alpha: Host, beta: Host, writing: Writing
) -> None:
    resource, guest = writing(**TCP, migration_speed="2")

    migrating = resource.by(PEER).migrate_to(alpha, beta, timeout_s=8)
    until(7, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")

    assert not no_job(alpha, guest)
    assert migrating.answer().killed, "nothing aborts the job before"


def test_post_copy_brings_it_over_as_the_last_resort(
    alpha: Host, beta: Host, writing: Writing
) -> None:
    capped = {"migration_speed": "16", "migration_auto_converge": "no"}
    resource, guest = writing(
        **TCP, **capped, migration_downtime_max="0", migration_postcopy="yes"
    )

    answer = resource.migrate_to(alpha, beta, timeout_s=24).answer()

    assert (answer.code, answer.killed) == (0, False)
    assert arrived_whole(alpha, beta, resource, guest)


def test_a_job_that_cannot_be_switched_to_post_copy_is_aborted_in_time(
    alpha: Host, beta: Host, writing: Writing
) -> None:
    """One that was begun before post-copy was asked for, and is joined."""
    capped = {"migration_speed": "32", "migration_auto_converge": "no"}
    resource, guest = writing(**TCP, **capped, migration_downtime_max="0")
    migrating = resource.but(migration_mode="p2p").migrate_to(alpha, beta)
    until(10, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")
    migrating.kill()

    later = resource.but(migrate_options="--postcopy-after-precopy")
    answer = later.migrate_to(alpha, beta, timeout_s=10).answer()

    assert (answer.code, answer.killed) == (1, False)
    guests.await_tick(alpha, guest)
    assert no_job(alpha, guest)
    until(5, lambda: not beta.emulators(guest.uuid), "half a guest stays on beta")
