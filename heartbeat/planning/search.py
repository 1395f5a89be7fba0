"""An exact search for a packing that starts as many guests as possible, bounded.

Called by ``packing``, which knows guests and rules; here are only sizes, places and
which items must be apart. A packing that is returned is a real one, whether or not the
search came to its end: what it claims can be started can be started.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WORK = 2_500_000


class Budget:
    """How much may be looked at: nodes and items, counted at every step.

    Counted work, not time, so that the same question always has the same answer. What
    one search of several leaves is there for the others.
    """

    def __init__(self, searches: int = 1, work: int = WORK) -> None:
        self.searches = searches
        self.left = work

    def share(self) -> int:
        """Return what the next search may take."""
        return self.left // max(1, self.searches)

    def pay(self, spent: int) -> None:
        """Take away what a search has taken."""
        self.searches -= 1
        self.left -= spent


class Item(NamedTuple):
    """Guests that go together: what all of them need, and what those need that run.

    ``gain`` is how many guests more are started if all of them are. The ``core`` must
    be placed in any case (nothing, if its size is None).
    """

    cpu: int
    memory: int
    gain: int
    core: tuple[int, int] | None
    allowed: frozenset[int]
    apart: tuple[int, ...]


class Packing(NamedTuple):
    """Which items are started whole, and whether no better packing exists."""

    started: frozenset[int]
    is_best: bool


class Places(NamedTuple):
    """What is free on each node; which places each rule already has a guest in.

    ``groups`` gives, rule by rule, the host or rack of each node.
    """

    cpu: Sequence[int]
    memory: Sequence[int]
    groups: Sequence[Sequence[int]]
    taken: Sequence[frozenset[int]]


class _Search:
    """Depth first, largest first; a branch that cannot be better is left."""

    def __init__(self, items: Sequence[Item], places: Places, work: int) -> None:
        self.items = items
        self.order = sorted(
            range(len(items)),
            key=lambda at: (-items[at].memory, -items[at].cpu, at),
        )
        self.cpu = list(places.cpu)
        self.memory = list(places.memory)
        self.groups = places.groups
        self.taken = [set(taken) for taken in places.taken]
        self.work = work
        self.is_plain = not places.groups and all(
            len(item.allowed) == len(self.cpu) for item in items
        )
        self.all_gain = sum(item.gain for item in items)
        self.best_gain = 0
        self.best: frozenset[int] = frozenset()
        self.started: list[int] = []
        self.seen: dict[object, int] = {}

    def run(self) -> Packing:
        self._deeper(0, 0, 0)
        return Packing(self.best, self.work > 0)

    def _deeper(self, depth: int, gain: int, missed: int) -> None:
        """Go through what can be done with the next item."""
        self.work -= len(self.cpu) + len(self.order) - depth
        if self.work <= 0 or self._is_hopeless(depth, missed):
            return
        if depth == len(self.order):
            if gain > self.best_gain:
                self.best_gain, self.best = gain, frozenset(self.started)
            return
        if self._is_known(depth, gain):
            return
        at = self.order[depth]
        item = self.items[at]
        if item.gain:
            self.started.append(at)
            self._everywhere(
                item, item.cpu, item.memory, (depth + 1, gain + item.gain, missed)
            )
            self.started.pop()
        further = (depth + 1, gain, missed + item.gain)
        if item.core is not None:
            self._everywhere(item, *item.core, further)
        else:
            self._deeper(*further)

    def _is_known(self, depth: int, gain: int) -> bool:
        """Tell whether what is left was met before, with no less gained by then."""
        rooms = list(zip(self.cpu, self.memory))
        if self.is_plain:
            rooms.sort()
        taken = tuple(frozenset(taken) for taken in self.taken)
        state = (depth, tuple(rooms), taken)
        if self.seen.get(state, -1) >= gain:
            return True
        self.seen[state] = gain
        return False

    def _is_hopeless(self, depth: int, missed: int) -> bool:
        """Tell whether this branch cannot beat the best packing found."""
        if self.all_gain - missed <= self.best_gain:
            return True
        wanted_cpu = wanted_memory = 0
        spare: list[tuple[int, int, int]] = []
        for at in self.order[depth:]:
            item = self.items[at]
            core = item.core or (0, 0)
            wanted_cpu += core[0]
            wanted_memory += core[1]
            if item.gain:
                spare.append((item.memory - core[1], item.cpu - core[0], item.gain))
        memory = sum(self.memory) - wanted_memory
        cpu = sum(self.cpu) - wanted_cpu
        if memory < 0 or cpu < 0:
            return True
        if not spare:
            return self.all_gain - missed <= self.best_gain
        most = min(_most(spare, 0, memory), _most(spare, 1, cpu), self._slots(depth))
        gained = self.all_gain - missed - sum(entry[2] for entry in spare)
        return gained + most <= self.best_gain

    def _slots(self, depth: int) -> float:
        """Return the most that could be gained if all items were of the least size."""
        left = [self.items[at] for at in self.order[depth:]]
        wanted = [item.core for item in left if item.core is not None]
        least_cpu = min([item.cpu if not item.core else item.core[0] for item in left])
        least_memory = min(
            [item.memory if not item.core else item.core[1] for item in left]
        )
        if not least_cpu or not least_memory:
            return self.all_gain
        slots = sum(
            max(0, min(cpu // least_cpu, memory // least_memory))
            for cpu, memory in zip(self.cpu, self.memory)
        )
        most = max(item.gain for item in left)
        if any(item.core is not None and item.gain for item in left):
            return slots * most  # one slot may hold what must run and more
        return (slots - len(wanted)) * most

    def _everywhere(
        self, item: Item, cpu: int, memory: int, further: tuple[int, int, int]
    ) -> None:
        """Try each node for an item, fullest first; alike nodes once."""
        tried: set[tuple[int, int]] = set()
        for node in sorted(item.allowed, key=lambda node: (self.memory[node], node)):
            room = (self.cpu[node], self.memory[node])
            if self.work <= 0:
                return
            if room[0] < cpu or room[1] < memory or (self.is_plain and room in tried):
                continue
            if any(self.groups[at][node] in self.taken[at] for at in item.apart):
                continue
            tried.add(room)
            self._take(item, node, cpu, memory)
            self._deeper(*further)
            self._give_back(item, node, cpu, memory)

    def _take(self, item: Item, node: int, cpu: int, memory: int) -> None:
        self.cpu[node] -= cpu
        self.memory[node] -= memory
        for at in item.apart:
            self.taken[at].add(self.groups[at][node])

    def _give_back(self, item: Item, node: int, cpu: int, memory: int) -> None:
        self.cpu[node] += cpu
        self.memory[node] += memory
        for at in item.apart:
            self.taken[at].discard(self.groups[at][node])


def _most(spare: Sequence[tuple[int, int, int]], which: int, room: int) -> float:
    """Return the most that could be gained if items could be cut, by one size alone."""
    gained = 0.0
    for entry in sorted(spare, key=lambda entry: entry[which] / entry[2]):
        size, gain = entry[which], entry[2]
        if size > room:
            return gained + (gain * room / size if size else 0)
        room -= size
        gained += gain
    return gained


def packed(
    items: Sequence[Item], places: Places, budget: Budget | None = None
) -> Packing:
    """Return the packing that starts most; whoever is already there stays."""
    budget = budget or Budget()
    share = budget.share()
    search = _Search(items, places, share)
    found = search.run()
    budget.pay(share - max(0, search.work))
    return found
