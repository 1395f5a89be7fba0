"""Observe, decide, act, confirm: how a node gets on or off, and when that is proven.

Pure: the device, the clock and the log come as arguments. ``next_step`` is the whole
decision; ``reach`` repeats it until the goal is read back from the device or the time
is over. Called by the power modules of the agents, replayed in virtual time by tests.

The rules, and what they are for:

- Off is two reads of off in a row. A single one can be false while power goes down.
- Unknown is neither on nor off: it interrupts the row. Where the device answered that
  the node is in between, off is ordered nevertheless, for it may hang there; once
  the device has taken it, that state is its way to off.
- Off is repeated while off has never been read since it was sent: some BMCs ignore the
  first. Once off was read, a later "on" may be somebody's will, and is not answered
  with another off.
- After a reboot's off, "on" is only sent when the session that carried the off is known
  to be closed: BMCs carry out an off that arrives late, and would kill the node again.
- A cycle is sent once. It is off and on in one, so a second one would power off a node
  that is on again; and it counts only if off was read twice while it lasted.
- What is left: a device that shows off twice in a row while the node runs. Only a
  second device could contradict it.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import AgentError, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Protocol

    from vmha.agents.protocol.deadline import Deadline

    class Device(Protocol):
        """A power device: the effects that the sequence needs."""

        def power(self, deadline: Deadline) -> Reading:
            """Read the node's power; raises AgentError when that cannot succeed."""

        def order(self, goal: str, deadline: Deadline) -> Receipt:
            """Ask for ON, OFF, CYCLE or DIAG; raises AgentError if that cannot succeed.

            CYCLE and DIAG go out once, and are not sent again if no answer comes.
            """

        def renew(self, deadline: Deadline) -> bool:
            """Begin a fresh session; tell whether no off or cycle can still arrive."""

        def prove(self, deadline: Deadline) -> str:
            """Raise AgentError if it could not fence now; else return "" or a hint."""


ON, OFF, UNKNOWN = "on", "off", "unknown"
CYCLE, DIAG = "cycle", "diag"  # orders that are no state

PROOF_READS = 2
PROOF_TIME_S = 3.0  # in which a device that answers slowly is read twice
REPEAT_AFTER_S = 4.0
REFUSED_AGAIN_AFTER_S = 0.5
FIRST_PAUSE_S = 0.1
LAST_PAUSE_S = 1.0
COME_BACK_S = 3.0  # of the seconds that a reboot has for its second half

# Steps of next_step.
READ, ORDER, REACHED, GIVE_UP = "read", "order", "reached", "give up"


class Reading:
    """What one look at the device gave: ON, OFF or UNKNOWN, and why unknown.

    ``answered`` with UNKNOWN: the device told a state, one that is neither on nor off.
    """

    __slots__ = ("answered", "evidence", "failure", "state")

    def __init__(
        self,
        state: str,
        evidence: str = "",
        failure: AgentError | None = None,
        answered: bool = False,
    ) -> None:
        self.answered = answered
        self.state = state
        self.evidence = evidence
        self.failure = failure


class Receipt:
    """What the device said to an order; ``failure`` None means it was taken.

    ``sent`` is False only when the device said that it has done nothing.
    """

    __slots__ = ("failure", "sent")

    def __init__(self, sent: bool, failure: AgentError | None = None) -> None:
        self.sent = sent
        self.failure = failure


class Facts:
    """All that is known on the way to a goal; the input of ``next_step``.

    ``state`` is the last reading, None before the first one and after an order.
    ``orders`` counts those that the device may carry out, ``tries`` all.
    ``silent`` tells that the last look found nobody there, ``between`` that it found a
    state that is neither on nor off. ``off_after_s`` is the time from the first order
    to the first read of the off that was proven.
    """

    __slots__ = (
        "between",
        "failure",
        "off_after_s",
        "off_in_a_row",
        "off_since_order",
        "orders",
        "silent",
        "since_try_s",
        "state",
        "taken",
        "tries",
    )

    def __init__(self) -> None:
        self.state: str | None = None
        self.off_in_a_row = 0
        self.off_after_s = 0.0
        self.off_since_order = False
        self.orders = 0
        self.tries = 0
        self.taken = False
        self.since_try_s = 0.0
        self.silent = False
        self.between = False
        self.failure: AgentError | None = None

    def read(self, reading: Reading) -> None:
        """Add a reading."""
        self.state = reading.state
        self.silent = isinstance(reading.failure, Unreachable)
        self.between = reading.state == UNKNOWN and reading.answered
        self._keep(reading.failure)
        if reading.state != OFF:
            self.off_in_a_row = 0
            return
        self.off_in_a_row += 1
        self.off_since_order = self.off_since_order or self.orders > 0

    def _keep(self, failure: AgentError | None) -> None:
        """Keep the failure that says most: what was answered, rather than silence."""
        answered = self.failure and not isinstance(self.failure, Unreachable)
        if failure and not (answered and self.silent):
            self.failure = failure
        elif not failure and not self.tries:
            self.failure = None

    def ordered(self, receipt: Receipt) -> None:
        """Add an order: what was read before it proves nothing any more."""
        self.state = None
        self.off_in_a_row = 0
        self.tries += 1
        self.orders += receipt.sent
        self.taken = receipt.failure is None
        self.since_try_s = 0.0
        self.failure = receipt.failure


def next_step(goal: str, facts: Facts, most_orders: int | None = None) -> str:
    """Decide what to do next to bring a node to ``goal``."""
    if goal == OFF and facts.off_in_a_row >= PROOF_READS:
        return REACHED
    if goal == ON and facts.state == ON:
        return REACHED
    if facts.state == UNKNOWN and facts.silent and not facts.tries:
        return GIVE_UP  # nothing has begun: another device can take over at once
    if facts.state in (None, goal):
        return READ
    if facts.state == UNKNOWN:
        stuck = goal == OFF and facts.between and not facts.taken
        if not stuck:
            return READ
    if not facts.tries:
        return ORDER
    if facts.off_since_order and goal == OFF:
        return READ
    if most_orders is not None and facts.orders >= most_orders:
        return READ
    wait_s = REPEAT_AFTER_S if facts.taken else REFUSED_AGAIN_AFTER_S
    return ORDER if facts.since_try_s >= wait_s else READ


def rest_s(wanted_s: float, deadline: Deadline) -> float:
    """Return how long to leave a device alone: never into the time for the proof."""
    return max(0.0, min(wanted_s, deadline.remaining_s() - PROOF_TIME_S))


def pause_s(facts: Facts, waited_s: float) -> float:
    """Return how long to wait before the next look, ``waited_s`` after the first order.

    None before the first look; 0.1 s to confirm an off and while things happen; then
    growing to a second, so that a slow node costs its BMC few questions.
    """
    if facts.state is None:
        return 0.0
    if facts.off_in_a_row == 1:
        return FIRST_PAUSE_S
    return min(LAST_PAUSE_S, max(FIRST_PAUSE_S, waited_s / 20))


def reach(
    goal: str,
    device: Device,
    deadline: Deadline,
    power_s: float,
    say: Callable[[str], None],
    most_orders: int | None = None,
    order: str = "",
) -> Facts:
    """Bring the node to ``goal`` and return the facts that prove it.

    ``power_s`` is the time from the first order; ``deadline`` the end of everything.
    ``order`` is what is sent where that is not the goal itself.
    Raises NotReached, or the failure that made it impossible.
    """
    order = order or goal
    facts = Facts()
    tried_at_s = deadline.elapsed_s()
    while True:
        facts.since_try_s = deadline.elapsed_s() - tried_at_s
        step = next_step(goal, facts, most_orders)
        if step == REACHED:
            return facts
        if deadline.expired():
            raise NotReached(goal, order, facts, deadline.elapsed_s())
        if step == GIVE_UP and facts.failure:
            raise facts.failure
        if step == ORDER:
            if not facts.tries:
                deadline = deadline.part(power_s)
            say(f"power {order} is sent, try {facts.tries + 1}")
            facts.ordered(device.order(order, deadline))
            tried_at_s = deadline.elapsed_s()
        else:
            deadline.sleep(pause_s(facts, deadline.elapsed_s()))
            if deadline.expired():
                continue  # a look without time would be taken for a silent device
            reading = device.power(deadline)
            facts.read(reading)
            if facts.tries and facts.off_in_a_row == 1:
                facts.off_after_s = deadline.elapsed_s()
            say(f"the device shows the node {reading.state} {reading.evidence}".strip())


class NotReached(AgentError):
    """The time is over and the goal was not read back from the device."""

    def __init__(self, goal: str, order: str, facts: Facts, elapsed_s: float) -> None:
        self.goal = goal
        self.state = facts.state
        seen = facts.state or "not read"
        times = "once" if facts.orders == 1 else f"{facts.orders} times"
        text = (
            f"the node is not proven {goal} after {elapsed_s:.1f} s: the device shows "
            f"it {seen}, power {order} was sent {times}"
        )
        if facts.failure:
            text += f"; {facts.failure}"
        elif order == CYCLE and facts.orders:
            text += "; a cycle may be too short to be seen: use method=onoff"
        elif goal == OFF:
            text += "; check in the BMC that power off is immediate, not a soft-off"
        super().__init__(text)


def turn_on_again(
    device: Device, deadline: Deadline, off: Facts, say: Callable[[str], None]
) -> str:
    """Send the second half of a reboot; return "" or a warning.

    The node was proven off, so the reboot holds whatever happens here.
    """
    try:
        if off.orders and not device.renew(deadline):
            return (
                "the node is off and stays off: the device did not confirm the end of "
                "the session that carried the off, which could arrive after an on; "
                "turn the node on by hand"
            )
        return _send_on(device, deadline, say)
    except AgentError as error:
        return f"the node is off and stays off, power on failed: {error}"


def come_back(device: Device, deadline: Deadline, say: Callable[[str], None]) -> str:
    """Wait for the second half of a cycle, which is the device's; "" or a warning.

    The session that carried the cycle is ended first, so that a late copy of it finds
    none. Where the device leaves the node off, on is sent.
    """
    try:
        closed = device.renew(deadline)
        patience = deadline.part(COME_BACK_S)
        while not patience.expired():
            if device.power(patience).state == ON:
                return ""
            patience.sleep(REFUSED_AGAIN_AFTER_S)
        if closed:
            return _send_on(device, deadline, say)
    except AgentError as error:
        return f"it was not seen that the node came back on: {error}"
    return "the node was off, and was not seen to come back: turn it on by hand"


def _send_on(device: Device, deadline: Deadline, say: Callable[[str], None]) -> str:
    """Send power on until the device takes it."""
    while True:
        say("power on is sent")
        failure = device.order(ON, deadline).failure
        if failure is None:
            return ""
        if deadline.expired():
            return f"the node is off and stays off, power on was not taken: {failure}"
        deadline.sleep(REFUSED_AGAIN_AFTER_S)
