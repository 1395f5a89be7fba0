"""migrate_to: moving the running guest to another node.

Called by ``main`` on the source; ``arrival`` is the target's side. A failed migrate_to
makes Pacemaker stop the guest on both nodes and start it once, so the target is checked
before the guest is touched, the job is retried and, in time, aborted by us: a process
that Pacemaker kills cannot say how it ended. The answer is read back from both hosts,
not taken from the job's return.
"""

from __future__ import annotations

from vmha.agents.hypervisor import connection as connections
from vmha.agents.hypervisor import domains, migration, resources
from vmha.agents.hypervisor import uri as uris
from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.domains import Sight
from vmha.agents.hypervisor.migration import Job
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import (
    AgentError,
    BadParameter,
    Refused,
    Unreachable,
)
from vmha.agents.vm import identity as identities
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.lifecycle import hold, resources_of
from vmha.agents.vm.observation import Observation, Observer, host_name, running_one
from vmha.agents.vm.record import MOVES, RecordStore
from vmha.agents.vm.states import Presence, Verdict, migration_verdict

POLL_S = 0.2
TARGET_ANSWERS_S = 5.0
SETTLES_S = 10.0
ARRIVES_S = 4.0  # after migrate_to has ended, for a guest of which nothing is there
ATTEMPTS = 3
# What decides over the way to the target; a wrong value fails before anything is done.
_WAY = (
    "migration_transport",
    "migration_network_suffix",
    "migrateuri",
    "remoteuri",
    "start_resources",
)
_OPEN = (Verdict.PENDING, Verdict.UNKNOWN)


def migrate_to(operation: Operation, observer: Observer, store: RecordStore) -> Outcome:
    """Move the running guest to the node Pacemaker chose."""
    for name in _WAY:
        operation.values.text(name)
    hold(operation, store, MOVES)
    known = identities.meant(
        operation.values, store, operation.instance, operation.deadline
    )
    guest = running_one(observer, known, operation.deadline)
    if not known[0].is_same(guest):
        raise _another(known[0], guest)
    if not operation.migrate_target:
        raise Refused("Pacemaker gave no target node for migrate_to")
    return _Migration(operation, observer, guest).carry_out()


def _another(declared: Identity, running: Identity) -> Refused:
    """Return why a guest that the parameters no longer mean is not moved.

    The target would have no record of it: its stop would look for the declared one and
    answer 0 beside the one that runs.
    """
    return Refused(
        f"{running} stays on {host_name()}, untouched: the parameters mean {declared} "
        f"with UUID {declared.uuid or 'unknown'} now; a restart of the resource "
        "replaces the one by the other"
    )


class _Migration:
    """One guest's way to another node."""

    def __init__(
        self, operation: Operation, observer: Observer, guest: Identity
    ) -> None:
        self.operation = operation
        self.deadline = operation.deadline
        self.values = operation.values
        self.observer = observer
        self.guest = guest
        self.node = operation.migrate_target
        self.reserve_s = min(15.0, self.deadline.remaining_s() / 4)
        self.target: Connection | None = None
        self.failure = ""

    def carry_out(self) -> Outcome:
        """Check, migrate, read back; again while time allows and nothing has moved."""
        for attempt in range(1, ATTEMPTS + 1):
            seen = self._look_here()
            self._check_target(seen)
            if self._has_arrived_before(seen):
                return self._outcome(Verdict.ARRIVED)
            self._check_source(seen)
            verdict = self._attempt(seen)
            half_gone = self.deadline.elapsed_s() > self.deadline.timeout_s / 2
            if verdict is not Verdict.STAYED or half_gone or attempt == ATTEMPTS:
                break
            self.operation.log.warning(
                f"{self.guest} stayed on {host_name()}, trying again: {self.failure}"
            )
            self.deadline.sleep(1.0)
        return self._outcome(verdict)

    def _attempt(self, seen: Observation) -> Verdict:
        """Run one migration job and read back what came of it."""
        source = seen.connection
        if source is None or self.target is None:
            raise Unreachable(f"{self.guest}: {seen.silence}")
        self.operation.watchdog.say(
            f"{self.guest} was being migrated to {self.node}; its job was not ended"
        )
        data = uris.data(
            self.guest.uri,
            self.node,
            self.values.text("migration_network_suffix"),
            self.values.text("migrateuri"),
        )
        tuning = migration.tuning(data, self._tuned("migration_speed"))
        job = Job(source, seen.sight.domain, self.target, tuning)
        self._accompany(job)
        self.operation.watchdog.say(
            f"{self.guest}: its migration to {self.node} ended, but the two hosts did "
            "not say in time where it is"
        )
        verdict = self._read_back()
        if verdict is Verdict.HALTED_AT_SOURCE:
            verdict = self._let_run_on(seen)
        return verdict

    def _accompany(self, job: Job) -> None:
        """Tune the job, log its progress, abort it while there is time to."""
        downtime_ms = self._tuned("migration_downtime")
        log_at_s = 10.0
        while not job.wait(POLL_S):
            if self.deadline.remaining_s() <= self.reserve_s:
                self._abort(job)
                return
            limit = self.deadline.part(TARGET_ANSWERS_S)
            try:
                if downtime_ms and job.allow_downtime(limit, downtime_ms):
                    downtime_ms = 0
                if self.deadline.elapsed_s() > log_at_s:
                    log_at_s = self.deadline.elapsed_s() + 10.0
                    self.operation.log.info(
                        f"{self.guest} to {self.node}: {job.progress(limit)}"
                    )
            except AgentError as error:
                self.operation.log.warning(f"{self.guest}: {error}")
        self.failure = job.failure()

    def _tuned(self, name: str) -> int:
        """Return a tuning number; nonsense means the hypervisor's default.

        A failed migrate_to stops the guest, and its start would then fail over the
        same typo on every node.
        """
        try:
            return self.values.number(name)
        except BadParameter as problem:
            self.operation.log.error(f"{problem}; the hypervisor's default is used")
            return 0

    def _abort(self, job: Job) -> None:
        self.failure = "it did not end in the time Pacemaker gave, and was aborted"
        limit = self.deadline.part(self.reserve_s / 3)
        try:
            job.abort(limit)
        except AgentError as error:
            self.operation.log.warning(f"{self.guest}: {error}")
        job.wait(limit.remaining_s())

    def _read_back(self) -> Verdict:
        """Return how the guest stands on both hosts, once that has settled."""
        settling = self.deadline.part(SETTLES_S)
        while True:
            here = self.observer.look(self.guest, self.deadline)
            there = self._look_there()
            verdict = migration_verdict(here.state, there.state)
            if verdict not in _OPEN or settling.expired():
                return verdict
            settling.sleep(POLL_S)

    def _let_run_on(self, seen: Observation) -> Verdict:
        """Resume a guest that its failed job left paused; the target has none of it.

        Only after the target's libvirt has said so: else two copies would run.
        """
        here = self.observer.look(self.guest, self.deadline)
        if seen.state is State.PAUSED or here.connection is None:
            return Verdict.STAYED if seen.state is State.PAUSED else Verdict.UNKNOWN
        if self._look_there().state not in (State.ABSENT, State.SHUT_OFF):
            return Verdict.UNKNOWN
        limit = self.deadline.part(TARGET_ANSWERS_S)
        domains.resume(here.connection, limit, here.sight.domain)
        return self._read_back()

    def _look_here(self) -> Observation:
        """Look at the source; a libvirt that is just restarting gets a few seconds."""
        patience = self.deadline.part(self.reserve_s)
        while True:
            seen = self.observer.look(self.guest, self.deadline)
            if not seen.silence or patience.expired():
                return seen
            patience.sleep(POLL_S)

    def _check_source(self, seen: Observation) -> None:
        if seen.state not in (State.RUNNING, State.PAUSED):
            raise Refused(f"{self.guest} cannot be migrated from {host_name()}: {seen}")

    def _has_arrived_before(self, seen: Observation) -> bool:
        """Tell a repeated migrate_to whose first run succeeded."""
        if seen.presence is not Presence.NOT_RUNNING:
            return False
        verdict = migration_verdict(State.ABSENT, self._look_there().state)
        return verdict is Verdict.ARRIVED

    def _check_target(self, seen: Observation) -> None:
        """Make sure that the target can take the guest, before it is touched.

        A target whose libvirt is just restarting is given a few seconds.
        """
        patience = self.deadline.part(self.reserve_s)
        while self.target is None:
            try:
                self.target = self._connect()
            except AgentError as error:
                if patience.expired():
                    raise self._untouched(str(error)) from error
                patience.sleep(1.0)
        there = self._look_there()
        if there.stranger:
            raise self._untouched(
                f"another guest of that name runs there, with UUID {there.stranger}"
            )
        if there.state.is_active and seen.presence is not Presence.NOT_RUNNING:
            raise self._untouched(f"its libvirt has that guest {there.state.value}")
        self._check_definition(there)
        self._start_resources(seen)

    def _check_definition(self, there: Sight) -> None:
        """Refuse a target on which the guest could never be started again."""
        target = self.target
        if target is None:
            return
        if not self.values.given("config"):
            if there.domain is None:
                raise self._untouched("the guest is not defined there: virsh define it")
            return
        path = self.values.text("config")
        limit = self.deadline.part(TARGET_ANSWERS_S)
        try:
            reason = migration.missing_file(target, limit, path)
        except AgentError as error:
            raise self._untouched(str(error)) from error
        if reason:
            raise self._untouched(f"config {path} cannot be read there: {reason}")

    def _start_resources(self, seen: Observation) -> None:
        if not self.values.flag("start_resources") or self.target is None:
            return
        networks, pools = resources_of(self.operation, seen)
        try:
            resources.start_networks(self.target, self.deadline, networks)
            resources.start_pools(self.target, self.deadline, pools)
        except AgentError as error:
            raise self._untouched(str(error)) from error

    def _connect(self) -> Connection:
        uri = uris.control(
            self.guest.uri,
            self.node,
            self.values.text("migration_transport"),
            self.values.text("migration_network_suffix"),
            self.values.text("remoteuri"),
        )
        return connections.connect(uri, self.deadline.part(TARGET_ANSWERS_S))

    def _look_there(self) -> Sight:
        """Look at the guest on the target; silent when it does not answer."""
        try:
            if self.target is None:
                self.target = self._connect()
            limit = self.deadline.part(TARGET_ANSWERS_S)
            return domains.look(self.target, limit, self.guest.name, self.guest.uuid)
        except AgentError as error:
            self.target = None
            return Sight(State.SILENT, str(error))

    def _untouched(self, why: str) -> Refused:
        return Refused(
            f"{self.guest} stays on {host_name()}, untouched: {self.node} cannot take "
            f"it: {why}"
        )

    def _outcome(self, verdict: Verdict) -> Outcome:
        told = f" ({self.failure})" if self.failure else ""
        if verdict is Verdict.ARRIVED:
            return Outcome(exitcodes.OK, f"{self.guest} runs on {self.node} now{told}")
        return Outcome(
            exitcodes.GENERIC,
            f"{self.guest} was not migrated to {self.node}: {verdict.value}{told}; "
            "Pacemaker stops it on both nodes and starts it once",
        )
