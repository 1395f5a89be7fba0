"""libvirt's states and reasons, all of its enums, as vmha reads them."""

from __future__ import annotations

from typing import Any

import libvirt
import pytest

from vmha.agents.hypervisor import domains, reasons
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused, Unreachable

PAUSES = {
    "UNKNOWN": State.HALTED,
    "USER": State.PAUSED,
    "MIGRATION": State.MIGRATING,
    "SAVE": State.HELD,
    "DUMP": State.HELD,
    "IOERROR": State.IO_ERROR,
    "WATCHDOG": State.WATCHDOG,
    "FROM_SNAPSHOT": State.PAUSED,
    "SHUTTING_DOWN": State.SHUTTING_DOWN,
    "SNAPSHOT": State.HELD,
    "CRASHED": State.CRASHED,
    "STARTING_UP": State.STARTING,
    "POSTCOPY": State.TORN,
    "POSTCOPY_FAILED": State.TORN,
    "API_ERROR": State.HALTED,  # since libvirt 10.1
}
ACTIVE = {
    libvirt.VIR_DOMAIN_NOSTATE: State.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: State.RUNNING,
    libvirt.VIR_DOMAIN_SHUTDOWN: State.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_CRASHED: State.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: State.SUSPENDED,
}


def enum(prefix: str) -> dict[str, int]:
    """Return the constants of one of libvirt's enums, by the end of their names."""
    found = {n: getattr(libvirt, n) for n in dir(libvirt) if n.startswith(prefix)}
    return {name[len(prefix) :]: number for name, number in found.items()}


def test_every_reason_of_a_pause_has_its_state() -> None:
    numbers = enum("VIR_DOMAIN_PAUSED_")
    assert set(numbers) - {"LAST"} <= set(PAUSES)
    for name, number in numbers.items():
        if name != "LAST":
            assert reasons.state_of(libvirt.VIR_DOMAIN_PAUSED, number) is PAUSES[name]


def test_a_running_guest_runs_for_whatever_reason() -> None:
    for name, number in enum("VIR_DOMAIN_RUNNING_").items():
        state = State.POSTCOPY if name.startswith("POSTCOPY") else State.RUNNING
        assert reasons.state_of(libvirt.VIR_DOMAIN_RUNNING, number) is state


@pytest.mark.parametrize("why", range(20))
def test_no_reason_makes_an_active_guest_inactive(why: int) -> None:
    for number, state in ACTIVE.items():
        assert reasons.state_of(number, why) is state
    assert reasons.state_of(libvirt.VIR_DOMAIN_RUNNING, why).is_active
    assert reasons.state_of(libvirt.VIR_DOMAIN_PAUSED, why).is_active
    assert reasons.state_of(libvirt.VIR_DOMAIN_SHUTOFF, why) is State.SHUT_OFF


def test_a_state_that_is_not_known_is_no_absence() -> None:
    assert reasons.state_of(99, 0) is State.SILENT


def test_every_way_to_be_shut_off_is_told_apart() -> None:
    ways = enum("VIR_DOMAIN_SHUTOFF_")
    told = [
        reasons.told(libvirt.VIR_DOMAIN_SHUTOFF, number)
        for name, number in ways.items()
        if name not in ("LAST", "UNKNOWN")
    ]
    assert all(told)
    assert len(set(told)) == len(told) >= 8


class Disks:
    """A guest paused by an I/O error, with these errors of its disks."""

    def __init__(self, errors: Any) -> None:
        self.errors = errors

    def state(self) -> list[int]:
        return [libvirt.VIR_DOMAIN_PAUSED, libvirt.VIR_DOMAIN_PAUSED_IOERROR]

    def diskErrors(self, _flags: int) -> dict[str, int]:  # noqa: N802 - libvirt's name
        if isinstance(self.errors, Exception):
            raise self.errors
        found: dict[str, int] = self.errors
        return found

    def name(self) -> str:
        return "vm1"

    def UUIDString(self) -> str:  # noqa: N802 - libvirt's name
        return "11111111-2222-3333-4444-555555555555"

    def lookupByName(self, _name: str) -> Disks:  # noqa: N802 - libvirt's name
        return self


class Direct:
    """A connection that answers at once."""

    def __init__(self, handle: Disks) -> None:
        self.handle = handle

    def call(self, _what: str, _deadline: Deadline, function: Any, *args: Any) -> Any:
        return function(*args)


BROKEN, FULL = (
    libvirt.VIR_DOMAIN_DISK_ERROR_UNSPEC,
    libvirt.VIR_DOMAIN_DISK_ERROR_NO_SPACE,
)


@pytest.mark.parametrize(
    ("errors", "state"),
    [
        ({"vda": FULL}, State.NO_SPACE),
        ({"vda": BROKEN}, State.IO_ERROR),
        ({"vda": FULL, "vdb": BROKEN}, State.IO_ERROR),
        ({"vda": FULL, "vdb": libvirt.VIR_DOMAIN_DISK_ERROR_NONE}, State.NO_SPACE),
        ({}, State.IO_ERROR),
        (Refused("no such call"), State.IO_ERROR),
        (Unreachable("no answer"), State.IO_ERROR),
    ],
    ids=str,
)
def test_a_full_storage_is_told_from_a_broken_one(errors: Any, state: State) -> None:
    connection: Any = Direct(Disks(errors))
    sight = domains.look(connection, Deadline(1), "vm1", "")
    assert sight.state is state
