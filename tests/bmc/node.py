"""The power of a node over time, as the chassis behind a scripted BMC: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from bmc.plan import Plan

# IPMI 2.0, table 28-4.
NAMES = {0: "off", 1: "on", 2: "cycle", 3: "reset", 4: "diag", 5: "soft"}


class Order(NamedTuple):
    """An order that reached the chassis: when, which, in which session, and if done."""

    at_s: float
    name: str
    session: int
    is_done: bool


class Change(NamedTuple):
    """The true power from a point in time on."""

    at_s: float
    is_on: bool


class Node:
    """A node's true power, what was ordered, and what was shown.

    An off for a node that is off, or while another off is under way, changes nothing.
    One that is under way is carried out even if an on comes in between: the worst a
    chassis can do.
    """

    def __init__(self, plan: Plan, clock: Callable[[], float]) -> None:
        self.plan = plan
        self._clock = clock
        self._due: list[Change] = []
        self._seen: dict[str, int] = {}
        self._reads = 0
        self.changes = [Change(clock(), plan.is_on)]
        self.orders: list[Order] = []

    @property
    def is_on(self) -> bool:
        """Return the true power now."""
        return self.was_on(self._clock())

    def was_on(self, at_s: float) -> bool:
        """Return the true power at a time that is not in the future."""
        self._happen()
        return [change for change in self.changes if change.at_s <= at_s][-1].is_on

    def names(self) -> list[str]:
        """Return the orders that came, in order."""
        return [order.name for order in self.orders]

    def set_power(self, is_on: bool) -> None:
        """Set the true power without anybody asking."""
        self._due.clear()
        self.changes.append(Change(self._clock(), is_on))

    def show(self) -> bool:
        """Answer a read: the truth, unless the plan has a lie for it."""
        number, self._reads = self._reads, self._reads + 1
        reads = self.plan.false_reads
        shown = reads[number] if number < len(reads) else self.plan.lie
        return self.is_on if shown is None else bool(shown)

    def order(self, kind: int, session: int) -> bool:
        """Take an order; tell whether the chassis knows it."""
        name = NAMES.get(kind)
        if name is None:
            return False
        before = self._seen.get(name, 0)
        self._seen[name] = before + 1
        is_done = before >= self.plan.ignored.get(name, 0)
        now = self._clock()
        self.orders.append(Order(now, name, session, is_done))
        if is_done:
            self._plan_changes(name, now)
        return True

    def _plan_changes(self, name: str, now: float) -> None:
        self._happen()
        off, on = now + self.plan.off_s, now + self.plan.on_s
        if name == "on":
            self._due.append(Change(on, True))
        elif not self._ends_on():
            return
        elif name in ("off", "soft"):
            self._due.append(Change(off, False))
        elif name == "cycle":
            self._due += [Change(off, False), Change(off + self.plan.cycle_s, True)]
        self._happen()

    def _ends_on(self) -> bool:
        """Tell whether the node is on, or will be, and no off is under way."""
        is_on = self.changes[-1].is_on or bool(self._due)
        return is_on and all(due.is_on for due in self._due)

    def _happen(self) -> None:
        """Carry out what is due."""
        now = self._clock()
        for change in sorted(self._due):
            if change.at_s <= now:
                self._due.remove(change)
                if change.is_on != self.changes[-1].is_on:
                    self.changes.append(change)
