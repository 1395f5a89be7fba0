"""The decision tables: what was seen → what is answered and what is done next.

Pure; tested cell by cell. Two witnesses speak of a guest: libvirt (``State``) and the
process table (``Process``). The invariants: "unknown" never becomes "not running", and
a guest counts as gone only when no witness that can see it still does.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from vmha.agents.hypervisor.state import State
from vmha.agents.protocol import exitcodes

_GONE = (State.ABSENT, State.SHUT_OFF)
# What passes by itself, or is as it should be: no policy is asked.
_ALIVE_AND_WELL = (
    State.RUNNING,
    State.POSTCOPY,
    State.HELD,
    State.STARTING,
    State.SHUTTING_DOWN,
)
# Worth waiting for before a start is decided.
_PASSING = (
    State.SILENT,
    State.SHUTTING_DOWN,
    State.STARTING,
    State.HELD,
    State.POSTCOPY,
)
# States that are a matter of opinion, and the parameter that holds it.
GOVERNED = {
    State.PAUSED: "paused_policy",
    State.HALTED: "paused_policy",
    State.IO_ERROR: "io_error_policy",
    State.NO_SPACE: "no_space_policy",
    State.WATCHDOG: "panic_policy",
    State.CRASHED: "panic_policy",
    State.SUSPENDED: "suspended_policy",
}
POLICIES = {
    "ok": exitcodes.OK,
    "degraded": exitcodes.DEGRADED,
    "fail": exitcodes.GENERIC,
}
DEFAULT_POLICIES = {
    "paused_policy": "ok",
    "io_error_policy": "fail",
    "no_space_policy": "degraded",
    "panic_policy": "fail",
    "suspended_policy": "fail",
}
LIVES = (exitcodes.OK, exitcodes.DEGRADED)
# A guest that stands still for another reason would lose that reason on its way: it
# arrives as one that an administrator has paused.
MIGRATABLE = (State.RUNNING, State.PAUSED)
# The states of a guest that has executed where it is seen. Not HALTED: half of a guest
# whose migration died with the target's libvirt may look so.
ARRIVED = (
    State.RUNNING,
    State.PAUSED,
    State.HELD,
    State.IO_ERROR,
    State.NO_SPACE,
    State.WATCHDOG,
    State.SHUTTING_DOWN,
    State.CRASHED,
    State.SUSPENDED,
)


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


class Arrival(enum.Enum):
    """What a migrate_from finds on the target."""

    ARRIVED = "it has arrived"
    ON_ITS_WAY = "it may still arrive"
    MISSING = "nothing of it is here"


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


def monitor_code(
    state: State, process: Process, policies: Mapping[str, str] = DEFAULT_POLICIES
) -> int:
    """Return the exit code of a monitor or probe.

    7 lets Pacemaker start the guest elsewhere, so it is given on proof only. 1 makes it
    stop and start the guest: right for one that exists and cannot serve. 190 it shows,
    and counts as 0, of a probe too. ``policies`` are values by parameter name.
    """
    seen = presence(state, process)
    if seen is Presence.NOT_RUNNING:
        return exitcodes.NOT_RUNNING
    if seen is Presence.UNKNOWN:
        return exitcodes.GENERIC
    if state in _ALIVE_AND_WELL or state is State.SILENT:
        return exitcodes.OK
    if state not in GOVERNED:
        return exitcodes.GENERIC
    code = POLICIES[policies[GOVERNED[state]]]
    # Nobody is known to have wanted this pause, so nobody may be going to end it.
    unwanted = state is State.HALTED and code == exitcodes.OK
    return exitcodes.DEGRADED if unwanted else code


def start_step(
    state: State, process: Process, policies: Mapping[str, str] = DEFAULT_POLICIES
) -> Beginning:
    """Decide the next step of a start.

    What a monitor would fail is not started over: an emulator that libvirt does not
    know, half of a migrated guest, one that its dead disk has paused. Start fails,
    Pacemaker stops it here with proof, and starts again.
    """
    if state is State.RUNNING:
        return Beginning.ALREADY
    if state in _PASSING:
        return Beginning.WAIT
    if state in GOVERNED and monitor_code(state, process, policies) in LIVES:
        return Beginning.ALREADY
    if state in _GONE and process in (Process.NONE, *_NEEDS_LIBVIRT):
        return Beginning.CREATE
    # Any QEMU of the node that is just ending makes the table unreadable for a moment.
    if state in _GONE and process is Process.UNREADABLE:
        return Beginning.WAIT
    return Beginning.REFUSE


def stop_step(state: State, process: Process, phase: Phase) -> Step:
    """Decide the next step of a stop.

    A guest that an administrator has paused is resumed so that it can shut down; one
    that a dead disk or a panic has paused could not obey.
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
    return _stop_gracefully(state)


def migration_verdict(source: State, target: State) -> Verdict:
    """Judge a migration whose job has ended, by the guest's state on both hosts.

    A guest that was paused arrives paused. What has been torn by post-copy never runs
    at its source again: its disks have gone on without it there.
    """
    if target in ARRIVED:
        twice = source in (State.RUNNING, State.POSTCOPY)
        return Verdict.DOUBLE if twice else Verdict.ARRIVED
    if State.SILENT in (source, target):
        return Verdict.STAYED if source is State.RUNNING else Verdict.UNKNOWN
    if target.is_active:
        return Verdict.PENDING
    if source in (State.MIGRATING, State.PAUSED, State.HALTED):
        return Verdict.HALTED_AT_SOURCE
    if source is State.TORN:
        return Verdict.LOST
    return Verdict.STAYED if source.is_active else Verdict.LOST


def arrival_step(state: State) -> Arrival:
    """Decide what a migrate_from makes of the guest on the target.

    One that has executed here has arrived, whatever has happened to it since: that is
    the next monitor's business.
    """
    if state in ARRIVED:
        return Arrival.ARRIVED
    return Arrival.MISSING if state in _GONE else Arrival.ON_ITS_WAY


def _stop_unmanaged(state: State, phase: Phase) -> Step:
    """Stop an emulator that libvirt does not speak for.

    A silent libvirt may come back, and only it can shut the guest down gracefully; one
    that answers and does not know the emulator never will.
    """
    if state is State.SILENT and phase is Phase.GRACEFUL:
        return Step.WAIT
    return Step.KILL


def _stop_gracefully(state: State) -> Step:
    if state in (State.RUNNING, State.POSTCOPY):
        return Step.SHUT_DOWN
    if state in (State.SHUTTING_DOWN, State.STARTING, State.HELD):
        return Step.WAIT
    return Step.RESUME if state is State.PAUSED else Step.DESTROY
