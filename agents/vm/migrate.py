"""migrate_to: moving the running guest to another node.

Called by ``main`` on the source; ``arrival`` is the target's side. A failed migrate_to
makes Pacemaker stop the guest on both nodes and start it once, so the target is checked
before the guest is touched (``preflight``), the job is helped along (``ladder``),
retried and, in time, aborted by us: a process that Pacemaker kills cannot say how it
ended. The answer is read back from both hosts, not taken from the job's return.
"""

from __future__ import annotations

from vmha.agents.hypervisor import domains, migration
from vmha.agents.hypervisor import uri as uris
from vmha.agents.hypervisor.migration import MIGRATION_OUT, TUNNELLED, Job
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import AgentError, Refused, Unreachable
from vmha.agents.vm import cold, configuration
from vmha.agents.vm import identity as identities
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.ladder import Ladder, Step
from vmha.agents.vm.lifecycle import hold
from vmha.agents.vm.observation import Observation, Observer, host_name, running_one
from vmha.agents.vm.preflight import Preflight, Target
from vmha.agents.vm.record import LEFT, MOVES, RecordStore
from vmha.agents.vm.states import MIGRATABLE, Presence, Verdict, migration_verdict
from vmha.agents.vm.transfer import Wishes

POLL_S = 0.2
STATISTICS_S = 0.5
LOG_S = 10.0
ANSWERS_S = 5.0
SETTLES_S = 10.0
ATTEMPTS = 3
ABORTED = "it did not end in the time Pacemaker gave, and was aborted"
# What decides over the way to the target; a wrong value fails before anything is done.
_WAY = (
    "hypervisor",
    "migration_transport",
    "migration_user",
    "migration_network_suffix",
    "migrateport",
    "migrateuri",
    "remoteuri",
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
    if configuration.wanted(operation):
        seen = observer.look(guest, operation.deadline)
        configuration.save(operation, seen, store)
    if cold.is_meant(operation, guest):
        return cold.leave(operation, observer, guest)
    return _Migration(operation, observer, guest, store).carry_out()


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
        self,
        operation: Operation,
        observer: Observer,
        guest: Identity,
        store: RecordStore,
    ) -> None:
        self.store = store
        self.operation = operation
        self.deadline = operation.deadline
        self.observer = observer
        self.guest = guest
        self.reserve_s = min(15.0, self.deadline.remaining_s() / 4)
        self.wishes = Wishes(operation)
        self.target = Target(operation, guest)
        self.preflight = Preflight(operation, self.target, guest)
        self.failure = ""

    def carry_out(self) -> Outcome:
        """Check, migrate, read back; again while time allows and nothing has moved."""
        for attempt in range(1, ATTEMPTS + 1):
            seen = self._after_other_jobs()
            self.preflight.check(seen, self.deadline.part(self.reserve_s))
            if self._has_arrived_before(seen):
                return self._outcome(Verdict.ARRIVED)
            self._check_source(seen)
            self._mark()
            verdict = self._attempt(seen)
            if verdict is Verdict.STAYED:
                self.store.forget(self.operation.instance, LEFT)
            half_gone = self.deadline.elapsed_s() > self.deadline.timeout_s / 2
            if verdict is not Verdict.STAYED or half_gone or attempt == ATTEMPTS:
                break
            self.operation.log.warning(
                f"{self.guest} stayed on {host_name()}, trying again: {self.failure}"
            )
            self.deadline.sleep(1.0)
        return self._outcome(verdict)

    def _mark(self) -> None:
        """Note that the guest may have left: a stop must not resume what is paused."""
        try:
            self.store.mark(self.operation.instance, LEFT)
        except OSError as error:
            raise self.target.untouched(
                f"that it is leaving cannot be noted below /run/vmha: {error}"
            ) from error

    def _after_other_jobs(self) -> Observation:
        """Look at the source, once libvirt is at no other job of the guest.

        A migration under way is ours from an agent that was killed, or an
        administrator's: it is waited for, and aborted at the end of our time. Anything
        else, such as a backup, is waited for and never aborted.
        """
        patience = self.deadline.part(self.deadline.remaining_s() / 2)
        told = ""
        while True:
            seen = self._look_here()
            what = self._job_of(seen)
            if not what:
                return seen
            if what != told:
                told = what
                self.operation.log.warning(
                    f"{what} of {self.guest} is under way on {host_name()}; waiting"
                )
            if what == MIGRATION_OUT and seen.connection is not None:
                self._accompany(Job(seen.connection, seen.sight.domain))
                if self.deadline.remaining_s() <= self.reserve_s:
                    return self._look_here()
            elif patience.expired():
                raise self.target.untouched(
                    f"{what} of it is under way on {host_name()} and is not aborted; "
                    "move the guest when it has ended"
                )
            patience.sleep(1.0)

    def _job_of(self, seen: Observation) -> str:
        """Return the job libvirt is at; a libvirt that does not tell is no reason."""
        if seen.connection is None or seen.sight.domain is None:
            return ""
        limit = self.deadline.part(ANSWERS_S)
        try:
            return migration.job_under_way(seen.connection, limit, seen.sight.domain)
        except AgentError as error:
            self.operation.log.warning(f"{self.guest}: {error}")
            return ""

    def _attempt(self, seen: Observation) -> Verdict:
        """Run one migration job and read back what came of it."""
        source = seen.connection
        if source is None:
            raise Unreachable(f"{self.guest}: {seen.silence}")
        transfer = self.wishes.transfer()
        self.preflight.check_needs(seen, transfer, self.wishes.unsafe)
        if transfer.mode != TUNNELLED:  # libvirt refuses a path of the memory's own
            transfer.uri = self._data_uri()
        self.operation.watchdog.say(
            f"{self.guest} was being migrated to {self.target.node}; its job was not "
            "ended"
        )
        connection = self.target.connect()
        job = migration.begin(source, seen.sight.domain, connection, transfer)
        self._accompany(job)
        self.operation.watchdog.say(
            f"{self.guest}: its migration to {self.target.node} ended, but the two "
            "hosts did not say in time where it is"
        )
        verdict = self._read_back()
        if verdict is Verdict.HALTED_AT_SOURCE:
            verdict = self._let_run_on(seen)
        return verdict

    def _data_uri(self) -> str:
        values = self.operation.values
        return uris.data(
            self.guest.uri,
            self.target.node,
            values.text("migration_network_suffix"),
            values.text("migrateuri") or self.wishes.options.text("migrateuri"),
            values.number("migrateport"),
        )

    def _accompany(self, job: Job) -> None:
        """Help the job along, log its progress, abort it while there is time to."""
        begun_s = self.deadline.elapsed_s()
        ladder = self.wishes.ladder()
        unset_ms = self.wishes.downtime_ms
        log_at_s = LOG_S
        while not job.wait(STATISTICS_S, self.deadline):
            limit = self.deadline.part(ANSWERS_S)
            elapsed_s = self.deadline.elapsed_s() - begun_s
            try:
                progress = job.progress(limit)
                if unset_ms and job.allow_downtime(limit, unset_ms):
                    unset_ms = 0
            except AgentError as error:
                progress = None
                self.operation.log.warning(f"{self.guest}: {error}")
            if progress and elapsed_s >= log_at_s:
                log_at_s = elapsed_s + LOG_S
                self._log(f"{progress}; allowed pause {ladder.allowed_ms or 300} ms")
            free_s = self.deadline.remaining_s() - self.reserve_s
            step = ladder.step(progress, elapsed_s, free_s, self.reserve_s)
            if step is Step.ABORT:
                self._abort(job)
                return
            if ladder.switched and self.deadline.expired():
                break
            self._help(job, step, ladder)
        self.failure = self._explained(job.failure())

    def _explained(self, failure: str) -> str:
        """Add what to look at where TLS failed: QEMU does not say on which node."""
        words, told = ("tls", "credentials", "certificate"), failure.lower()
        if not self.wishes.tls or not any(word in told for word in words):
            return failure
        return (
            f"{failure}; migration_tls needs certificates of one authority on both "
            f"nodes, on {self.target.node} for the name it is reached by"
        )

    def _help(self, job: Job, step: Step, ladder: Ladder) -> None:
        """Carry out a step of the ladder; one that is declined leaves the job as is."""
        if step is Step.GO_ON:
            return
        limit = self.deadline.part(ANSWERS_S)
        try:
            if step is Step.ALLOW and job.allow_downtime(limit, ladder.allowed_ms):
                self._log(
                    f"its memory does not converge; allowing {ladder.allowed_ms} ms"
                )
            elif step is Step.SUSPEND and job.suspend(limit):
                self._log("pausing it until it has arrived, as --timeout asks")
            elif step is Step.POSTCOPY and job.start_postcopy(limit):
                self._log("switched to post-copy")
            elif step is Step.POSTCOPY:
                ladder.refuse_postcopy()
                self._log("post-copy was declined; it goes on without")
        except AgentError as error:
            self.operation.log.warning(f"{self.guest}: {error}")

    def _log(self, sentence: str) -> None:
        self.operation.log.info(f"{self.guest} to {self.target.node}: {sentence}")

    def _abort(self, job: Job) -> None:
        before = self.failure  # of an earlier attempt: it may say more
        self.failure = ABORTED
        if before and not before.startswith(ABORTED):
            self.failure += f"; before that: {before}"
        limit = self.deadline.part(self.reserve_s / 3)
        try:
            job.abort(limit)
        except AgentError as error:
            self.operation.log.warning(f"{self.guest}: {error}")
        job.wait(limit.remaining_s(), limit)

    def _read_back(self) -> Verdict:
        """Return how the guest stands on both hosts, once that has settled."""
        settling = self.deadline.part(SETTLES_S)
        while True:
            here = self.observer.look(self.guest, self.deadline)
            there = self.target.look()
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
        if self.target.look().state not in (State.ABSENT, State.SHUT_OFF):
            return Verdict.UNKNOWN
        limit = self.deadline.part(ANSWERS_S)
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
        if seen.state not in MIGRATABLE:
            raise Refused(f"{self.guest} cannot be migrated from {host_name()}: {seen}")

    def _has_arrived_before(self, seen: Observation) -> bool:
        """Tell a repeated migrate_to whose first run succeeded."""
        if seen.presence is not Presence.NOT_RUNNING:
            return False
        verdict = migration_verdict(State.ABSENT, self.target.look().state)
        return verdict is Verdict.ARRIVED

    def _outcome(self, verdict: Verdict) -> Outcome:
        told = [self.failure] if self.failure else []
        node = self.target.node
        if verdict is Verdict.ARRIVED:
            why = f" ({self.failure})" if self.failure else ""
            return Outcome(exitcodes.OK, f"{self.guest} runs on {node} now{why}")
        told += [f"seen before: {doubt}" for doubt in self.preflight.doubts]
        why = f" ({'; '.join(told)})" if told else ""
        return Outcome(
            exitcodes.GENERIC,
            f"{self.guest} was not migrated to {node}: {verdict.value}{why}; "
            "Pacemaker stops it on both nodes and starts it once",
        )
