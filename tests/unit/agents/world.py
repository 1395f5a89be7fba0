"""A node in virtual time: one guest, its libvirt, its emulator, as a stop sees them."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any, Callable

from vmha.agents.hypervisor.domains import Sight
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol import parameters
from vmha.agents.protocol.agent import Operation
from vmha.agents.protocol.deadline import Deadline, Watchdog
from vmha.agents.protocol.errors import Refused, Unreachable
from vmha.agents.protocol.log import Log
from vmha.agents.vm.emulator import QEMU, Emulator
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.observation import LIBVIRT_ANSWERS_S, Observation
from vmha.agents.vm.parameters import PARAMETERS
from vmha.agents.vm.states import Process

NEVER = float("inf")
GIVES_UP_S = 15.0  # libvirt kills for so long, and holds the guest's lock meanwhile
LOOK_S = 0.02
UUID = "11111111-2222-3333-4444-555555555555"
URI = "qemu:///system"


class Clock:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now_s += max(seconds, 0.000_001)


def operation(
    action: str,
    given: Mapping[str, str],
    timeout_s: float = 20,
    clock: Clock | None = None,
    interval_s: int = 0,
) -> Operation:
    """Return an operation as run() makes it, in virtual time where a clock is given."""
    deadline = Deadline(timeout_s)
    if clock:
        deadline = Deadline(timeout_s, clock, clock.sleep)
    environ = {
        "OCF_RESOURCE_INSTANCE": "vm1",
        "HA_LOGFACILITY": "none",
        "OCF_RESKEY_CRM_meta_interval": str(interval_s * 1000),
    }
    return Operation(
        action,
        parameters.read(PARAMETERS, given),
        deadline,
        Log("test", environ),
        Watchdog(deadline, lambda _: None),
        environ,
    )


class Notebook(Log):
    """A log that a test reads: warnings and errors."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("test", {"HA_LOGFACILITY": "none"})
        self._lines = lines

    def error(self, sentence: str) -> None:
        self._lines.append(sentence)

    def warning(self, sentence: str) -> None:
        self._lines.append(sentence)


class Guest:
    """A guest's nature, and what becomes of it.

    Seconds say how long something takes; NEVER that it does not happen. ``silent`` is
    the span of virtual time in which libvirt gives no answer.
    """

    def __init__(
        self,
        clock: Clock,
        obeys_s: float = 1.0,
        destroy_s: float = 0.1,
        destroy_refused: bool = False,
        silent: tuple[float, float] = (NEVER, NEVER),
        term_s: float = 0.2,
        kill_s: float = 0.1,
        state: State = State.RUNNING,
        reason: str = "",
        answers_shutdown: bool = True,
        libvirt_knows: bool = True,
    ) -> None:
        self.clock = clock
        self.obeys_s = obeys_s
        self.destroy_s = destroy_s
        self.destroy_refused = destroy_refused
        self.silent = silent
        self.term_s = term_s
        self.kill_s = kill_s
        self.state = state
        self.reason = reason
        self.answers_shutdown = answers_shutdown
        self.libvirt_knows = libvirt_knows
        self.dies_at_s = NEVER
        self.locked_until_s = 0.0
        self.done: list[str] = []

    @property
    def alive(self) -> bool:
        return self.clock.now_s < self.dies_at_s

    @property
    def is_silent(self) -> bool:
        begin, end = self.silent
        locked = self.clock.now_s < min(self.locked_until_s, self.dies_at_s)
        return locked or begin <= self.clock.now_s < end

    def dies_in(self, seconds: float) -> None:
        self.dies_at_s = min(self.dies_at_s, self.clock.now_s + seconds)

    # libvirt's domain methods

    def shutdownFlags(self, _flags: int) -> None:  # noqa: N802 - libvirt's name
        self.done.append("shutdown")
        if not self.answers_shutdown:
            raise Blocked
        self.dies_in(self.obeys_s)

    def destroy(self) -> None:
        self.done.append("destroy")
        if self.destroy_refused:
            raise Refused("libvirt says no")
        raise Takes(self.destroy_s)

    def resume(self) -> None:
        self.done.append("resume")
        self.state = State.RUNNING


class Takes(Exception):
    """A destroy: it returns after a while, when the guest has died."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


class Blocked(Exception):
    """A call into libvirt that does not return."""


class Connection:
    """Calls the guest's methods with the bound of the real one."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.uri = URI

    def call(
        self, what: str, deadline: Deadline, function: Callable[..., Any], *args: Any
    ) -> Any:
        try:
            if self.guest.is_silent:
                raise Blocked
            return function(*args)
        except Takes as call:
            self.guest.dies_in(call.seconds)
            self.guest.locked_until_s = self.guest.clock.now_s + GIVES_UP_S
            if call.seconds <= deadline.remaining_s():
                self.guest.clock.sleep(call.seconds)
                return None
        except Blocked:
            pass
        self.guest.clock.sleep(deadline.remaining_s())
        raise Unreachable(f"could not {what}")


class Observer:
    """Looks at the one guest as the real observer does, with its costs."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    def look(
        self, identity: Identity, deadline: Deadline, with_processes: bool = True
    ) -> Observation:
        guest = self.guest
        alive = guest.alive
        process = Process.PRESENT if alive else Process.NONE
        emulator = Emulator(42, QEMU, "vm1", UUID, True) if alive else None
        if guest.is_silent:
            guest.clock.sleep(min(LIBVIRT_ANSWERS_S, deadline.remaining_s()))
            sight = Sight(State.SILENT)
            return Observation(identity, sight, process, emulator, None, "no answer")
        guest.clock.sleep(LOOK_S)
        sight = Sight(State.ABSENT)
        if alive and guest.libvirt_knows:
            sight = Sight(guest.state, guest.reason, guest, "vm1", UUID)
        connection: Any = Connection(guest)
        return Observation(identity, sight, process, emulator, connection, "")


class Table:
    """Ends the one emulator."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    def end(self, emulator: Emulator, deadline: Deadline, signal_number: int) -> bool:
        guest = self.guest
        term = signal_number == signal.SIGTERM
        guest.done.append("term" if term else "kill")
        takes_s = guest.term_s if term else guest.kill_s
        guest.dies_in(takes_s)
        guest.clock.sleep(min(takes_s, deadline.remaining_s()))
        if guest.alive:
            guest.dies_at_s = NEVER
        return not guest.alive
