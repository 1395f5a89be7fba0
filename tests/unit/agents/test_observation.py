"""Observation: two witnesses, their costs and their silences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import libvirt
import pytest

from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Unreachable
from vmha.agents.vm.emulator import LXC, QEMU, Emulator
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.observation import Observer
from vmha.agents.vm.record import Record, RecordStore
from vmha.agents.vm.states import Presence, Process

UUID = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
URI = "qemu:///system"


class Domain:
    def __init__(self, name: str, uuid: str, state: int, reason: int = 0) -> None:
        self._name, self._uuid, self._state = name, uuid, (state, reason)

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's name
        return self._uuid

    def state(self) -> tuple[int, int]:
        return self._state


class Libvirt:
    """The parts of a libvirt connection that a look needs."""

    def __init__(self, *domains: Domain) -> None:
        self.domains = domains

    def _find(self, holds: Callable[[Domain], bool]) -> Domain:
        for domain in self.domains:
            if holds(domain):
                return domain
        error = libvirt.libvirtError("no domain")
        error.err = (libvirt.VIR_ERR_NO_DOMAIN, 0, "no domain", 0, "", "", "", 0, 0)
        raise error

    def lookupByName(self, name: str) -> Domain:  # noqa: N802 - libvirt's name
        return self._find(lambda domain: domain.name() == name)

    def lookupByUUIDString(self, uuid: str) -> Domain:  # noqa: N802 - libvirt's name
        return self._find(lambda domain: domain.UUIDString() == uuid)

    def listAllDomains(self, _flags: int) -> list[Domain]:  # noqa: N802 - libvirt's name
        return list(self.domains)


class Table:
    def __init__(self, *emulators: Emulator, readable: bool = True) -> None:
        self.found = list(emulators)
        self.readable = readable
        self.asked = 0
        self.of_anybody = False

    def emulators(self, of_anybody: bool = False) -> list[Emulator] | None:
        self.asked += 1
        self.of_anybody = of_anybody
        return self.found if self.readable else None

    def age_s(self, pid: int) -> float | None:
        return {1: 5.0, 2: 7200.0}.get(pid)


class FakeObserver(Observer):
    """The real one with a connection of our making; None is a silent libvirt."""

    def __init__(self, handle: Libvirt | None, table: Table) -> None:
        given: Any = table
        super().__init__(given)
        self.handle = handle

    def connect(self, uri: str, deadline: Deadline) -> Connection:
        if self.handle is None or not uri:
            raise Unreachable("libvirt gave no answer")
        return Connection(self.handle, uri)


def qemu(uuid: str = UUID, name: str = "vm1") -> Emulator:
    return Emulator(1, QEMU, name, uuid, True)


def guest(
    name: str = "vm1", uuid: str = UUID, driver: str = QEMU, uri: str = URI
) -> Identity:
    return Identity(name, uuid, driver, uri, "/etc/vm1.xml")


RUNNING = Domain("vm1", UUID, libvirt.VIR_DOMAIN_RUNNING, 1)
NOBODY: tuple[Libvirt, Table] = (Libvirt(), Table())


def test_the_short_way_leaves_the_process_table_out() -> None:
    table = Table(qemu())
    seen = FakeObserver(Libvirt(RUNNING), table).look(
        guest(), Deadline(5), with_processes=False
    )
    assert (seen.state, seen.process, table.asked) == (
        State.RUNNING,
        Process.UNASKED,
        0,
    )


def test_the_short_way_asks_the_table_before_anybody_says_not_running() -> None:
    table = Table(qemu())
    seen = FakeObserver(Libvirt(), table).look(
        guest(), Deadline(5), with_processes=False
    )
    assert (seen.state, seen.process) == (State.ABSENT, Process.PRESENT)
    assert seen.presence is Presence.RUNNING


def test_a_silent_libvirt_is_told_with_its_reason() -> None:
    seen = FakeObserver(None, Table(qemu())).look(guest(), Deadline(5))
    assert (seen.state, seen.process) == (State.SILENT, Process.PRESENT)
    assert "no answer" in str(seen)


def test_a_stranger_is_seen_and_is_not_the_guest() -> None:
    stranger = Domain("vm1", OTHER, libvirt.VIR_DOMAIN_RUNNING, 1)
    seen = FakeObserver(Libvirt(stranger), Table(qemu(OTHER))).look(
        guest(), Deadline(5)
    )
    assert seen.state is State.ABSENT
    assert seen.process is Process.NONE
    assert seen.sight.stranger == OTHER


def test_a_stranger_that_is_shut_off_is_in_nobodys_way() -> None:
    stranger = Domain("vm1", OTHER, libvirt.VIR_DOMAIN_SHUTOFF, 1)
    seen = FakeObserver(Libvirt(stranger), Table()).look(guest(), Deadline(5))
    assert seen.sight.stranger == ""


def test_the_uuid_counts_not_the_name_of_a_process() -> None:
    renamed = qemu(name="another")
    seen = FakeObserver(None, Table(renamed)).look(guest(), Deadline(5))
    assert seen.process is Process.PRESENT
    namesake = qemu(OTHER)
    seen = FakeObserver(None, Table(namesake)).look(guest(), Deadline(5))
    assert seen.process is Process.NONE


def test_without_a_uuid_the_name_counts() -> None:
    seen = FakeObserver(None, Table(qemu())).look(guest(uuid=""), Deadline(5))
    assert seen.process is Process.PRESENT


@pytest.mark.parametrize(
    ("driver", "uri"),
    [
        ("esx", "esx://host/"),
        ("test", "test:///default"),
        (QEMU, "qemu+ssh://far/system"),
    ],
)
def test_the_table_says_nothing_of_a_guest_that_has_no_process_here(
    driver: str, uri: str
) -> None:
    seen = FakeObserver(None, Table()).look(guest(driver=driver, uri=uri), Deadline(5))
    assert seen.process is Process.INAPPLICABLE
    assert seen.presence is Presence.UNKNOWN


def test_a_state_that_is_new_to_us_is_unknown() -> None:
    odd = Domain("vm1", UUID, 99, 0)
    seen = FakeObserver(Libvirt(odd), Table()).look(guest(), Deadline(5))
    assert seen.state is State.SILENT


# What runs here that no other resource accounts for, when nobody knows the guest.
# (URI, libvirt: UUIDs or silent, process table: UUIDs or unreadable) → answer
NAMELESS = [
    (URI, [], [], []),
    (URI, [UUID], [UUID], [UUID]),
    (URI, [], [UUID], [UUID]),
    (URI, [UUID], [], [UUID]),
    (URI, None, [], []),
    (URI, None, [UUID], [UUID]),
    (URI, [], None, None),
    (URI, [UUID], None, None),
    (URI, None, None, None),
    ("", None, [], []),
    ("", None, None, None),
    ("lxc:///system", None, [], []),
    ("xen:///system", None, [], None),
    ("xen:///system", [], [], []),
    ("esx://host/", None, [], None),
    ("esx://host/", [], None, []),
    ("esx://host/", [UUID], [], [UUID]),
]


@pytest.mark.parametrize(("uri", "active", "processes", "expected"), NAMELESS)
def test_what_runs_without_a_record(
    tmp_path: Path,
    uri: str,
    active: list[str] | None,
    processes: list[str] | None,
    expected: list[str] | None,
) -> None:
    handle = None
    if active is not None:
        running = libvirt.VIR_DOMAIN_RUNNING
        handle = Libvirt(*(Domain("x", uuid, running) for uuid in active))
    emulators = [qemu(uuid) for uuid in processes or []]
    table = Table(*emulators, readable=processes is not None)
    store = RecordStore(str(tmp_path / "records"))
    observer = FakeObserver(handle, table)
    assert observer.unaccounted(uri, store, "vm1", Deadline(5)) == expected

    for instance, uuid in (("vm2", UUID), ("vm1", OTHER)):
        store.write(instance, Record("x", uuid, QEMU, URI, "/etc/x.xml"))
    accounted: list[str] | None = None if expected is None else []
    assert observer.unaccounted(uri, store, "vm1", Deadline(5)) == accounted


def test_a_container_is_accounted_for_by_its_name(tmp_path: Path) -> None:
    store = RecordStore(str(tmp_path / "records"))
    table = Table(Emulator(1, LXC, "box", "", True))
    observer = FakeObserver(None, table)
    assert observer.unaccounted("lxc:///", store, "vm1", Deadline(5)) == ["box"]
    store.write("vm2", Record("box", OTHER, LXC, "lxc:///", "/etc/x.xml"))
    assert observer.unaccounted("lxc:///", store, "vm1", Deadline(5)) == []


@pytest.mark.parametrize(
    ("uri", "of_anybody"),
    [
        (URI, False),
        ("qemu+unix:///session?socket=/run/user/1000/libvirt/virtqemud-sock", True),
        ("qemu:///session", True),
        ("", True),
    ],
)
def test_only_a_session_may_have_guests_that_run_as_any_person(
    tmp_path: Path, uri: str, of_anybody: bool
) -> None:
    table = Table()
    FakeObserver(None, table).look(guest(uri=uri), Deadline(5))
    assert table.of_anybody is of_anybody
    table = Table()
    store = RecordStore(str(tmp_path))
    FakeObserver(None, table).unaccounted(uri, store, "vm1", Deadline(5))
    assert table.of_anybody is of_anybody


MIGRATED = (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_MIGRATED)


def test_what_a_record_accounts_for_has_not_just_arrived(tmp_path: Path) -> None:
    store = RecordStore(str(tmp_path))
    handle = Libvirt(
        Domain("vm1", UUID, *MIGRATED),
        Domain("vm2", OTHER, *MIGRATED),
        Domain("booted", "b", libvirt.VIR_DOMAIN_RUNNING, 1),
    )

    def arrived() -> list[str]:
        observer = FakeObserver(handle, Table())
        return [s.name for s in observer.arrived(URI, "", store, "r", Deadline(5))]

    assert arrived() == ["vm1", "vm2"]
    store.write("a", Record("vm2", OTHER, QEMU, URI, "x"))
    assert arrived() == ["vm1"]
    store.write("a", Record("vm2", UUID, QEMU, URI, "x"))
    assert arrived() == ["vm2"]
    store.write("a", Record("vm2", "", QEMU, URI, "x", pending=True))
    assert arrived() == ["vm1"]


def test_ages_are_known_by_uuid_and_the_older_process_counts() -> None:
    def emulator(pid: int, uuid: str) -> Emulator:
        return Emulator(pid, QEMU, "vm", uuid, True)

    table = Table(emulator(1, UUID), emulator(1, OTHER), emulator(2, OTHER))
    table.found.append(emulator(3, "unknown"))
    assert FakeObserver(None, table).ages_s(URI) == {UUID: 5.0, OTHER: 7200.0}
    assert FakeObserver(None, Table(readable=False)).ages_s(URI) == {}
