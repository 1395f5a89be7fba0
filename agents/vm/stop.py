"""Stop: ask the guest, destroy it through libvirt, end the emulator; then prove it.

Called by ``main``. 0 is answered only after both witnesses see nothing; everything else
is 1, and Pacemaker then fences the node, which is the right end for a guest that cannot
be stopped. Never 5 or 6: a missing file is no reason to believe that a guest is gone.
"""

from __future__ import annotations

import signal

from vmha.agents.hypervisor import capabilities, domains
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, BadParameter
from vmha.agents.vm import configuration, leftovers
from vmha.agents.vm import identity as identities
from vmha.agents.vm.emulator import ProcessTable
from vmha.agents.vm.identity import Identity, Known
from vmha.agents.vm.monitor import unaccounted
from vmha.agents.vm.observation import Observation, Observer, host_name
from vmha.agents.vm.record import LEFT, STARTS, RecordStore
from vmha.agents.vm.states import Phase, Step, stop_step

POLL_S = 0.2
LATE_START_S = 1.0
FIRST_REPEAT_S = 5.0
TERM_SHARE = 0.5


def stop(
    operation: Operation,
    observer: Observer,
    store: RecordStore,
    table: ProcessTable,
) -> Outcome:
    """Stop every guest that this resource may have here, with proof."""
    values, instance = operation.values, operation.instance
    while store.is_held(instance, STARTS):  # see lifecycle.hold
        if operation.deadline.expired():
            return Outcome(exitcodes.GENERIC, "a start of it has not ended yet")
        operation.deadline.sleep(POLL_S)
    known = identities.resolve(values, store, instance, operation.deadline)
    if not known.identities:
        return _stop_unknown(operation, observer, store, known)
    sentences = []
    for guest in reversed(known.identities):  # the recorded one, which runs, first
        stopped, sentence = stop_one(operation, observer, table, guest, store)
        sentences.append(sentence)
        if not stopped:
            return Outcome(exitcodes.GENERIC, sentence)
    for guest in known.identities:
        leftovers.after_stop(operation, observer, guest)
    forget(operation, store)
    return Outcome(exitcodes.OK, "; ".join(sentences))


def forget(operation: Operation, store: RecordStore) -> None:
    """Remove the record; a folder that refuses does not unmake the proof."""
    try:
        store.remove(operation.instance)
    except OSError as error:
        operation.log.warning(f"the guest's record cannot be removed: {error}")


def stop_one(
    operation: Operation,
    observer: Observer,
    table: ProcessTable,
    guest: Identity,
    store: RecordStore | None = None,
) -> tuple[bool, str]:
    """Stop one guest; tell whether it is proven gone, and the sentence for it.

    With ``store`` its definition is saved before, if that is wanted.
    """
    return _Stop(operation, observer, table, guest, store).carry_out()


def _stop_unknown(
    operation: Operation, observer: Observer, store: RecordStore, known: Known
) -> Outcome:
    """Answer when nobody knows the guest: 0 only where nothing could be it."""
    running = unaccounted(operation, observer, store)
    if running == []:
        forget(operation, store)
        return Outcome(exitcodes.OK, f"nothing runs here; {known.problem}")
    what = "what runs here cannot be listed"
    if running:
        what = f"{', '.join(running)} run(s) here without a record and may be it"
    return Outcome(
        exitcodes.GENERIC,
        f"cannot stop a guest that nobody can name: {known.problem}; {what}",
    )


class _Plan:
    """When a stop escalates, in seconds that must remain of its time."""

    __slots__ = ("force_s", "kill_s", "patience_s")

    def __init__(self, total_s: float, force_at_once: bool) -> None:
        self.kill_s = min(10.0, total_s / 4)
        force_s = min(20.0, total_s / 3)
        self.force_s = total_s + 1 if force_at_once else self.kill_s + force_s
        self.patience_s = 0.0 if force_at_once else min(15.0, total_s / 4)

    def phase(self, remaining_s: float, silent_s: float) -> Phase:
        """Return the phase; a libvirt that stays silent is given up on early."""
        if remaining_s <= self.kill_s:
            return Phase.KILL
        if remaining_s <= self.force_s or silent_s > self.patience_s:
            return Phase.FORCE
        return Phase.GRACEFUL


class _Stop:
    """One guest's stop under way."""

    def __init__(
        self,
        operation: Operation,
        observer: Observer,
        table: ProcessTable,
        guest: Identity,
        store: RecordStore | None,
    ) -> None:
        self.store = store
        self.operation = operation
        self.deadline = operation.deadline
        self.observer = observer
        self.table = table
        self.guest = guest
        self.asking = _Asking(operation, guest.driver)
        self.plan = _Plan(self.deadline.remaining_s(), _force_stop(operation))
        self.silent_since_s: float | None = None
        self.last_done = "found it"
        self.was_gone = False
        self.was_saved = False

    def carry_out(self) -> tuple[bool, str]:
        """Return whether the guest is proven gone, and the sentence for it."""
        while True:
            seen = self.observer.look(self.guest, self._looking())
            phase = self._phase(seen)
            step = stop_step(self._state(seen), seen.process, phase)
            if step is Step.DONE and not self._may_still_come():
                return True, f"{self.guest} does not run on {host_name()}: {seen}"
            if self.deadline.expired():
                break
            if step in (Step.SHUT_DOWN, Step.RESUME, Step.DESTROY):
                self._save(seen)
            self.operation.watchdog.say(
                f"{self.guest}: {step.value} did not end; last seen: {seen}"
            )
            self._do(step, seen)
        return False, (
            f"{self.guest} is not proven stopped on {host_name()} ({seen}; last "
            f"action: {self.last_done}); Pacemaker will fence this node"
        )

    def _state(self, seen: Observation) -> State:
        """Return the state; a paused guest that a migration took away is a remnant.

        Where the agent died after libvirt had switched hosts, both show it paused:
        resumed here to shut down, it would run beside the one on the target.
        """
        store, instance = self.store, self.operation.instance
        if seen.state is State.PAUSED and store and store.is_marked(instance, LEFT):
            return State.HALTED
        return seen.state

    def _looking(self) -> Deadline:
        """Return the bound of one look: a share of what is left.

        libvirt locks a guest while it destroys it; near the end, waiting for its answer
        would use up the time in which the emulator can still be ended and seen gone.
        """
        return self.deadline.part(max(0.2, self.deadline.remaining_s() / 4))

    def _may_still_come(self) -> bool:
        """Tell, once, to look again for a guest whose start was not seen to end.

        A libvirt that hung and has just come back may answer us before it takes up the
        start that lay in its queue. The race left: one that needs longer for it.
        """
        again = self.guest.pending and not self.was_gone
        self.was_gone = True
        if again:
            self.deadline.sleep(LATE_START_S)
        return again

    def _phase(self, seen: Observation) -> Phase:
        now_s = self.deadline.elapsed_s()
        if not seen.silence:
            self.silent_since_s = None
        elif self.silent_since_s is None:
            self.silent_since_s = now_s
        since_s = now_s if self.silent_since_s is None else self.silent_since_s
        return self.plan.phase(self.deadline.remaining_s(), now_s - since_s)

    def _do(self, step: Step, seen: Observation) -> None:
        """Carry out a step; what libvirt refuses is seen at the next look."""
        try:
            if step is Step.SHUT_DOWN:
                self.asking.ask(seen, self._limit(self.plan.force_s))
            elif step is Step.RESUME and seen.connection:
                limit = self._limit(self.plan.force_s)
                domains.resume(seen.connection, limit, seen.sight.domain)
            elif step is Step.DESTROY:
                self._destroy(seen)
            elif step is Step.KILL:
                self._kill(seen)
        except AgentError as error:
            self.operation.log.warning(f"{self.guest}: {error}")
        if step is not Step.WAIT:
            self.last_done = step.value
        self.deadline.sleep(POLL_S)

    def _save(self, seen: Observation) -> None:
        """Save the guest's definition, once, before it is first asked to end."""
        if self.store and not self.was_saved:
            self.was_saved = True
            configuration.save(self.operation, seen, self.store)

    def _limit(self, reserve_s: float) -> Deadline:
        """Return the bound of one libvirt call: the next phase's time is not touched.

        A frozen emulator holds a shutdown call for as long as it is let.
        """
        free_s = self.deadline.remaining_s() - reserve_s
        return self.deadline.part(max(1.0, free_s))

    def _destroy(self, seen: Observation) -> None:
        """Destroy through libvirt, which itself waits for SIGTERM and SIGKILL."""
        if seen.connection is None:
            return
        self.operation.log.info(f"destroying {self.guest}: {seen}")
        limit = self._limit(self.plan.kill_s)
        domains.destroy(seen.connection, limit, seen.sight.domain)

    def _kill(self, seen: Observation) -> None:
        """End the emulator: SIGTERM lets QEMU close its disks, SIGKILL does not ask."""
        if seen.emulator is None:
            return
        pid = seen.emulator.pid
        self.operation.log.warning(f"ending emulator {pid} of {self.guest}: {seen}")
        term = self.deadline.part(min(3.0, self.plan.kill_s * TERM_SHARE))
        if not self.table.end(seen.emulator, term, signal.SIGTERM):
            rest = self.deadline.part(self.plan.kill_s * TERM_SHARE)
            self.table.end(seen.emulator, rest, signal.SIGKILL)


class _Asking:
    """Asks a guest to shut down, by one method after the other, and repeats itself.

    A guest in its first seconds of boot ignores the ACPI button, so it is pressed again
    after 5 s, then after twice as long each time. A method that libvirt refuses, or
    that has had its share of presses, makes room for the next.
    """

    def __init__(self, operation: Operation, driver: str) -> None:
        self._deadline = operation.deadline
        self._log = operation.log
        self._methods = _methods(operation, driver)
        self._next_s = 0.0
        self._wait_s = FIRST_REPEAT_S
        self._presses = 0

    def ask(self, seen: Observation, limit: Deadline) -> None:
        """Press the button if it is time to."""
        now_s = self._deadline.elapsed_s()
        if now_s < self._next_s or seen.connection is None:
            return
        method = self._methods[self._presses % len(self._methods)]
        self._presses += 1
        try:
            domains.shut_down(seen.connection, limit, seen.sight.domain, method)
        except AgentError:
            if self._presses >= len(self._methods):
                self._next_s = now_s + self._wait_s
            raise
        self._log.info(f"asked {seen.identity} to shut down ({method or 'default'})")
        self._next_s = now_s + self._wait_s
        self._wait_s *= 2


def _methods(operation: Operation, driver: str) -> list[str]:
    """Return the shutdown methods in their order; nonsense means the default.

    Those that the hypervisor's driver has not are left out: each would cost the guest
    a share of the time that it has for shutting down.
    """
    try:
        text = operation.values.text("shutdown_mode")
    except BadParameter as problem:
        operation.log.warning(f"{problem}; the hypervisor's default is used")
        text = ""
    wanted = text.replace(",", " ").split() or [""]
    methods, missing = capabilities.fitting_methods(driver, wanted)
    if missing:
        operation.log.warning(
            f"libvirt's {driver} driver cannot shut a guest down by "
            f"{', '.join(missing)}; tried instead: "
            + ", ".join(method or "its default" for method in methods)
        )
    return methods


def _force_stop(operation: Operation) -> bool:
    """Return force_stop; nonsense means no: a graceful stop harms nobody."""
    try:
        return operation.values.flag("force_stop")
    except BadParameter as problem:
        operation.log.warning(f"{problem}; the guest is stopped gracefully")
        return False
