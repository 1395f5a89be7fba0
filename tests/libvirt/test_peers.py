"""A guest that was moved or started by hand on another node gets no second copy."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from hosts import cluster, guests
from hosts.host import Host
from hosts.operation import Answer, Resource
from lab.guest import Guest

Fresh = Callable[..., Guest]
OWN_S = 1.2  # what a start takes without peers, on a machine with other work


@pytest.fixture
def together(alpha: Host, beta: Host) -> Iterator[tuple[Host, Host]]:
    """alpha and beta, each of which hears from Pacemaker that both are online."""
    for host in (alpha, beta):
        cluster.online(host, "alpha", "beta")
    yield alpha, beta
    for host in (alpha, beta):
        cluster.gone(host)


def of(agent: Path, guest: Guest, **parameters: str) -> Resource:
    """Return a resource whose nodes reach each other."""
    chosen = {"migration_transport": "tcp", "force_stop": "yes", **parameters}
    return guests.resource(agent, guest, **chosen)


def refused(host: Host, guest: Guest, answer: Answer) -> bool:
    """The start failed, says where the guest is, and began nothing."""
    begun = host.path(f"/var/log/libvirt/qemu/{guest.name}.log").exists()
    says = "beta" in answer.reason and "nothing was started" in answer.reason
    record = host.path(f"/run/vmha/guests/{guest.name}.guest").exists()
    return answer.code == 1 and says and not (begun or record)


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_a_guest_started_by_hand_elsewhere_is_not_started_but_found_there(
    together: tuple[Host, Host], agent: Path, fresh: Fresh, paused: bool
) -> None:
    alpha, beta = together
    guest = fresh()
    resource = of(agent, guest)
    by_hand = ["create", guests.config_path(guest), *(["--paused"] if paused else [])]
    beta.virsh(*by_hand)

    assert refused(alpha, guest, resource.call(alpha, "start"))
    assert resource.call(alpha, "monitor").code == 7
    assert resource.call(beta, "monitor").code == 0
    assert resource.call(beta, "start").code == 0
    assert resource.call(beta, "stop").code == 0
    assert resource.call(alpha, "start").code == 0


def test_a_guest_without_a_uuid_is_looked_for_by_its_name(
    together: tuple[Host, Host], agent: Path, fresh: Fresh
) -> None:
    alpha, beta = together
    guest = fresh()
    anonymous = guest.xml().replace(f"<uuid>{guest.uuid}</uuid>", "")
    for host in (alpha, beta):
        guests.put_config(host, guest, anonymous)
    beta.virsh("create", guests.config_path(guest))

    answer = of(agent, guest).call(alpha, "start")

    beta.virsh("destroy", guest.name)
    assert refused(alpha, guest, answer)


def test_another_guest_of_that_name_elsewhere_is_no_second_copy(
    together: tuple[Host, Host], agent: Path, fresh: Fresh
) -> None:
    alpha, beta = together
    guest = fresh()
    guests.put_config(beta, guest, guests.other_uuid(guest))
    beta.virsh("create", guests.config_path(guest))

    answer = of(agent, guest).call(alpha, "start")

    beta.virsh("destroy", guest.name)
    assert answer.code == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_silent_peer_keeps_the_guest_down_for_a_second_only_unless_it_may_not_start(
    together: tuple[Host, Host], agent: Path, fresh: Fresh, number: signal.Signals
) -> None:
    alpha, beta = together
    guest = fresh()
    beta.signal_libvirtd(number)

    strict = of(agent, guest, peer_unknown="fail").call(alpha, "start")
    begun = alpha.emulators(guest.uuid)
    answer = of(agent, guest).call(alpha, "start")

    assert (strict.code, begun) == (1, [])
    assert "peer_unknown=fail" in strict.reason
    assert "beta" in strict.reason
    assert answer.code == 0
    assert answer.seconds < 1.0 + OWN_S
    assert len(alpha.emulators(guest.uuid)) == 1


def test_without_pacemaker_a_guest_starts_unless_an_unknown_peer_forbids_it(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    cluster.online(alpha, "alpha")
    cluster.gone(alpha)
    guest = fresh()

    strict = of(agent, guest, peer_unknown="fail").call(alpha, "start")
    answer = of(agent, guest).call(alpha, "start")

    assert strict.code == 1
    assert "Pacemaker" in strict.reason
    assert answer.code == 0


def test_an_ssh_that_never_answers_does_not_outlive_the_start(
    together: tuple[Host, Host], agent: Path, fresh: Fresh
) -> None:
    """Its port drops everything, so ssh alone would wait for minutes."""
    alpha, _ = together
    guest = fresh()
    cluster.online(alpha, "alpha", "10.97.0.77", "10.97.0.78")
    alpha.run("ip", "route", "add", "blackhole", "10.97.0.78")
    resource = of(agent, guest, migration_transport="ssh")

    answer = resource.call(alpha, "start")
    time.sleep(0.1)

    alpha.run("ip", "route", "del", "blackhole", "10.97.0.78")
    assert answer.code == 0
    assert answer.seconds < 1.0 + OWN_S
    assert [a for _, a in alpha.processes() if a[0].endswith("ssh")] == []
