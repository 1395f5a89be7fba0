"""The decision tables: what was seen → what is answered and what is done next.

Pure; tested cell by cell. Two witnesses speak of a guest: libvirt (``State``) and the
process table (``Process``). The invariants: "unknown" never becomes "not running", and
a guest counts as gone only when no witness that can see it still does.
"""

from __future__ import annotations

import enum

from vmha.agents.hypervisor.state import State
from vmha.agents.protocol import exitcodes

_GONE = (State.ABSENT, State.SHUT_OFF)
_ALIVE_AND_WELL = (State.RUNNING, State.PAUSED, State.SHUTTING_DOWN)


class Process(enum.Enum):
    """What the process table says of a guest's emulator."""

    PRESENT = "its emulator is in the process table"
    NONE = "no emulator of it is in the process table"
    UNREADABLE = "the process table cannot tell"
    INAPPLICABLE = "its hypervisor keeps no process of it on this node"
    UNASKED = "the process table was not asked"
    BEGUN = "no emulator of it is there, but libvirt may still carry out a start of it"


# No process shows, and libvirt must say the rest.
_NEEDS_LIBVIRT = (Process.INAPPLICABLE, Process.BEGUN)


class Presence(enum.Enum):
    """The three answers of an observation."""

    RUNNING = "running"
    NOT_RUNNING = "not running"
    UNKNOWN = "unknown"


class Phase(enum.Enum):
    """How far a stop has escalated."""

    GRACEFUL = "asking the guest"
    FORCE = "destroying through libvirt"
    KILL = "ending the emulator"


class Step(enum.Enum):
    """What a stop does next."""

    DONE = "proven absent"
    SHUT_DOWN = "ask the guest to shut down"
    RESUME = "resume the guest so that it can obey"
    WAIT = "wait and look again"
    DESTROY = "destroy it through libvirt"
    KILL = "end the emulator ourselves"


class Beginning(enum.Enum):
    """What a start does next."""

    ALREADY = "it runs already"
    CREATE = "create it"
    WAIT = "wait and look again"
    REFUSE = "start nothing"


class Verdict(enum.Enum):
    """How a migration has ended, read back from both hosts."""

    ARRIVED = "it executes on the target"
    STAYED = "it still executes at the source"
    HALTED_AT_SOURCE = "it stands paused at the source and is not on the target"
    PENDING = "not settled yet"
    DOUBLE = "both hosts say that it runs"
    LOST = "neither host has it whole"
    UNKNOWN = "a host did not answer"


def presence(state: State, process: Process) -> Presence:
    """Put the two witnesses together."""
    if state.is_active or process is Process.PRESENT:
        return Presence.RUNNING
    if process is Process.NONE:
        return Presence.NOT_RUNNING
    if process in _NEEDS_LIBVIRT and state in _GONE:
        return Presence.NOT_RUNNING
    return Presence.UNKNOWN


def monitor_code(state: State, process: Process) -> int:
    """Return the exit code of a monitor or probe.

    7 lets Pacemaker start the guest elsewhere, so it is given on proof only. 1 makes it
    stop and start the guest: right for one that exists and cannot serve.
    """
    seen = presence(state, process)
    if seen is Presence.NOT_RUNNING:
        return exitcodes.NOT_RUNNING
    if seen is Presence.UNKNOWN:
        return exitcodes.GENERIC
    if state in _ALIVE_AND_WELL or state is State.SILENT:
        return exitcodes.OK
    return exitcodes.GENERIC


def start_step(state: State, process: Process) -> Beginning:
    """Decide the next step of a start.

    An emulator that libvirt does not know, or half of a migrated guest, is not started
    over: start fails, Pacemaker stops it here with proof, and starts again.
    """
    if state in (State.RUNNING, State.PAUSED):
        return Beginning.ALREADY
    if state in (State.SHUTTING_DOWN, State.SILENT):
        return Beginning.WAIT
    if state in _GONE and process in (Process.NONE, *_NEEDS_LIBVIRT):
        return Beginning.CREATE
    # Any QEMU of the node that is just ending makes the table unreadable for a moment.
    if state in _GONE and process is Process.UNREADABLE:
        return Beginning.WAIT
    return Beginning.REFUSE


def stop_step(state: State, process: Process, phase: Phase, can_obey: bool) -> Step:
    """Decide the next step of a stop.

    ``can_obey`` tells whether a paused guest may be resumed to shut down (an
    administrator paused it) or not (a dead disk did).
    """
    seen = presence(state, process)
    if seen is Presence.NOT_RUNNING:
        return Step.DONE
    if seen is Presence.UNKNOWN:
        return Step.WAIT
    if not state.is_active:
        return _stop_unmanaged(state, phase)
    if phase is Phase.KILL and process is Process.PRESENT:
        return Step.KILL
    if phase is not Phase.GRACEFUL:
        return Step.DESTROY
    return _stop_gracefully(state, can_obey)


def migration_verdict(source: State, target: State) -> Verdict:
    """Judge a migration whose job has ended, by the guest's state on both hosts.

    A guest that was paused arrives paused.
    """
    if target in (State.RUNNING, State.PAUSED, State.SHUTTING_DOWN):
        return Verdict.DOUBLE if source is State.RUNNING else Verdict.ARRIVED
    if State.SILENT in (source, target):
        return Verdict.STAYED if source is State.RUNNING else Verdict.UNKNOWN
    if target.is_active:
        return Verdict.PENDING
    if source in (State.MIGRATING, State.PAUSED):
        return Verdict.HALTED_AT_SOURCE
    return Verdict.STAYED if source.is_active else Verdict.LOST


def postcopy_verdict(target: State) -> Verdict:
    """Judge a migration whose source stands paused by post-copy.

    The guest executes on the target and part of its memory is still at the source;
    without the target it is lost. The source's half must never run again: its disks
    have gone on without it.
    """
    if target is State.SILENT:
        return Verdict.UNKNOWN
    return Verdict.PENDING if target.is_active else Verdict.LOST


def _stop_unmanaged(state: State, phase: Phase) -> Step:
    """Stop an emulator that libvirt does not speak for.

    A silent libvirt may come back, and only it can shut the guest down gracefully; one
    that answers and does not know the emulator never will.
    """
    if state is State.SILENT and phase is Phase.GRACEFUL:
        return Step.WAIT
    return Step.KILL


def _stop_gracefully(state: State, can_obey: bool) -> Step:
    if state is State.RUNNING:
        return Step.SHUT_DOWN
    if state is State.SHUTTING_DOWN:
        return Step.WAIT
    if state is State.PAUSED and can_obey:
        return Step.RESUME
    return Step.DESTROY
