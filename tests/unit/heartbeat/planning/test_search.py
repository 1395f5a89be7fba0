"""The search for a better packing is exact, and says when it is not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

from vmha.heartbeat.planning.search import Budget, Item, Places, packed


def drawn(chance: random.Random) -> tuple[list[Item], Places]:
    nodes = chance.randint(1, 3)
    rules = chance.randint(0, 2)
    every = frozenset(range(nodes))
    items = []
    for _ in range(chance.randint(1, 5)):
        size = (chance.randint(1, 4), chance.randint(1, 4))
        core = size if chance.random() < 0.3 else None
        items.append(
            Item(
                *size,
                0 if core else chance.choice([1, 1, 2]),
                core,
                frozenset(chance.sample(sorted(every), chance.randint(1, nodes)))
                if chance.random() < 0.3
                else every,
                tuple(at for at in range(rules) if chance.random() < 0.4),
            )
        )
    places = Places(
        [chance.randint(0, 7) for _ in every],
        [chance.randint(0, 7) for _ in every],
        [[node % 2 if rule else node for node in every] for rule in range(rules)],
        [frozenset({0} if chance.random() < 0.3 else ()) for _ in range(rules)],
    )
    return items, places


def best_of_all(items: Sequence[Item], places: Places) -> int | None:
    """Try everything; None if not even what must run can be placed."""
    choices = [
        [*sorted(item.allowed), *([] if item.core is not None else [None])]
        for item in items
    ]
    gains = [
        sum(item.gain for item, node in zip(items, chosen) if node is not None)
        for chosen in product(*choices)
        if is_possible(items, places, chosen)
    ]
    return max(gains, default=None)


def is_possible(
    items: Sequence[Item], places: Places, chosen: Sequence[int | None]
) -> bool:
    cpu, memory = list(places.cpu), list(places.memory)
    taken = [set(taken) for taken in places.taken]
    for item, node in zip(items, chosen):
        if node is None:
            continue
        cpu[node] -= item.cpu
        memory[node] -= item.memory
        for at in item.apart:
            if places.groups[at][node] in taken[at]:
                return False
            taken[at].add(places.groups[at][node])
    return min(cpu) >= 0 and min(memory) >= 0


def test_it_finds_what_trying_everything_finds(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(300):
        items, places = drawn(chance)
        found = packed(items, places)
        assert found.is_best
        gained = sum(items[at].gain for at in found.started)
        assert gained == (best_of_all(items, places) or 0)


def test_a_search_that_is_cut_short_says_so_and_claims_no_more_than_it_found() -> None:
    chance = random.Random(1)
    sizes = [(chance.randint(1, 9), chance.randint(900, 4000)) for _ in range(40)]
    items = [Item(*size, 1, None, frozenset(range(4)), ()) for size in sizes]
    places = Places([40] * 4, [20000] * 4, [], [])
    short = packed(items, places, Budget(work=3000))
    assert not short.is_best
    assert sum(items[at].memory for at in short.started) <= 80000
