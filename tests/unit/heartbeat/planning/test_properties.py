"""What holds for every cluster, whatever its rules, sizes and classes are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import clusters

from vmha.heartbeat.planning import packing
from vmha.heartbeat.planning.failures import plan
from vmha.heartbeat.planning.model import (
    HOST,
    Avoid,
    Cluster,
    Node,
    Pin,
    Spread,
    Together,
)
from vmha.heartbeat.planning.outcome import Outcome

SEEDS = st.integers(0, 1_000_000)
COUNT = 60

Places = Mapping[str, "str | None"]


def today(cluster: Cluster) -> Places:
    return {guest.name: guest.runs_on for guest in cluster.guests}


def afterwards(cluster: Cluster, outcome: Outcome) -> Places:
    places = {
        guest.name: None if guest.runs_on in outcome.lost else guest.runs_on
        for guest in cluster.guests
    }
    places.update(outcome.placed)
    places.update({stopped.guest: None for stopped in outcome.preempted})
    places.update({move.guest: move.to for move in outcome.moved})
    return places


def split(at: Mapping[str, str], pair: tuple[str, str]) -> bool:
    return at[pair[0]] != at[pair[1]]


def broken(cluster: Cluster, places: Places) -> Iterator[tuple[str, ...]]:
    """Yield each hard rule that is broken, with the guests that break it."""
    racks = {node.name: node.rack for node in cluster.nodes}
    for rule in cluster.rules:
        if not rule.hard:
            continue
        at = {name: node for name in rule.guests if (node := places[name])}
        if isinstance(rule, Spread):
            where = at if rule.across == HOST else {n: racks[m] for n, m in at.items()}
            for name, place in where.items():
                for other, there in where.items():
                    if name < other and place == there:
                        yield ("spread", name, other)
        elif isinstance(rule, Together):
            pairs = combinations(sorted(at), 2)
            yield from (("together", *pair) for pair in pairs if split(at, pair))
        elif isinstance(rule, (Pin, Avoid)):
            for name, node in at.items():
                if (node in rule.nodes) == isinstance(rule, Avoid):
                    yield ("location", name)


def used(cluster: Cluster, places: Places) -> Mapping[str, tuple[int, int]]:
    sums = {node.name: (0, 0) for node in cluster.nodes}
    for guest in cluster.guests:
        node = places[guest.name]
        if node is not None:
            cpu, memory = sums[node]
            sums[node] = (cpu + guest.cpu, memory + guest.memory_mib)
    return sums


@settings(max_examples=COUNT, deadline=None)
@given(SEEDS)
def test_no_node_is_filled_over_its_size(seed: int) -> None:
    cluster = clusters.drawn(seed).cluster
    before = used(cluster, today(cluster))
    for outcome in plan(cluster, search=False).failures:
        after = used(cluster, afterwards(cluster, outcome))
        for node in cluster.nodes:
            assert after[node.name][0] <= max(node.cpu, before[node.name][0])
            assert after[node.name][1] <= max(node.memory_mib, before[node.name][1])


@settings(max_examples=COUNT, deadline=None)
@given(SEEDS)
def test_no_hard_rule_is_newly_broken(seed: int) -> None:
    cluster = clusters.drawn(seed).cluster
    before = set(broken(cluster, today(cluster)))
    for outcome in plan(cluster, search=False).failures:
        assert set(broken(cluster, afterwards(cluster, outcome))) <= before


@settings(max_examples=COUNT, deadline=None)
@given(SEEDS)
def test_every_lost_guest_is_placed_on_a_survivor_or_told_why_not(seed: int) -> None:
    cluster = clusters.drawn(seed).cluster
    for outcome in plan(cluster, search=False).failures:
        lost = {g.name for g in cluster.guests if g.runs_on in outcome.lost}
        down = [entry.guest for entry in outcome.unplaced]
        assert lost == {*outcome.placed, *down}
        assert len(lost) == len(outcome.placed) + len(down)
        assert not {*outcome.placed.values()} & {*outcome.lost}
        assert all(entry.text for entry in outcome.unplaced)


@settings(max_examples=COUNT, deadline=None)
@given(SEEDS)
def test_as_many_failures_are_tolerated_as_leave_no_guest_down(seed: int) -> None:
    cluster = clusters.drawn(seed).cluster
    found = plan(cluster, search=False)
    ha = {guest.name for guest in cluster.guests if guest.ha}
    down = {e.guest for o in found.failures for e in o.unplaced}
    down |= {e.guest for o in found.failures for e in o.preempted}
    assert found.tolerates == int(not down & ha)


@settings(max_examples=COUNT, deadline=None)
@given(SEEDS)
def test_what_could_be_placed_is_what_stays_down(seed: int) -> None:
    cluster = clusters.drawn(seed).cluster
    for outcome in plan(cluster).failures:
        down = {e.guest for e in outcome.unplaced if e.reason != "not-ha"}
        down |= {stopped.guest for stopped in outcome.preempted}
        assert set(outcome.could_place) <= down


@settings(max_examples=COUNT, deadline=None)
@given(SEEDS)
def test_an_empty_node_more_never_lowers_what_a_perfect_packing_starts(
    seed: int,
) -> None:
    cluster = clusters.drawn(seed).cluster
    larger = cluster._replace(nodes=(*cluster.nodes, Node("n9", 32, 65536, "n9")))
    lost = (cluster.nodes[0].name,)
    few, _ = packing.startable(cluster, lost)
    many, is_exact = packing.startable(larger, lost)
    assert many >= few or not is_exact


@settings(max_examples=COUNT, deadline=None)
@given(SEEDS)
def test_pairs_are_examined_after_the_same_singles(seed: int) -> None:
    cluster = clusters.drawn(seed).cluster
    singles = plan(cluster, 1, search=False)
    both = plan(cluster, 2, search=False)
    assert both.failures[: len(cluster.nodes)] == singles.failures
    assert both.tolerates in (singles.tolerates, 2)
