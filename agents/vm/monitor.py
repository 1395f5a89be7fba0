"""Probe and recurring monitor: look, answer, change nothing.

The one thing written is the identity record of a guest that was adopted (it ran before
vmha did); at check level 10 what was seen inside it, too. A recurring monitor of a
running guest reads the record, asks libvirt two questions and ends.

Check levels: 0 is the guest's state, 10 also looks inside it (``checkup``), 20 also
runs the user's scripts. Without a level it is state and scripts, as VirtualDomain does.
A probe is always state alone.
"""

from __future__ import annotations

from vmha.agents.hypervisor.state import State
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import AgentError
from vmha.agents.vm import identity as identities
from vmha.agents.vm.identity import Identity, Known
from vmha.agents.vm.observation import Observation, Observer, host_name
from vmha.agents.vm.policies import policies
from vmha.agents.vm.record import HEALTH, MOVES, STARTS, Record, RecordStore
from vmha.agents.vm.states import GOVERNED, LIVES, Presence, Process, monitor_code

INSIDE_LEVEL = 10
SCRIPTS_LEVEL = 20
TRANSIENT_S = 0.5
MOVES_S = 5.0
# A guest that stands still, as its policy allows, cannot satisfy a check from inside.
_WORKING = (State.RUNNING, State.POSTCOPY, State.SILENT)


def monitor(operation: Operation, observer: Observer, store: RecordStore) -> Outcome:
    """Answer 0, 190, 7 or 1 about the resource's guest on this node."""
    held = _is_held(operation, store)
    outcome = _monitor(operation, observer, store)
    # Again: a start may have begun since. The race left: one whose process is so young
    # that it has not taken its hold yet.
    held = held or _is_held(operation, store)
    if held and outcome.exit_code == exitcodes.NOT_RUNNING:
        return Outcome(
            exitcodes.GENERIC,
            f"{outcome.sentence}; but a start or migration of it is under way here",
        )
    return outcome


def _is_held(operation: Operation, store: RecordStore) -> bool:
    return any(store.is_held(operation.instance, a) for a in (STARTS, MOVES))


def _monitor(operation: Operation, observer: Observer, store: RecordStore) -> Outcome:
    known_well = identities.recorded(operation.values, store, operation.instance)
    if known_well is not None and not operation.is_probe:
        table = _looks_inside(operation)  # it names the emulator
        seen = observer.look(known_well, operation.deadline, with_processes=table)
        if _code(operation, seen) in LIVES:
            return _answer(operation, store, known_well, seen)
    known = identities.resolve(
        operation.values, store, operation.instance, operation.deadline
    )
    if not known.identities:
        return _monitor_unknown(operation, observer, store, known)
    declared, recorded = known.identities[0], known.identities[-1]
    if recorded is not declared:
        seen = observer.look(recorded, operation.deadline)
        if seen.presence is not Presence.NOT_RUNNING:
            if not declared.is_same(recorded):
                return _not_the_one(declared, seen)
            # hypervisor was changed: the guest is where it was started.
            return _monitor_one(operation, observer, store, recorded)
    return _monitor_one(operation, observer, store, declared)


def _monitor_one(
    operation: Operation, observer: Observer, store: RecordStore, guest: Identity
) -> Outcome:
    return _answer(operation, store, guest, _settled(operation, observer, guest))


def _answer(
    operation: Operation, store: RecordStore, guest: Identity, seen: Observation
) -> Outcome:
    code = _code(operation, seen)
    sentence = f"{guest} on {host_name()}: {seen}"
    if code not in LIVES:
        return Outcome(code, _advice(operation, code, seen, sentence))
    if seen.silence:
        operation.log.warning(f"{sentence}; the guest is taken to run")
    _adopt(operation, store, guest, seen)
    if _looks_inside(operation) and seen.state is not State.RUNNING:
        store.forget(operation.instance, HEALTH)
    if operation.is_probe and seen.connection:
        from vmha.agents.vm import leftovers  # a recurring monitor does not pay for it

        leftovers.notice(operation, seen.connection, guest, host_name())
    if code == exitcodes.DEGRADED:
        name = GOVERNED[seen.state]
        return Outcome(code, f"{sentence}; {name} leaves it alone: see to it")
    if operation.is_probe or seen.state not in _WORKING:
        return Outcome(code, sentence)
    return _deeper(operation, store, seen, sentence)


def _deeper(
    operation: Operation, store: RecordStore, seen: Observation, sentence: str
) -> Outcome:
    """Check what the level asks for, of a guest that runs."""
    code = exitcodes.OK
    if _looks_inside(operation) and seen.state is State.RUNNING:
        from vmha.agents.vm.checkup import check_up
        from vmha.agents.vm.health import worst
        from vmha.agents.vm.history import HistoryStore

        found = check_up(operation, seen, HistoryStore(store))
        code = worst(found)
        sentence = "; ".join([sentence, *(finding.clause for finding in found)])
        if found and code == exitcodes.OK:
            operation.log.warning(sentence)
    scripts = not operation.has_level or operation.check_level >= SCRIPTS_LEVEL
    if code == exitcodes.GENERIC or not (
        scripts and operation.values.given("monitor_scripts")
    ):
        return Outcome(code, sentence)
    from vmha.agents.vm.scripts import run_scripts

    outcome = run_scripts(operation, seen, sentence)
    return outcome if outcome.exit_code != exitcodes.OK else Outcome(code, sentence)


def _looks_inside(operation: Operation) -> bool:
    return not operation.is_probe and operation.check_level >= INSIDE_LEVEL


def _code(operation: Operation, seen: Observation) -> int:
    """Return the exit code of what was seen; policies are read where they matter."""
    if seen.state in GOVERNED:
        return monitor_code(seen.state, seen.process, policies(operation))
    return monitor_code(seen.state, seen.process)


def _settled(operation: Operation, observer: Observer, guest: Identity) -> Observation:
    """Look; look again at what passes by itself.

    Between the death of a process and libvirt's note of it lie milliseconds, and any
    emulator that is just ending makes the process table unreadable for as long. A guest
    that somebody migrates by hand stands still for a moment at the end.
    """
    table = _looks_inside(operation)
    seen = observer.look(guest, operation.deadline, with_processes=table)
    moving = operation.deadline.part(MOVES_S)
    while seen.state is State.MIGRATING and not moving.expired():
        moving.sleep(TRANSIENT_S)
        seen = observer.look(guest, operation.deadline, with_processes=table)
    orphan = seen.process is Process.PRESENT and not seen.state.is_active
    if (orphan and not seen.silence) or seen.process is Process.UNREADABLE:
        operation.deadline.sleep(TRANSIENT_S)
        seen = observer.look(guest, operation.deadline)
    return seen


def _adopt(
    operation: Operation, store: RecordStore, guest: Identity, seen: Observation
) -> None:
    """Record a running guest that has no record yet."""
    name = (
        seen.sight.name or guest.name or (seen.emulator.name if seen.emulator else "")
    )
    uuid = (
        seen.sight.uuid or guest.uuid or (seen.emulator.uuid if seen.emulator else "")
    )
    if not (name and uuid and guest.uri):
        return
    record = Record(name, uuid, guest.driver, guest.uri, guest.source)
    try:
        store.write(operation.instance, record)
    except OSError as error:
        operation.log.warning(f"the record of {guest} cannot be written: {error}")


def _monitor_unknown(
    operation: Operation, observer: Observer, store: RecordStore, known: Known
) -> Outcome:
    """Answer when neither the parameters nor a record name the guest.

    7 only where nothing runs that could be it; else 1, since "not running" would let
    Pacemaker start a second copy elsewhere.
    """
    running = unaccounted(operation, observer, store)
    if running == []:
        return Outcome(exitcodes.NOT_RUNNING, f"nothing runs here; {known.problem}")
    what = "it cannot be told what runs here"
    if running:
        what = f"{', '.join(running)} run(s) here without a record and may be it"
    return Outcome(exitcodes.GENERIC, f"{known.problem}; {what}")


def unaccounted(
    operation: Operation, observer: Observer, store: RecordStore
) -> list[str] | None:
    """Return what runs here and belongs to no other resource, None if unknown."""
    try:
        uri = operation.values.text("hypervisor")
    except AgentError:
        uri = ""
    return observer.unaccounted(uri, store, operation.instance, operation.deadline)


def _not_the_one(declared: Identity, replaced: Observation) -> Outcome:
    """Answer 1, so that Pacemaker replaces the recorded guest by the declared one."""
    return Outcome(
        exitcodes.GENERIC,
        f"the parameters mean {declared}, but this resource started "
        f"{replaced.identity} ({replaced}); a restart of the resource replaces it",
    )


def _advice(operation: Operation, code: int, seen: Observation, sentence: str) -> str:
    if code == exitcodes.NOT_RUNNING:
        stranger = seen.sight.stranger
        if stranger:
            note = f"another guest of that name runs, with UUID {stranger}"
            return f"{sentence}; {note}"
        if seen.state is State.ABSENT and not operation.is_probe:
            return f"{sentence}; libvirt keeps no trace of how a transient guest ended"
        return sentence
    if seen.presence is Presence.UNKNOWN:
        return f"{sentence}; it cannot be told whether it runs: check libvirt here"
    return f"{sentence}; it cannot serve, so it is to be stopped and started"
