"""The BMC as a power device: what ``fence.protocol.sequence`` reads and orders.

PowerState of the system, and its Reset action (DSP2046, ComputerSystem). The answer to
an order is never taken for its effect: the state is read. Decides nothing about the
node.

An order that was answered may still be carried out a little later, for some BMCs do
that in the background. One that was repeated is therefore only past when as much time
has gone by since it was taken as the first one took to show its effect.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import AgentError, Refused, Unreachable
from vmha.fence.protocol.sequence import (
    CYCLE,
    OFF,
    ON,
    UNKNOWN,
    Reading,
    Receipt,
    rest_s,
)
from vmha.fence.redfish import diagnoses, rights, systems
from vmha.fence.redfish.client import path_in, path_of, retry_after_s

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.redfish.channel import Answer
    from vmha.fence.redfish.client import Client
    from vmha.fence.redfish.systems import System

ACCEPTED = 202
LATE = (OFF, CYCLE)  # what must not arrive after an on
LONGEST_PAUSE_S = 5.0
TASK_PAUSE_S = 0.5
SHORT_S = 1.0  # less is no time to answer in
TASK_ENDED = ("Completed", "Killed", "Exception", "Cancelled")
NEVER_DONE = (409, 412, 428, 429, 503)  # said so: the order may be sent again


class Bmc:
    """One system behind one Redfish service.

    ``rest_s`` is the time a BMC is left alone after it took an order.
    """

    def __init__(self, client: Client, rest_s: float) -> None:
        self._client = client
        self._rest_s = rest_s
        self._system: System | None = None
        self._why: AgentError | None = None  # the last reading told nothing
        self._refused: AgentError | None = None  # the last order was not taken
        self._ordered = False
        self._unanswered = 0  # orders in LATE that may still be carried out
        self._tasks: list[str] = []  # where the service says whether they were
        self._taken: list[Deadline] = []  # each elapsed since an answer to one
        self._took_s = 0.0  # from the first of these answers to the off

    def power(self, deadline: Deadline) -> Reading:
        """Read the node's power; a refused login raises, silence is UNKNOWN."""
        is_short = deadline.remaining_s() < SHORT_S
        reading = self._look(deadline)
        if is_short and deadline.expired() and isinstance(reading.failure, Unreachable):
            return Reading(UNKNOWN, failure=self._why)  # cut off by us, not by the BMC
        self._why = reading.failure
        return reading

    def _look(self, deadline: Deadline) -> Reading:
        try:
            if self._system is None:
                self._system, document = systems.find(self._client, deadline)
            else:
                document = self._client.get(self._system.path, deadline)
            state = systems.power_state(document, self._client.label)
        except diagnoses.Busy as reason:
            deadline.sleep(min(reason.after_s, LONGEST_PAUSE_S))
            return Reading(UNKNOWN, failure=reason)
        except Refused as refusal:
            status = getattr(refusal, "status", 0)
            # A BMC that starts anew shows not all yet, and knows nobody.
            if status >= 500 or self._ordered:
                return Reading(UNKNOWN, failure=refusal)
            raise
        except diagnoses.Transitional as between:
            return Reading(UNKNOWN, failure=between, answered=True)
        except (Unreachable, diagnoses.Unintelligible) as why:
            return Reading(UNKNOWN, failure=why)
        if state == OFF and self._taken and not self._took_s:
            self._took_s = self._taken[0].elapsed_s()
        return Reading(state, f"(PowerState {document['PowerState']})")

    def order(self, goal: str, deadline: Deadline) -> Receipt:
        """Send a reset once; the answer may be lost though it is done.

        What the service has refused without doing anything may be sent again.
        """
        is_short = deadline.remaining_s() < SHORT_S
        receipt = self._send(goal, deadline)
        was_cut = is_short and deadline.expired()
        if was_cut and self._refused and isinstance(receipt.failure, Unreachable):
            return Receipt(receipt.sent, self._refused)  # by us, not by the BMC
        self._refused = receipt.failure
        return receipt

    def _send(self, goal: str, deadline: Deadline) -> Receipt:
        try:
            system = self._known(deadline)
        except (Unreachable, diagnoses.Busy) as reason:
            return Receipt(False, reason)
        kind = system.reset_type(goal, self._client.label)
        self._ordered = True
        before = self._client.unanswered
        try:
            answer = self._reset(system, kind, deadline)
        except (Unreachable, diagnoses.Busy, diagnoses.Unintelligible) as reason:
            lost = self._client.unanswered - before
            self._unanswered += lost if goal in LATE else 0
            return Receipt(lost > 0, reason)
        return self._receipt(goal, answer, deadline)

    def renew(self, deadline: Deadline) -> bool:
        """Tell whether every off and cycle that was sent is past.

        One that was sent and not answered may be carried out at any time, and one
        that became a task may be until the task has ended (DSP0266, 12.2).
        """
        while self._tasks and not deadline.expired():
            if self._has_ended(self._tasks[0], deadline):
                del self._tasks[0]
            else:
                deadline.sleep(TASK_PAUSE_S)
        if self._unanswered or self._tasks:
            return False
        if len(self._taken) > 1:
            wait_s = self._took_s - self._taken[-1].elapsed_s()
            if wait_s >= deadline.remaining_s():
                return False
            deadline.sleep(max(0.0, wait_s))
        return True

    def _has_ended(self, task: str, deadline: Deadline) -> bool:
        """Tell whether a task is known to be over, by its monitor or by itself."""
        try:
            answer = self._client.fetch(task, deadline)
            if answer.status == ACCEPTED:
                return False
            if not answer.body:
                return True
            state = self._client.document(answer, task).get("TaskState")
            return state is None or state in TASK_ENDED
        except diagnoses.Missing:
            return True  # tasks that have ended are forgotten some day
        except diagnoses.RequestRefused as refusal:
            return refusal.status < 500  # the monitor tells how the order failed
        except (Unreachable, diagnoses.Busy, diagnoses.Unintelligible):
            return False

    def prove(self, deadline: Deadline) -> str:
        """Raise the diagnosis of what would keep this BMC from fencing now."""
        hint = systems.check(self._known(deadline), self._client.label)
        rights.check(self._client, deadline)
        return hint

    def close(self, deadline: Deadline) -> None:
        """End the session."""
        self._client.close(deadline)

    def _known(self, deadline: Deadline) -> System:
        if self._system is None:
            self._system, _ = systems.find(self._client, deadline)
        return self._system

    def _reset(self, system: System, kind: str, deadline: Deadline) -> Answer:
        """Send the reset; once more with an ETag where the service demands one."""
        content = {"ResetType": kind}
        answer = self._client.post(system.target, content, deadline)
        if answer.status in (412, 428):
            shown = self._client.fetch(system.path, deadline)
            etag = shown.headers.get("etag", "*")
            answer = self._client.post(system.target, content, deadline, etag)
        return answer

    def _receipt(self, goal: str, answer: Answer, deadline: Deadline) -> Receipt:
        """Judge the answer to an order; raises what asking again cannot help."""
        client, name = self._client, systems.NAMES[goal]
        if 200 <= answer.status < 300:
            if goal in LATE:
                self._note(answer, deadline)
            deadline.sleep(rest_s(self._rest_s, deadline))
            return Receipt(True)
        try:
            client.demand_success(answer, name, self._known(deadline).target)
        except diagnoses.Busy as busy:
            deadline.sleep(min(retry_after_s(answer), LONGEST_PAUSE_S))
            # A front end says 503 too, while what is behind it may still do it.
            is_open = answer.status == 503 and "retry-after" not in answer.headers
            self._unanswered += is_open and goal in LATE
            return Receipt(is_open, busy)
        except diagnoses.RequestRefused as refusal:
            if answer.status in NEVER_DONE:
                return Receipt(False, diagnoses.Conflict(client.label, name))
            if answer.status >= 500:  # it may have been done all the same
                self._unanswered += goal in LATE
                return Receipt(True, refusal)
            if goal in (OFF, ON) and self._is_there(goal, deadline):
                return Receipt(False, refusal)  # BMCs refuse what is so already
            raise
        raise AssertionError("every status that is no success was judged")

    def _is_there(self, goal: str, deadline: Deadline) -> bool:
        try:
            return self.power(deadline).state == goal
        except AgentError:
            return False

    def _note(self, answer: Answer, deadline: Deadline) -> None:
        """Note how to find out that an order which was taken is past."""
        if answer.status != ACCEPTED:
            self._taken.append(deadline.part(0.0))
            return
        task = path_in(answer.headers.get("location", ""))
        try:
            if not task and answer.body:
                task = path_of({"it": self._client.document(answer, "a task")}, "it")
        except diagnoses.Unintelligible:
            task = ""
        if task:
            self._tasks.append(task)
        else:
            self._unanswered += 1
