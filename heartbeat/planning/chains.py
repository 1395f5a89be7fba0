"""How many chains of colocations Pacemaker follows to find the guests' places.

Fact from Pacemaker 2.1.5: a guest's place takes the wishes of those placed by it, and
of those placed by them, once for each way that leads there, node by node. Guests that
all shun one another have twice as many ways with each guest more. crm_simulate needs
1.1 microseconds for each chain and node: with 4 nodes 0.3 s for one decision about a
spread of 16 guests, 1.2 s about 18, 19 s about 22, and a failover waits for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

MANY = 400_000
"""Chains times nodes: about half a second for each decision."""
MOST = 1_000_000
"""Chains times nodes: more are not followed. Pacemaker takes a second and more."""

Pair = tuple[str, str]
Follows = Mapping[str, Sequence[str]]


class Chains(NamedTuple):
    """The guest with the most chains, how many those are, and how many all have."""

    guest: str
    of_one: int
    of_all: int
    nodes: int

    @property
    def are_many(self) -> bool:
        """Whether Pacemaker is slowed down by them."""
        return self.of_all * self.nodes > MANY

    @property
    def are_too_many(self) -> bool:
        """Whether a failover may have to wait for them."""
        return self.of_all * self.nodes > MOST


def counted(pairs: Iterable[Pair], nodes: int) -> Chains:
    """Count the chains of colocations given as (guest, guest it is placed by).

    Two between the same (across hosts, and across racks) are two ways.
    Where colocations go round in a circle no more are counted than are too many.
    """
    known = sorted(pairs)
    turned = [(primary, one) for one, primary in known]
    found = [_counted(known, nodes), _counted(turned, nodes)]
    return max(found, key=lambda chains: (chains.of_all, chains.of_one))


def largest_set(nodes: int) -> int:
    """Return how many guests may all shun one another, if they have no other rules."""
    size = 1
    while (2 ** (size + 1) - 1) * nodes <= MOST:
        size += 1
    return size


def _counted(pairs: Iterable[Pair], nodes: int) -> Chains:
    follows: defaultdict[str, list[str]] = defaultdict(list)
    for one, primary in pairs:
        follows[primary].append(one)
    counts = _by_order(follows)
    if counts is None:
        counts = _by_walking(follows, MOST // max(1, nodes))
    worst = max(counts, key=lambda name: counts[name], default="")
    return Chains(worst, counts.get(worst, 0), sum(counts.values()), nodes)


def _by_order(follows: Follows) -> dict[str, int] | None:
    """Count from the ends on; None where colocations go round in a circle."""
    counts: dict[str, int] = {}
    begun: set[str] = set()
    left = list(follows)
    while left:
        guest = left[-1]
        if guest in counts:
            left.pop()
            continue
        missing = [one for one in follows.get(guest, ()) if one not in counts]
        if guest in begun and missing:
            return None
        begun.add(guest)
        if missing:
            left += missing
        else:
            counts[guest] = sum(1 + counts[one] for one in follows.get(guest, ()))
    return counts


def _by_walking(follows: Follows, most: int) -> dict[str, int]:
    """Count by going each way that comes to no guest twice."""
    counts: dict[str, int] = {}
    rest = most + 1
    for guest in follows:
        counts[guest] = sum(1 for _ in _ways(guest, follows, rest))
        rest -= counts[guest]
    return counts


def _ways(start: str, follows: Follows, most: int) -> Iterator[str]:
    """Yield the end of each way from a guest on, no more than so many."""
    path = [start]
    left = [iter(follows[start])]
    for _ in range(most):
        while left:
            step = next((one for one in left[-1] if one not in path), None)
            if step is not None:
                break
            left.pop()
            path.pop()
        else:
            return
        yield step
        path.append(step)
        left.append(iter(follows.get(step, ())))
