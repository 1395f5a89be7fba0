"""migrate_from: the target's side of a migration.

Called by ``main`` on the target, after migrate_to has ended well on the source. It
waits for a guest that is on its way, but not for one that is not there at all. What has
arrived is recorded even where it is not what this node's file says: the stop that
follows a failure must find it, or two copies would run.
"""

from __future__ import annotations

from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import AgentError
from vmha.agents.vm import cold, configuration
from vmha.agents.vm import identity as identities
from vmha.agents.vm.lifecycle import write_record
from vmha.agents.vm.observation import Observation, Observer, host_name, running_one
from vmha.agents.vm.record import Record, RecordStore
from vmha.agents.vm.states import Arrival, arrival_step

POLL_S = 0.2
ARRIVES_S = 4.0


def migrate_from(
    operation: Operation, observer: Observer, store: RecordStore
) -> Outcome:
    """Confirm on the target that the guest has arrived, and record it."""
    values, deadline = operation.values, operation.deadline
    try:
        known = identities.meant(values, store, operation.instance, deadline)
    except AgentError as problem:
        return _answer_for_another(operation, observer, store, "", str(problem))
    guest = running_one(observer, known, deadline)
    if cold.is_allowed(operation) and cold.is_needed(guest):
        return cold.arrive(operation, observer, store)
    settling = deadline.part(ARRIVES_S)
    while True:
        seen = observer.look(guest, deadline)
        step = arrival_step(seen.state)
        if step is Arrival.ARRIVED:
            write_record(operation, store, seen)
            configuration.note(operation, seen, store)
            source = operation.migrate_source or "its source"
            return Outcome(
                exitcodes.OK, f"{guest} arrived on {host_name()} from {source}"
            )
        if seen.sight.stranger or deadline.expired():
            break
        if settling.expired() and step is Arrival.MISSING:
            break
        deadline.sleep(POLL_S)
    name = guest.name
    return _answer_for_another(operation, observer, store, name, _not_here(seen))


def _not_here(seen: Observation) -> str:
    return f"{seen.identity} has not arrived on {host_name()}: {seen}"


def _answer_for_another(
    operation: Operation,
    observer: Observer,
    store: RecordStore,
    name: str,
    problem: str,
) -> Outcome:
    """Fail; record first what did arrive, if it is no other resource's guest.

    It has another name or UUID than this node's file says, or the file is gone. Of
    several, Pacemaker having moved more guests with differing files at once, the first
    is taken.
    """
    uri = _uri(operation)
    try:
        instance, deadline = operation.instance, operation.deadline
        came = observer.arrived(uri, name, store, instance, deadline)
    except AgentError as error:
        came, problem = [], f"{problem}; {error}"
    if came:
        name, uuid = came[0].name, came[0].uuid
        source = (operation.values.given("config") and "config") or "domain"
        driver = uri.partition("://")[0].partition("+")[0]
        store.write(operation.instance, Record(name, uuid, driver, uri, source))
        problem += (
            f"; guest {name} with UUID {uuid} arrived, so the files of the two nodes "
            "differ: make them the same"
        )
    tail = "Pacemaker stops it on both nodes and starts it once"
    return Outcome(exitcodes.GENERIC, f"{problem}; {tail}")


def _source(operation: Operation) -> str:
    try:
        return identities.source_of(operation.values)
    except AgentError:
        return ""


def _uri(operation: Operation) -> str:
    try:
        return operation.values.text("hypervisor")
    except AgentError:
        return ""
