"""The ways a guest's memory can travel, each seen at work while a guest crosses.

A capped migration is watched, by QEMU's monitor and the connections between the hosts,
and then let go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

import pytest
from hosts import guests
from hosts.certificates import Authority, distrust
from hosts.host import Host
from hosts.operation import Answer, Resource
from hosts.waiting import until
from lab.guest import Guest

Running = Callable[..., tuple[Resource, Guest]]
TCP = {"migration_transport": "tcp"}
LIBVIRT, FIRST_DATA = 16509, 49152
STAYED = ("still executes at the source", "untouched")


@dataclass(frozen=True)
class Link:
    """A connection between the hosts: where it leads, and who began it."""

    address: str
    port: int
    program: str


@dataclass(frozen=True)
class Seen:
    """What there is to see of a migration under way."""

    capabilities: set[str]
    parameters: dict[str, Any]
    links: list[Link]

    @property
    def data(self) -> list[Link]:
        """The connections over which QEMU sends to QEMU."""
        return [link for link in self.links if link.port >= FIRST_DATA]

    @property
    def daemons(self) -> list[Link]:
        """The connections over which libvirt speaks with libvirt, without the agent."""
        found = [link for link in self.links if link.port == LIBVIRT]
        return [link for link in found if link.program == "libvirtd"]


@pytest.fixture
def authority(alpha: Host, beta: Host) -> Iterator[Authority]:
    """An authority whose certificates both hosts have."""
    signing = Authority()
    for host in (alpha, beta):
        signing.trust(host)
    yield signing
    for host in (alpha, beta):
        distrust(host)


def monitor(host: Host, guest: Guest, question: str) -> Any:
    """Ask QEMU past libvirt."""
    asked = json.dumps({"execute": question})
    said = host.virsh("qemu-monitor-command", guest.name, asked, check=False)
    return json.loads(said)["return"] if said else {}


def links(source: Host) -> list[Link]:
    """Return the connections that begin at a host and lead to the other."""
    found = []
    for line in source.run("ss", "-Htnp", "state", "established").stdout.splitlines():
        _, _, _, there, *holder = line.split()
        address, _, port = there.rpartition(":")
        program = holder[0].split('"')[1] if holder else ""
        found.append(Link(address, int(port), program))
    return found


def look(source: Host, guest: Guest) -> Seen:
    """Look at a migration under way."""
    told = monitor(source, guest, "query-migrate-capabilities")
    able = {one["capability"] for one in told if one["state"]}
    parameters = monitor(source, guest, "query-migrate-parameters")
    return Seen(able, parameters, links(source))


def cross(source: Host, target: Host, resource: Resource, guest: Guest) -> Seen:
    """Bring a guest over as Pacemaker does, and return what was seen on the way."""
    migrating = resource.but(migration_speed="1").migrate_to(source, target)
    active = {"status": "active"}.items()
    until(
        15,
        lambda: active <= monitor(source, guest, "query-migrate").items(),
        "no migration begins",
    )
    seen = look(source, guest)
    assert not migrating.is_over()
    source.virsh("migrate-setspeed", guest.name, "1000")

    answer = migrating.answer()
    assert (answer.code, answer.killed) == (0, False), answer
    assert resource.migrate_from(source, target).code == 0
    assert resource.call(source, "stop").code == 0
    guests.await_tick(target, guest)
    assert source.emulators(guest.uuid) == []
    assert len(target.emulators(guest.uuid)) == 1
    return seen


def unbroken(alpha: Host, beta: Host, guest: Guest) -> bool:
    """Each number of the counter was written once, by one boot, wherever it was."""
    every = guests.ticks(alpha, guest) + guests.ticks(beta, guest)
    numbers = sorted(tick.count for tick in every)
    # A line that was being written when the guest crossed may be torn in two.
    gaps = [b - a for a, b in zip(numbers, numbers[1:]) if b - a != 1]
    return len({tick.boot for tick in every}) == 1 and gaps in ([], [2], [2, 2])


def untouched(alpha: Host, beta: Host, guest: Guest, answer: Answer) -> bool:
    """It counts on at its source alone, and one sentence says that it stayed."""
    guests.await_tick(alpha, guest)
    stayed = any(words in answer.reason for words in STAYED)
    said = len(answer.reasons) == 1 and stayed
    alone = len(alpha.emulators(guest.uuid)) == 1 and not beta.emulators(guest.uuid)
    whole = unbroken(alpha, beta, guest) and not guests.ticks(beta, guest)
    return answer.code == 1 and not answer.killed and said and alone and whole


def test_a_guest_crosses_over_parallel_connections_and_back_compressed(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP)

    seen = cross(alpha, beta, resource.but(migration_parallel="2"), guest)
    assert "multifd" in seen.capabilities
    assert seen.parameters["multifd-channels"] == 2
    assert len(seen.data) == 3, "two, and the one for what is not memory"
    assert not seen.daemons, "by default the agent drives both daemons"

    seen = cross(beta, alpha, resource.but(migration_compression="xbzrle"), guest)
    assert "xbzrle" in seen.capabilities
    assert "Compression cache" in alpha.virsh("domjobinfo", "--completed", guest.name)
    assert len(seen.data) == 1
    assert unbroken(alpha, beta, guest)


def test_a_guest_crosses_by_the_daemons_and_back_through_their_own_connection(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP)

    by_threads = {"migration_mode": "p2p", "migration_compression": "mt"}
    seen = cross(alpha, beta, resource.but(**by_threads), guest)
    assert "compress" in seen.capabilities
    assert len(seen.daemons) == 1
    assert len(seen.data) == 1

    seen = cross(beta, alpha, resource.but(migration_mode="tunnelled"), guest)
    assert len(seen.daemons) == 1
    assert not seen.data
    assert unbroken(alpha, beta, guest)


def test_what_a_way_cannot_have_is_left_out_and_the_guest_crosses(
    alpha: Host, beta: Host, running: Running
) -> None:
    resource, guest = running(**TCP, migration_parallel="2")

    apart = {"migration_network_suffix": "-mig", "migrateport": "49999"}
    tunnelled = {"migration_mode": "tunnelled", "migration_postcopy": "yes"}
    seen = cross(alpha, beta, resource.but(**apart, **tunnelled), guest)
    assert {link.address for link in seen.daemons} == {"10.97.1.2"}
    assert not seen.data
    assert not {"multifd", "postcopy-ram"} & seen.capabilities

    seen = cross(beta, alpha, resource.but(migration_compression="mt"), guest)
    assert "multifd" in seen.capabilities
    assert "compress" not in seen.capabilities
    assert unbroken(alpha, beta, guest)


def test_a_guest_crosses_encrypted_and_back_over_parallel_connections(
    alpha: Host, beta: Host, running: Running, authority: Authority
) -> None:
    resource, guest = running(**TCP, migration_tls="yes")

    seen = cross(alpha, beta, resource, guest)
    assert seen.parameters["tls-creds"]
    assert len(seen.data) == 1

    many = {"migration_mode": "p2p", "migration_parallel": "2"}
    seen = cross(beta, alpha, resource.but(**many), guest)
    assert seen.parameters["tls-creds"]
    assert len(seen.data) == 3
    assert unbroken(alpha, beta, guest)


@pytest.mark.parametrize("mode", ["direct", "p2p"])
def test_a_target_without_certificates_does_not_get_the_guest_in_the_clear(
    alpha: Host, beta: Host, running: Running, authority: Authority, mode: str
) -> None:
    resource, guest = running(**TCP, migration_tls="yes", migration_mode=mode)
    distrust(beta)

    answer = resource.migrate_to(alpha, beta).answer()

    assert untouched(alpha, beta, guest, answer), answer
    assert "migration_tls needs certificates" in answer.reason


def test_a_target_whose_certificate_is_not_its_own_does_not_get_the_guest(
    alpha: Host, beta: Host, running: Running, authority: Authority
) -> None:
    resource, guest = running(**TCP, migration_tls="yes")

    for signing, name in ((Authority(), "beta"), (authority, "gamma")):
        signing.trust(beta, name)
        answer = resource.migrate_to(alpha, beta, timeout_s=12).answer()
        assert untouched(alpha, beta, guest, answer), answer
        assert "migration_tls needs certificates" in answer.reason


def test_what_cannot_be_encrypted_is_not_sent_in_the_clear(
    alpha: Host, beta: Host, running: Running
) -> None:
    both = {"migration_mode": "tunnelled", "migration_tls": "yes"}
    resource, guest = running(**TCP, **both)

    answer = resource.migrate_to(alpha, beta).answer()

    assert untouched(alpha, beta, guest, answer), answer
    assert "migration_mode=p2p" in answer.reason
