"""Writes a guest's definition back to its file, at stop and before it moves.

Called by stop and by migrate_to where ``save_config_on_stop`` asks for it, never by a
monitor. What libvirt adds at the start (addresses, aliases, defaults) is no change: the
definition is noted when the guest runs, and only one that differs from that note is
written. Nothing here can fail or hold up a stop: each step has its own bound, and what
does not work is logged.
"""

from __future__ import annotations

import _thread
import os

from vmha.agents.hypervisor import definitions
from vmha.agents.protocol import files, process
from vmha.agents.protocol.errors import AgentError, Refused, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from vmha.agents.protocol.agent import Operation
    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.vm.observation import Observation
    from vmha.agents.vm.record import RecordStore

ANSWERS_S = 2.5
WRITES_S = 3.0
SYNCS_S = 10.0
SHARE = 0.05  # of the operation's time, for each step; a stop needs the rest
SYNC_SHARE = 0.1
CSYNC2 = "csync2"
OTHERS = 0o007  # the mode bits of everybody


def note(operation: Operation, seen: Observation, store: RecordStore) -> None:
    """Note the definition of a guest that has begun to run here; never raises."""
    if not wanted(operation) or seen.connection is None:
        return
    try:
        bound = _part(operation, ANSWERS_S)
        xml = definitions.persistent_xml(seen.connection, bound, seen.sight.domain)
        store.note_definition(operation.instance, xml)
    except (AgentError, OSError) as error:
        operation.log.warning(
            f"the definition of {seen.identity} is not noted, so changes of it will "
            f"not be saved: {error}"
        )


def save(operation: Operation, seen: Observation, store: RecordStore) -> None:
    """Write the running guest's definition to ``config`` if it changed; never raises.

    Call it while the guest still runs: libvirt forgets a transient one that stops.
    """
    if not wanted(operation):
        return
    try:
        _save(operation, seen, store)
    except (AgentError, OSError) as error:
        operation.log.warning(
            f"the definition of {seen.identity} is not saved: {error}"
        )


def wanted(operation: Operation) -> bool:
    """Tell whether the parameters ask for it; nonsense means no."""
    values = operation.values
    try:
        both = ("save_config_on_stop", "sync_config_on_stop")
        return values.given("config") and any(values.flag(name) for name in both)
    except AgentError as problem:
        operation.log.warning(f"{problem}; the definition is not saved")
        return False


def _save(operation: Operation, seen: Observation, store: RecordStore) -> None:
    from vmha.agents.domainxml import comparison, document, identity, secrets

    if seen.connection is None or not seen.state.is_active:
        raise Unreachable(f"libvirt does not show it running: {seen}")
    begun = store.noted_definition(operation.instance)
    if not begun:
        raise Refused("it is not known what it was when it began to run here")
    path = operation.values.text("config")
    bound = _part(operation, ANSWERS_S)
    xml = definitions.persistent_xml(seen.connection, bound, seen.sight.domain)
    if comparison.same(xml, begun):
        return
    old = files.read_text(path, _part(operation, WRITES_S))
    if comparison.same(xml, old):
        return
    there = document.parse(old, path)
    same_uuid = identity.declared_uuid(there) in ("", seen.sight.uuid)
    if identity.declared_name(there) != seen.sight.name or not same_uuid:
        raise Refused(f"{path} is another guest's by now")
    withheld = OTHERS if secrets.has_secret(document.parse(xml, path)) else 0
    narrowed: list[str] = []

    def replace() -> None:
        if _replace(path, xml, withheld):
            narrowed.append(path)

    bounded(replace, _part(operation, WRITES_S), f"write {path}")
    if narrowed:
        operation.log.warning(
            f"the definition of {seen.identity} holds a secret: {path} can no longer "
            "be read by everybody"
        )
    store.note_definition(operation.instance, xml)
    operation.log.info(f"{seen.identity} had changed: its definition is now in {path}")
    if operation.values.flag("sync_config_on_stop"):
        _sync(operation, path)


def _sync(operation: Operation, path: str) -> None:
    """Send the file to the other nodes."""
    bound = _part(operation, SYNCS_S, SYNC_SHARE)
    answer = process.run([CSYNC2, "-x", path], bound)
    if answer.exit_code:
        said = (answer.stderr or answer.stdout).strip().splitlines()
        raise Refused(f"it is in {path}, but csync2 failed: {said[-1] if said else ''}")


def _replace(path: str, xml: str, withheld: int) -> bool:
    """Replace a file in one step, with its owner and mode; a link stays one.

    Tells whether its mode had any of the bits ``withheld``, which it loses.
    """
    real = os.path.realpath(path)
    old = os.stat(real)
    files.write_atomically(real, xml, like=old, withheld=withheld)
    return bool(old.st_mode & withheld)


def bounded(function: Callable[[], None], bound: Deadline, what: str) -> None:
    """Do what a hung mount may hold in a thread that can be left behind.

    Raises Unreachable when it has not ended in time, and the OSError that it raised.
    """
    done = _thread.allocate_lock()
    done.acquire()
    outcome: list[OSError | None] = []

    def work() -> None:
        try:
            function()
            outcome.append(None)
        except OSError as error:
            outcome.append(error)
        finally:
            done.release()

    _thread.start_new_thread(work, ())
    done.acquire(timeout=bound.remaining_s())
    if not outcome:
        raise Unreachable(f"could not {what} within {bound.timeout_s:.1f} s")
    if outcome[0] is not None:
        raise outcome[0]


def _part(operation: Operation, most_s: float, share: float = SHARE) -> Deadline:
    """Return a bound that leaves a stop its time."""
    return operation.deadline.part(min(most_s, operation.deadline.timeout_s * share))
