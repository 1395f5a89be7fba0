"""Random clusters, each from a seed: 3 to 8 nodes, rules, priorities, tight and loose.

Guests run where they fit and hard rules mostly hold, as in a cluster that has been up
for a while; now and then one is broken, as in a cluster that an administrator touched.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from vmha.heartbeat.planning.model import (
    HOST,
    RACK,
    Avoid,
    Cluster,
    Guest,
    Node,
    Pin,
    Rule,
    Spread,
    Together,
)

FILL = {"loose": 0.45, "tight": 0.72, "scarce": 0.9}
MEMORY_MIB = (1024, 2048, 4096, 8192, 12288)
CPU = (1, 1, 2, 2, 4)
MOST_GUESTS = 60
MAY_BE_BROKEN = 0.1
AT_HOME = 0.6


class Drawn(NamedTuple):
    """A cluster, and how full it is."""

    cluster: Cluster
    style: str


def drawn(seed: int, style: str | None = None) -> Drawn:
    """Draw the cluster of this seed."""
    chance = random.Random(seed)
    style = style or chance.choice(sorted(FILL))
    nodes = _nodes(chance)
    guests = _guests(chance, nodes, FILL[style])
    rules = _rules(chance, nodes, guests)
    ordered = tuple(sorted(guests, key=lambda guest: guest.name))
    return Drawn(Cluster(tuple(sorted(nodes)), ordered, tuple(rules)), style)


def _nodes(chance: random.Random) -> list[Node]:
    has_racks = chance.random() < 0.4
    return [
        Node(
            f"n{number}",
            chance.choice([16, 32, 32]),
            chance.choice([32768, 65536, 65536]),
            f"r{number % 3}" if has_racks else f"n{number}",
        )
        for number in range(1, chance.randint(3, 8) + 1)
    ]


def _guests(chance: random.Random, nodes: list[Node], fill: float) -> list[Guest]:
    """Fill the nodes, each guest on one where it fits."""
    free = {node.name: (node.cpu, node.memory_mib) for node in nodes}
    wanted = sum(node.memory_mib for node in nodes) * fill
    has_classes = chance.random() < 0.5
    found: list[Guest] = []
    while wanted > 0 and len(found) < MOST_GUESTS:
        cpu, memory = chance.choice(CPU), chance.choice(MEMORY_MIB)
        fitting = [
            name for name, at in free.items() if at[0] >= cpu and at[1] >= memory
        ]
        if not fitting:
            break
        home = chance.choice(fitting)
        free[home] = (free[home][0] - cpu, free[home][1] - memory)
        wanted -= memory
        found.append(
            Guest(
                f"g{chance.randrange(100)}-{len(found)}",
                cpu,
                memory,
                chance.randint(1, 3) if has_classes else 0,
                chance.random() > 0.05,
                home,
                _preferred(chance, nodes, home),
            )
        )
    return found


def _preferred(chance: random.Random, nodes: list[Node], home: str) -> tuple[str, ...]:
    """Most guests prefer nothing; most of the others are where they would be."""
    names = [node.name for node in chance.sample(nodes, chance.choice([0, 0, 0, 1, 2]))]
    if names and home not in names and chance.random() < AT_HOME:
        names[0] = home
    return tuple(names)


def _rules(chance: random.Random, nodes: list[Node], guests: list[Guest]) -> list[Rule]:
    found: list[Rule] = []
    for _ in range(chance.randint(0, 6) if len(guests) > 3 else 0):
        rule = chance.choice([_spread, _spread, _together, _pin, _avoid])(
            chance, nodes, guests
        )
        if rule is not None:
            found.append(rule)
    return found


def _spread(
    chance: random.Random, nodes: list[Node], guests: list[Guest]
) -> Rule | None:
    across = chance.choice([HOST, RACK])
    racks = {node.name: node.rack for node in nodes}
    chosen = chance.sample(guests, chance.randint(2, 3))
    homes = [str(guest.runs_on) for guest in chosen]
    if across == RACK:
        homes = [racks[home] for home in homes]
    is_hard = chance.random() < 0.6
    is_broken = len(set(homes)) < len(homes)
    if is_hard and is_broken and chance.random() > MAY_BE_BROKEN:
        return None
    return Spread(tuple(guest.name for guest in chosen), across, is_hard)


def _together(
    chance: random.Random, nodes: list[Node], guests: list[Guest]
) -> Rule | None:
    if chance.random() < 0.5:
        chosen = chance.sample(guests, 2)
        return Together(tuple(guest.name for guest in chosen), hard=False)
    home = chance.choice(nodes).name
    there = [guest for guest in guests if guest.runs_on == home]
    if chance.random() < MAY_BE_BROKEN:
        there = guests
    if len(there) < 2:
        return None
    chosen = chance.sample(there, min(len(there), chance.randint(2, 3)))
    return Together(tuple(guest.name for guest in chosen))


def _pin(chance: random.Random, nodes: list[Node], guests: list[Guest]) -> Rule:
    guest = chance.choice(guests)
    to = {node.name for node in chance.sample(nodes, 2)}
    is_hard = chance.random() < 0.6
    if is_hard and chance.random() > MAY_BE_BROKEN:
        to.add(str(guest.runs_on))
    return Pin((guest.name,), tuple(sorted(to)), is_hard)


def _avoid(chance: random.Random, nodes: list[Node], guests: list[Guest]) -> Rule:
    guest = chance.choice(guests)
    is_hard = chance.random() < 0.6
    spared = [node.name for node in nodes if not is_hard or node.name != guest.runs_on]
    return Avoid((guest.name,), (chance.choice(spared),), is_hard)
