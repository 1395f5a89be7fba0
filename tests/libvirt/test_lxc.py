"""Containers of libvirt's lxc driver through the same agent: two witnesses for each.

A container is its controller and its first process. Either may be left alone by the
other, and a libvirt that comes back forgets a container whose controller has died.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from hosts.containers import URI, Container
from hosts.host import Host
from hosts.operation import Resource
from hosts.waiting import never, until
from lab.guest import Guest

Defined = Callable[..., Container]
Started = Callable[..., tuple[Resource, Container]]
MONITOR_S = 5.0
_numbers = itertools.count(1)


@pytest.fixture
def defined(alpha: Host, beta: Host) -> Iterator[Defined]:
    """Make containers that are defined on both hosts and run nowhere."""
    taken = []

    def make(deaf: bool = False) -> Container:
        container = Container(f"c{next(_numbers)}-{os.getpid()}", deaf)
        for host in (alpha, beta):
            container.put_on(host)
        taken.append(container)
        return container

    yield make
    for host in (alpha, beta):
        for container in taken:
            container.end(host)
            record = host.path(f"/run/vmha/guests/{container.name}.guest")
            record.unlink(missing_ok=True)


@pytest.fixture
def started(alpha: Host, agent: Path, defined: Defined) -> Started:
    """Give containers that count on alpha, each in the hands of a resource."""

    def start(deaf: bool = False, **parameters: str) -> tuple[Resource, Container]:
        container = defined(deaf)
        resource = container.resource(agent, **parameters)
        answer = resource.call(alpha, "start")
        assert answer.code == 0, answer
        container.await_tick(alpha)
        return resource, container

    return start


def _lives(host: Host, container: Container) -> bool:
    return bool(container.processes(host))


def _lxc(host: Host, *argv: str, check: bool = True) -> str:
    done = host.run("virsh", "-q", "-c", URI, *argv, check=check)
    return done.stdout.strip()


def test_a_container_is_started_monitored_and_stopped(
    alpha: Host, agent: Path, defined: Defined
) -> None:
    container = defined()
    resource = container.resource(agent)
    assert resource.call(alpha, "monitor").code == 7

    assert resource.call(alpha, "start").code == 0
    container.await_tick(alpha)
    assert resource.call(alpha, "start").code == 0
    assert resource.call(alpha, "monitor").code == 0
    assert resource.call(alpha, "monitor", interval_s=10).code == 0

    stopped = resource.call(alpha, "stop")
    assert stopped.code == 0
    assert stopped.seconds < 5, "it obeys, so it is not waited for"
    assert not _lives(alpha, container)
    assert resource.call(alpha, "monitor").code == 7
    assert resource.call(alpha, "stop").code == 0


def test_a_container_that_ignores_the_signal_is_destroyed(
    alpha: Host, started: Started
) -> None:
    resource, container = started(deaf=True)
    assert resource.call(alpha, "stop", timeout_s=8).code == 0
    assert not _lives(alpha, container)


def test_shutdown_methods_that_containers_have_not_cost_no_time(
    alpha: Host, started: Started
) -> None:
    resource, container = started(shutdown_mode="agent,acpi,signal")
    stopped = resource.call(alpha, "stop", timeout_s=60)
    assert (stopped.code, _lives(alpha, container)) == (0, False)
    assert stopped.seconds < 4


def test_a_persistent_container_is_started_by_its_name(
    alpha: Host, agent: Path, defined: Defined
) -> None:
    container = defined()
    _lxc(alpha, "define", container.config)
    resource = container.resource(agent).but(config=None, domain=container.name)
    assert resource.call(alpha, "start").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert not _lives(alpha, container)
    _lxc(alpha, "undefine", container.name)


def test_without_its_file_a_container_is_seen_and_stopped(
    alpha: Host, started: Started
) -> None:
    resource, container = started()
    alpha.path(container.config).unlink()
    assert resource.call(alpha, "monitor").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert not _lives(alpha, container)


def test_without_file_and_record_a_running_container_is_never_not_running(
    alpha: Host, started: Started
) -> None:
    resource, container = started()
    alpha.path(container.config).unlink()
    alpha.path(f"/run/vmha/guests/{container.name}.guest").unlink()
    for silence in (False, True):
        if silence:
            alpha.signal_libvirtd(signal.SIGKILL)
        assert resource.call(alpha, "monitor").code == 1
        assert resource.call(alpha, "stop").code == 1
    assert _lives(alpha, container)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_under_a_silent_libvirt_a_container_is_seen_and_stopped_with_proof(
    alpha: Host, agent: Path, defined: Defined, started: Started, number: signal.Signals
) -> None:
    resource, container = started()
    _, bystander = started()
    absent = defined().resource(agent)
    alpha.signal_libvirtd(number)

    for interval_s in (0, 10):
        seen = resource.call(alpha, "monitor", interval_s=interval_s)
        assert seen.code == 0, seen
        assert seen.seconds < MONITOR_S
    assert absent.call(alpha, "monitor").code == 7
    assert absent.call(alpha, "stop", timeout_s=5).code == 0

    stopped = resource.call(alpha, "stop", timeout_s=10)
    assert stopped.code == 0, stopped
    assert not _lives(alpha, container)
    assert not container.controller(alpha)
    bystander.await_tick(alpha)


def test_a_container_that_has_lost_its_controller_still_counts_as_one(
    alpha: Host, started: Started
) -> None:
    resource, container = started()
    alpha.signal_libvirtd(signal.SIGKILL)
    os.kill(container.controller(alpha), signal.SIGKILL)
    until(5, lambda: not container.controller(alpha), "the controller lives")
    container.await_tick(alpha)

    assert resource.call(alpha, "monitor").code == 0
    alpha.revive()
    assert "shut off" in _lxc(alpha, "list", "--all")
    container.await_tick(alpha)
    seen = resource.call(alpha, "monitor", interval_s=10)
    assert seen.code == 1, "libvirt calls it shut off; it lives"
    assert resource.call(alpha, "start").code == 1, "no second one beside it"

    assert resource.call(alpha, "stop").code == 0
    assert not _lives(alpha, container)


def test_when_the_controller_dies_libvirt_ends_the_container(
    alpha: Host, started: Started
) -> None:
    resource, container = started()
    os.kill(container.controller(alpha), signal.SIGKILL)
    until(5, lambda: not _lives(alpha, container), "its processes live on")
    assert resource.call(alpha, "monitor", interval_s=10).code == 7
    assert resource.call(alpha, "stop").code == 0


@pytest.mark.parametrize("which", ["controller", "first_process"])
def test_a_frozen_half_of_a_container_is_stopped_in_time(
    alpha: Host, started: Started, which: str
) -> None:
    resource, container = started()
    os.kill(getattr(container, which)(alpha), signal.SIGSTOP)
    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    stopped = resource.call(alpha, "stop", timeout_s=8)
    assert stopped.code == 0, stopped
    assert not _lives(alpha, container)
    assert not container.controller(alpha)


def test_a_paused_container_is_ended_without_libvirt(
    alpha: Host, started: Started
) -> None:
    resource, container = started()
    _lxc(alpha, "suspend", container.name)
    alpha.signal_libvirtd(signal.SIGKILL)
    stopped = resource.call(alpha, "stop", timeout_s=8)
    assert stopped.code == 0, stopped
    assert not _lives(alpha, container)


def test_a_paused_container_is_resumed_and_obeys(alpha: Host, started: Started) -> None:
    resource, container = started()
    _lxc(alpha, "suspend", container.name)
    assert resource.call(alpha, "stop").code == 0
    assert not _lives(alpha, container)


def test_a_namesake_with_another_uuid_is_neither_claimed_nor_harmed(
    alpha: Host, agent: Path, defined: Defined
) -> None:
    container = defined()
    other = "0" * 8 + container.uuid[8:]
    alpha.path("/run/guests/namesake.xml").write_text(container.xml(other))
    _lxc(alpha, "create", "/run/guests/namesake.xml")
    container.await_tick(alpha)
    resource = container.resource(agent)

    assert resource.call(alpha, "monitor").code == 7
    refused = resource.call(alpha, "start")
    assert refused.code == 1
    assert other in refused.reason
    assert resource.call(alpha, "stop").code == 0
    alpha.signal_libvirtd(signal.SIGKILL)
    assert resource.call(alpha, "monitor").code == 7
    assert resource.call(alpha, "stop", timeout_s=10).code == 0
    container.await_tick(alpha)


def test_a_controller_of_which_only_the_name_is_known_is_not_taken_for_gone(
    alpha: Host, started: Started
) -> None:
    resource, container = started()
    alpha.signal_libvirtd(signal.SIGKILL)
    alpha.path(f"/run/libvirt/lxc/{container.name}.xml").unlink()
    first = container.first_process(alpha)
    os.kill(first, signal.SIGSTOP)
    assert resource.call(alpha, "monitor").code == 0, "its environment tells the UUID"
    os.kill(container.controller(alpha), signal.SIGSTOP)
    os.kill(first, signal.SIGKILL)
    until(5, lambda: not _lives(alpha, container), "its first process lives on")

    assert resource.call(alpha, "monitor").code == 1
    stopped = resource.call(alpha, "stop", timeout_s=5)
    assert stopped.code == 1, "a controller without a name for its guest may be ours"


def test_a_changed_hypervisor_does_not_hide_what_runs(
    alpha: Host, started: Started
) -> None:
    resource, container = started()
    for hypervisor in ("qemu:///system", "nonsense"):
        changed = resource.but(hypervisor=hypervisor)
        assert changed.call(alpha, "monitor").code != 7
        assert changed.call(alpha, "monitor", interval_s=10).code != 7
        assert _lives(alpha, container)
    assert resource.but(hypervisor="qemu:///system").call(alpha, "stop").code == 0
    assert not _lives(alpha, container)


def test_a_machine_whose_resource_became_a_containers_is_stopped_all_the_same(
    alpha: Host, agent: Path, running: Callable[..., tuple[Resource, Guest]]
) -> None:
    machine, guest = running(force_stop="yes")
    changed = machine.but(hypervisor=URI)
    assert changed.call(alpha, "monitor").code != 7
    alpha.path(f"/run/vmha/guests/{guest.name}.guest").unlink()
    assert changed.call(alpha, "monitor").code != 7
    assert changed.call(alpha, "stop", timeout_s=15).code == 0
    assert alpha.emulators(guest.uuid) == []


def test_a_migration_does_not_touch_a_container(
    alpha: Host, beta: Host, started: Started
) -> None:
    resource, container = started()
    answer = resource.migrate_to(alpha, beta, timeout_s=10).answer()
    assert answer.code == 1
    assert "lxc driver cannot migrate" in answer.reason
    never(0.5, lambda: not _lives(alpha, container), "it was touched")
    assert not _lives(beta, container)
