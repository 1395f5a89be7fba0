"""A power device in virtual time: implements the sequence's Device, scripted by fate.

``Clock`` is the time; each look and order of ``Node`` takes 0.02 s of it. A node's
story is told by its attributes; ``journal`` keeps what happened, for assertions.
"""

from __future__ import annotations

from typing import Callable

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Refused, Unreachable
from vmha.fence.protocol.sequence import (
    CYCLE,
    DIAG,
    OFF,
    ON,
    UNKNOWN,
    Reading,
    Receipt,
)

CALL_S = 0.02


class Interrupted(Exception):
    """The process was killed at this point."""


class Clock:
    """Virtual time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += max(seconds, 0.001)

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, self, self.sleep)


class Node:
    """A node behind a BMC.

    ``shows`` may replace the n-th reading: a state, or an exception to report as the
    reason for UNKNOWN. ``answers`` may replace the receipt of the n-th order.
    """

    def __init__(self, clock: Clock, power: str = ON, takes_s: float = 0.0) -> None:
        self.clock = clock
        self.true_power = power
        self.takes_s = takes_s
        self.ignores = 0
        self.shows: Callable[[int], object] = lambda _n: None
        self.answers: Callable[[int], Receipt | None] = lambda _n: None
        self.renewable = True
        self.hint = ""
        self.unfit: AgentError | None = None
        self.away_s = 1.0  # how long a cycle keeps it off
        self.interrupt_at: int | None = None
        self.journal: list[str] = []
        self.read_at: list[float] = []
        self._off_at: float | None = None
        self._on_at: float | None = None
        self._reads = 0
        self._orders = 0

    @property
    def orders(self) -> list[str]:
        """Return the orders that were sent."""
        return [word for word in self.journal if word.startswith("order")]

    def power(self, deadline: Deadline) -> Reading:
        assert not deadline.expired(), "a look without time says nothing of the device"
        self._step("read")
        self.read_at.append(self.clock.now)
        self._reads += 1
        shown = self.shows(self._reads)
        if isinstance(shown, AgentError):
            return Reading(UNKNOWN, failure=shown)
        return Reading(str(shown) if shown else self.truth())

    def order(self, goal: str, _deadline: Deadline) -> Receipt:
        self._step(f"order {goal}")
        self._orders += 1
        receipt = self.answers(self._orders)
        if receipt is not None and not receipt.sent:
            return receipt
        if self._orders > self.ignores:
            if goal == ON:
                self.true_power, self._off_at = ON, None
            elif goal != DIAG:
                self._off_at = self._off_at or self.clock.now + self.takes_s
            if goal == CYCLE and self._off_at is not None:
                self._on_at = self._off_at + self.away_s
        return receipt or Receipt(True)

    def renew(self, _deadline: Deadline) -> bool:
        self._step("renew")
        return self.renewable

    def prove(self, _deadline: Deadline) -> str:
        self._step("prove")
        if self.unfit:
            raise self.unfit
        return self.hint

    def truth(self) -> str:
        """Return the true power now."""
        if self._off_at is not None and self.clock.now >= self._off_at:
            self.true_power, self._off_at = OFF, None
        if self._on_at is not None and self.clock.now >= self._on_at:
            self.true_power, self._on_at = ON, None
        return self.true_power

    def _step(self, what: str) -> None:
        if self.interrupt_at is not None and len(self.journal) >= self.interrupt_at:
            raise Interrupted
        self.journal.append(what)
        self.clock.sleep(CALL_S)


class Notes:
    """A Report that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.results: list[tuple[int, str]] = []

    def say(self, sentence: str) -> None:
        self.said.append(sentence)

    def warn(self, sentence: str) -> None:
        self.warnings.append(sentence)

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def result(self, exit_code: int, sentence: str, rest_s: float = 0.0) -> None:
        assert rest_s >= 0
        self.results.append((exit_code, sentence))


SILENCE = Unreachable("nobody answers")
NONSENSE = AgentError("it talks nonsense")
NO_RIGHT = Refused("no right")
