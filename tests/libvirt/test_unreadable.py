"""The guest runs and its file or a parameter is bad: nobody may believe it stopped.

Probe is neither 7 nor 5 (Pacemaker reads both as "not running"), stop is 0 only when
the QEMU process is really gone. VirtualDomain fails the same scenarios: the proof that
they can fail.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import PEER, Answer, Resource
from lab.guest import Guest

Fresh = Callable[..., Guest]
Running = Callable[..., tuple[Resource, Guest]]
Spoil = Callable[[Path], None]


def _missing(config: Path) -> None:
    config.unlink()


def _directory(config: Path) -> None:
    config.unlink()
    config.mkdir()


def _fifo(config: Path) -> None:
    config.unlink()
    os.mkfifo(config)


def _io_error(config: Path) -> None:
    """Reading one's own memory at address 0 is EIO, as on a dead disk."""
    config.unlink()
    config.symlink_to("/proc/self/mem")


def _empty(config: Path) -> None:
    config.write_text("")


def _broken(config: Path) -> None:
    config.write_text("<domain><name>broken</name>")


def _nameless(config: Path) -> None:
    config.write_text("<domain type='qemu'><memory>1</memory></domain>")


SPOILS = [_missing, _directory, _fifo, _io_error, _empty, _broken, _nameless]

NONSENSE = {
    "hypervisor": ["nonsense", "test:///default", "lxc:///system", "qemu:///session"],
    "shutdown_mode": ["politely"],
    "migration_transport": ["a b"],
    "migrateuri": ["a b"],
    "remoteuri": ["nonsense"],
    "migration_network_suffix": ["a b"],
    "migration_downtime": ["-1"],
    "migration_speed": ["fast"],
    "monitor_scripts": ["relative/path"],
    "start_resources": ["maybe"],
}
WRONG = [(name, value) for name, values in NONSENSE.items() for value in values]


def safe_probe(answer: Answer) -> bool:
    return answer.code not in (5, 7) and not answer.killed


def safe_stop(alpha: Host, guest: Guest, answer: Answer) -> bool:
    gone = not alpha.emulators(guest.uuid)
    return not answer.killed and (answer.code == 1 or (answer.code == 0 and gone))


def launched(alpha: Host, agent: Path, guest: Guest) -> Resource:
    """Start a guest that need not have booted: it is not going to be asked."""
    resource = guests.resource(agent, guest, force_stop="yes")
    assert resource.call(alpha, "start").code == 0
    return resource


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: str(spoil.__name__[1:]))
def test_an_unreadable_config_never_hides_a_running_guest(
    alpha: Host, agent: Path, fresh: Fresh, spoil: Spoil
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest)
    spoil(alpha.path(guests.config_path(guest)))

    assert safe_probe(resource.call(alpha, "monitor"))
    assert safe_probe(resource.call(alpha, "monitor", interval_s=10))
    stopped = resource.call(alpha, "stop")

    assert safe_stop(alpha, guest, stopped)
    assert stopped.code == 0, "the record names the guest, so it can be stopped"


def test_without_its_config_a_guest_is_still_stopped_gracefully(
    alpha: Host, running: Running
) -> None:
    resource, guest = running()
    alpha.path(guests.config_path(guest)).unlink()

    assert resource.call(alpha, "stop").code == 0

    assert "Power down" in guests.console(alpha, guest)


def test_without_config_and_record_a_running_guest_is_neither_denied_nor_stopped(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest)
    alpha.path(guests.config_path(guest)).unlink()
    alpha.path(f"/run/vmha/guests/{guest.name}.guest").unlink()

    probe = resource.call(alpha, "monitor")
    stopped = resource.call(alpha, "stop")

    assert (probe.code, stopped.code) == (1, 1)
    assert guests.config_path(guest) in probe.reason
    assert alpha.emulators(guest.uuid)


def test_without_config_and_record_a_node_without_guests_answers_not_running(
    beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    beta.path(guests.config_path(guest)).unlink()
    resource = guests.resource(agent, guest)

    assert resource.call(beta, "monitor").code == 7
    assert resource.call(beta, "stop").code == 0


def test_guests_of_other_resources_do_not_count_as_unknown_ones(
    beta: Host, agent: Path, fresh: Fresh
) -> None:
    other, guest = fresh(), fresh()
    assert guests.resource(agent, other).call(beta, "start").code == 0
    beta.path(guests.config_path(guest)).unlink()
    resource = guests.resource(agent, guest)

    assert resource.call(beta, "monitor").code == 7
    assert resource.call(beta, "stop").code == 0
    assert beta.emulators(other.uuid)


@pytest.mark.parametrize(("name", "value"), WRONG, ids=str)
def test_a_nonsensical_parameter_never_hides_a_running_guest(
    alpha: Host, agent: Path, fresh: Fresh, name: str, value: str
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest).but(**{name: value})

    assert safe_probe(resource.call(alpha, "monitor"))
    recurring = resource.call(alpha, "monitor", interval_s=10)
    assert recurring.code == 0, "a typo does not take a healthy guest down"
    assert safe_stop(alpha, guest, resource.call(alpha, "stop", timeout_s=8))
    assert alpha.emulators(guest.uuid) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"config": "relative.xml"},
        {"config": None},
        {"domain": "another"},
        {"force_stop": "perhaps"},
    ],
    ids=["relative", "none", "both", "force_stop"],
)
def test_a_nonsensical_identity_never_hides_a_running_guest(
    alpha: Host, agent: Path, fresh: Fresh, changed: dict[str, str | None]
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest).but(**changed)

    assert safe_probe(resource.call(alpha, "monitor"))
    assert safe_probe(resource.call(alpha, "monitor", interval_s=10))
    assert safe_stop(alpha, guest, resource.call(alpha, "stop", timeout_s=10))


def test_the_peer_fails_with_a_missing_config(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest).by(PEER).but(force_stop=None)
    alpha.path(guests.config_path(guest)).unlink()

    assert not safe_probe(resource.call(alpha, "monitor"))
    assert not safe_stop(alpha, guest, resource.call(alpha, "stop"))


def test_the_peer_fails_with_a_bad_number(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = launched(alpha, agent, guest).by(PEER).but(migration_speed="fast")

    assert not safe_probe(resource.call(alpha, "monitor"))
    assert not safe_stop(alpha, guest, resource.call(alpha, "stop"))
