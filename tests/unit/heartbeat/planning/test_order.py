"""The order of entries never changes the answer, its words included."""

from __future__ import annotations

import random

from oracle import clusters

from vmha.heartbeat.planning.failures import plan
from vmha.heartbeat.planning.model import Cluster, Guest, Node, Pin


def test_the_order_of_entries_never_changes_the_answer(seed: int) -> None:
    chance = random.Random(seed)
    for number in range(seed, seed + 40):
        cluster = clusters.drawn(number).cluster
        shuffled = cluster._replace(
            nodes=tuple(chance.sample(cluster.nodes, len(cluster.nodes))),
            guests=tuple(chance.sample(cluster.guests, len(cluster.guests))),
            rules=tuple(chance.sample(cluster.rules, len(cluster.rules))),
        )
        assert plan(shuffled, search=False) == plan(cluster, search=False)


def test_of_two_rules_that_forbid_a_node_the_same_is_named_in_any_order() -> None:
    pins = (Pin(("a",), ("n1", "n2")), Pin(("a",), ("n1", "n3")))
    nodes = tuple(Node(f"n{number}", 8, 8192, f"n{number}") for number in range(1, 5))
    guests = (Guest("a", 1, 1024, runs_on="n1"),)
    told = [plan(Cluster(nodes, guests, rules)) for rules in (pins, pins[::-1])]
    assert told[0] == told[1]
