"""How many chains of colocations Pacemaker follows to find the guests' places.

Fact from Pacemaker 2.1.5: a guest's place takes the wishes of those placed by it, and
of those placed by them, once for each way that leads there. Guests that all shun one
another have twice as many ways with each guest more. With 16 nodes, crm_simulate needs
about 1 s for one decision about a spread of 12 guests, 4 s about 15, and a minute
about 18: a failover waits that long before it begins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

MANY = 1_000
"""So many of one guest, and a decision takes about a second: 11 guests in a spread."""
MOST_OF_ONE = 10_000
"""More of one guest are not followed: 15 guests in a spread."""
MOST = 200_000
"""More in all are not followed."""

Pair = tuple[str, str]


class Chains(NamedTuple):
    """The guest with the most chains, how many those are, and how many all have.

    What is too many is not counted to the end.
    """

    guest: str
    of_one: int
    of_all: int

    @property
    def are_many(self) -> bool:
        """Whether Pacemaker takes a second and more for each decision."""
        return self.of_one > MANY or self.are_too_many

    @property
    def are_too_many(self) -> bool:
        """Whether it takes so long that a failover may not come to an end."""
        return self.of_one > MOST_OF_ONE or self.of_all > MOST


def counted(pairs: Iterable[Pair]) -> Chains:
    """Count the chains of colocations given as (guest, guest it is placed by)."""
    known = sorted(set(pairs))
    found = [_counted(known), _counted((primary, one) for one, primary in known)]
    return max(found, key=lambda chains: (chains.of_one, chains.of_all))


def _counted(pairs: Iterable[Pair]) -> Chains:
    follows: defaultdict[str, list[str]] = defaultdict(list)
    for one, primary in pairs:
        follows[primary].append(one)
    worst, most, total = "", 0, 0
    for guest in list(follows):
        count = sum(1 for _ in _ways(guest, follows))
        total += count
        if count > most:
            worst, most = guest, count
        if most > MOST_OF_ONE or total > MOST:
            break
    return Chains(worst, most, total)


def _ways(start: str, follows: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the end of each way from a guest on, without going round in a circle."""
    path = [start]
    left = [iter(follows[start])]
    for _ in range(MOST_OF_ONE + 1):
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
