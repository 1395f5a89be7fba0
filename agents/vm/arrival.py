"""migrate_from: the target's side of a migration.

Called by ``main`` on the target, after migrate_to has ended well on the source. It
waits for a guest that is on its way, but not for one that is not there at all. What has
arrived is recorded even where it is not what this node's file says: the stop that
follows a failure must find it, or two copies would run. That it has arrived must be
shown, because that stop ends what is recorded: see ``newcomer``.
"""

from __future__ import annotations

from vmha.agents.hypervisor import uri as uris
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import AgentError
from vmha.agents.vm import cold, configuration, newcomer
from vmha.agents.vm import identity as identities
from vmha.agents.vm.lifecycle import write_record
from vmha.agents.vm.observation import Observation, Observer, host_name, running_one
from vmha.agents.vm.record import Record, RecordStore
from vmha.agents.vm.states import Arrival, arrival_step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.pacemaker import Cluster
    from vmha.agents.vm.identity import Identity
    from vmha.agents.vm.newcomer import Candidate

POLL_S = 0.2
ARRIVES_S = 4.0


def migrate_from(
    operation: Operation,
    observer: Observer,
    store: RecordStore,
    cluster: Cluster | None = None,
) -> Outcome:
    """Confirm on the target that the guest has arrived, and record it.

    ``cluster`` is the local one unless a test gives another.
    """
    values, deadline = operation.values, operation.deadline
    search = _Search(operation, observer, store, cluster)
    try:
        known = identities.meant(values, store, operation.instance, deadline)
    except AgentError as problem:
        return search.answer(None, str(problem))
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
    return search.answer(guest, _not_here(seen))


def _not_here(seen: Observation) -> str:
    return f"{seen.identity} has not arrived on {host_name()}: {seen}"


class _Search:
    """The search for what has arrived in the place of the meant guest."""

    def __init__(
        self,
        operation: Operation,
        observer: Observer,
        store: RecordStore,
        cluster: Cluster | None,
    ) -> None:
        self.operation = operation
        self.observer = observer
        self.store = store
        self.cluster = cluster

    def answer(self, meant: Identity | None, problem: str) -> Outcome:
        """Fail; record first what did arrive, if that can be told.

        It has another name or UUID than this node's file says, or the file is gone.
        The race left: where nothing is recorded the stop that follows does not find it,
        and only the question to the other nodes before a start keeps a second copy off.
        """
        try:
            seen, came = self._look(meant)
        except AgentError as error:
            seen, came, problem = [], None, f"{problem}; {error}"
        if came is not None:
            problem += self._taken(came, meant)
        elif seen:
            problem += (
                f"; no guest is taken for it: of those that came by a migration, "
                f"{newcomer.told(seen)}, an administrator must look which one is it, "
                "if any, and end it before it is started again"
            )
        tail = "Pacemaker stops it on both nodes and starts it once"
        return Outcome(exitcodes.GENERIC, f"{problem}; {tail}")

    def _look(self, meant: Identity | None) -> tuple[list[Candidate], Candidate | None]:
        """Return the candidates, and the one that has arrived where that is clear."""
        operation, observer, uri = self.operation, self.observer, _uri(self.operation)
        name, uuid = (meant.name, meant.uuid) if meant else ("", "")
        instance, deadline = operation.instance, operation.deadline
        found = observer.arrived(uri, name, self.store, instance, deadline)
        seen = newcomer.candidates(found, observer.ages_s(uri) if found else {})
        came = newcomer.of_that_name(seen, name, uuid)
        if came is None and any(candidate.may_be_it for candidate in seen):
            cluster = self.cluster or _local_cluster(operation)
            newcomer.note_owners(seen, instance, cluster, deadline, operation.log)
            came = newcomer.only_one(seen)
        return seen, came

    def _taken(self, came: Candidate, meant: Identity | None) -> str:
        """Record what arrived; return the sentence about it."""
        operation, uri = self.operation, _uri(self.operation)
        source, driver = _source(operation), uris.driver(uri)
        record = Record(came.name, came.uuid, driver, uri, source)
        trouble = ""
        try:
            self.store.write(operation.instance, record)
        except OSError as error:
            trouble = f"; its record cannot be written: {error}"
        if meant is not None and meant.is_same(record):
            return trouble
        return (
            f"{trouble}; guest {came.name} with UUID {came.uuid} is here in its place "
            "and taken for it, so that the stop finds it: the files of the two nodes "
            "differ, make them the same"
        )


def _local_cluster(operation: Operation) -> Cluster:
    from vmha.agents.pacemaker import Cluster

    return Cluster(operation.environ)


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
