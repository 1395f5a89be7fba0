"""Migrations that are interrupted, and what Pacemaker does then: never two copies."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from typing import Callable

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import Resource
from hosts.waiting import until
from lab.guest import Guest

Running = Callable[..., tuple[Resource, Guest]]
TCP = {"migration_transport": "tcp"}


def recovered(
    source: Host, target: Host, resource: Resource, guest: Guest, stop_s: float = 20
) -> Iterator[str]:
    """Do what follows a failed migrate_to: stop on both nodes, start once.

    Yields what is wrong.
    """
    for host in (target, source):
        stopped = resource.call(host, "stop", stop_s)
        if stopped.code != 0:
            yield f"stop on {host.name}: {stopped}"
        if host.emulators(guest.uuid):
            yield f"stop on {host.name} answered {stopped.code}; it runs there"
    started = resource.call(target, "start")
    if started.code != 0:
        yield f"start on {target.name}: {started}"
    if source.emulators(guest.uuid):
        yield f"it runs on {source.name} as well"


def boots_that_count(host: Host, guest: Guest) -> set[str]:
    """Return the boots that go on counting on a host during a moment."""
    before = guests.ticks(host, guest)
    time.sleep(0.5)
    return {tick.boot for tick in guests.ticks(host, guest)[len(before) :]}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("mode", ["direct", "p2p"])
def test_an_agent_killed_at_any_moment_leaves_one_guest_at_most(
    alpha: Host, beta: Host, running: Running, seed: int, is_long: bool, mode: str
) -> None:
    """With p2p the daemon carries on: the guest may still move while it is stopped."""
    chance = random.Random(seed)
    resource, guest = running(**TCP, force_stop="yes", migration_mode=mode)
    hosts = [alpha, beta]
    for turn in range(20 if is_long else 2):
        source, target = hosts
        moment_s = chance.uniform(0.05, 0.7)
        migrating = resource.migrate_to(source, target)
        time.sleep(moment_s)
        migrating.kill()

        here, there = set[str](), set[str]()
        if mode == "direct":
            here, there = (boots_that_count(host, guest) for host in hosts)

        place = f"turn {turn}, killed after {moment_s:.2f} s, seed {seed}"
        assert not (here and there), f"two copies: {place}"
        faults = list(recovered(source, target, resource, guest))
        assert not faults, f"{faults} ({place})"
        guests.await_tick(target, guest)
        hosts.reverse()


def test_a_stop_on_both_ends_of_a_frozen_migration_ends_it(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP, migration_speed="1", force_stop="yes")
    migrating = resource.migrate_to(alpha, beta)
    until(10, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")
    time.sleep(0.5)
    agents = [pid for pid, argv in alpha.processes() if argv[-1] == "migrate_to"]
    for pid in agents:
        os.kill(pid, signal.SIGSTOP)

    faults = list(recovered(alpha, beta, resource, guest))

    migrating.kill()
    assert agents
    assert not faults


def test_a_source_whose_libvirt_dies_midway_keeps_its_guest(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP, migration_speed="1")
    migrating = resource.migrate_to(alpha, beta, timeout_s=12)
    until(10, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")

    alpha.signal_libvirtd(signal.SIGKILL)
    answer = migrating.answer()
    alpha.revive()

    assert (answer.code, answer.killed) == (1, False)
    assert len(answer.reasons) == 1
    guests.await_tick(alpha, guest)
    assert not boots_that_count(beta, guest)
    assert not list(recovered(alpha, beta, resource, guest))


def test_a_target_whose_libvirt_freezes_midway_ends_in_time(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP, migration_speed="1", force_stop="yes")
    migrating = resource.migrate_to(alpha, beta, timeout_s=10)
    until(10, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")

    beta.signal_libvirtd(signal.SIGSTOP)
    answer = migrating.answer()

    assert (answer.code, answer.killed) == (1, False)
    guests.await_tick(alpha, guest)
    stopped = resource.call(beta, "stop")
    assert stopped.code == 0
    assert beta.emulators(guest.uuid) == []


def test_a_paused_guest_arrives_paused(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP)
    alpha.virsh("suspend", guest.name)

    assert resource.migrate_to(alpha, beta).answer().code == 0
    assert resource.migrate_from(alpha, beta).code == 0
    assert beta.virsh("domstate", guest.name) == "paused"
    assert resource.call(alpha, "stop").code == 0
    beta.virsh("resume", guest.name)
    guests.await_tick(beta, guest)


def lose_the_other_network(host: Host, other: Host) -> None:
    """Let what a host sends to NAME-mig of the other vanish, without an answer."""
    address = host.run("getent", "hosts", f"{other.name}-mig").stdout.split()[0]
    nobody = ("lladdr", "02:00:00:00:00:99", "nud", "permanent")
    host.run("ip", "neigh", "replace", address, *nobody, "dev", "eth0")


@pytest.fixture
def found_again(alpha: Host, beta: Host) -> Iterator[None]:
    """Mend the other network after the test."""
    yield
    for host in (alpha, beta):
        host.run("ip", "neigh", "flush", "all", "nud", "permanent", check=False)


@pytest.mark.parametrize("is_midway", [False, True], ids=["from the start", "midway"])
def test_a_data_port_that_drops_everything_costs_the_migration_and_not_the_guest(
    alpha: Host, beta: Host, running: Running, found_again: None, is_midway: bool
) -> None:
    """The control connection is well; libvirt's own calls hang over the data."""
    other = {"migrateuri": "tcp://%n-mig", "migration_speed": "1"}
    resource, guest = running(**TCP, **other, force_stop="yes")
    if not is_midway:
        lose_the_other_network(alpha, beta)
    migrating = resource.migrate_to(alpha, beta, timeout_s=9)
    if is_midway:
        until(10, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")
        time.sleep(1)
        lose_the_other_network(alpha, beta)

    answer = migrating.answer()

    assert (answer.code, answer.killed) == (1, False)
    guests.await_tick(alpha, guest)
    assert not boots_that_count(beta, guest)
    assert not list(recovered(alpha, beta, resource, guest, stop_s=12))


def test_half_a_guest_that_a_dead_libvirt_left_on_the_target_is_cleared_by_a_stop(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP, migration_speed="1")
    migrating = resource.migrate_to(alpha, beta, timeout_s=10)
    until(10, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")

    beta.signal_libvirtd(signal.SIGKILL)
    answer = migrating.answer()

    assert (answer.code, answer.killed) == (1, False)
    guests.await_tick(alpha, guest)
    assert resource.call(beta, "stop").code == 0, "without libvirt, by UUID"
    assert beta.emulators(guest.uuid) == []
    beta.revive()
    assert not list(recovered(alpha, beta, resource, guest))
