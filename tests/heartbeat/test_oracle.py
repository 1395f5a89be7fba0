"""The planner says what Pacemaker will do: held against the installed crm_simulate."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import pytest
from oracle import clusters, comparison
from oracle.comparison import Difference

from vmha.heartbeat.planning.model import Cluster, Guest, Node
from vmha.heartbeat.planning.prediction import Scheduler

CLUSTERS, ALL_CLUSTERS = 24, 300


class Found(NamedTuple):
    """A difference and where it was found."""

    seed: int
    lost: tuple[str, ...]
    difference: Difference


@pytest.fixture(name="seeds")
def _seeds(seed: int, is_long: bool) -> range:
    return range(seed, seed + (ALL_CLUSTERS if is_long else CLUSTERS))


def test_plan_and_pacemaker_agree_on_every_single_failure(
    seeds: range, figures: list[str]
) -> None:
    """No difference was ever found: a first one is looked into, not allowed for."""
    found: list[Found] = []
    failures = guests = 0
    for number in seeds:
        cluster = clusters.drawn(number).cluster
        scheduler = Scheduler(cluster)
        whole = comparison.document(cluster)
        for node in cluster.nodes:
            failures += 1
            guests += len(cluster.guests)
            for difference in comparison.between(scheduler, whole, (node.name,)):
                found.append(Found(number, (node.name,), difference))
    optimistic = [one for one in found if one.difference.is_optimistic]
    figures.append(
        f"planner and crm_simulate: {len(seeds)} clusters, {failures} single failures, "
        f"{guests} guests placed: {len(found)} differences, {len(optimistic)} on the "
        "optimistic side"
    )
    assert optimistic == []
    assert found == []


def test_plan_and_pacemaker_agree_on_pairs_of_failures(seeds: range) -> None:
    """Two nodes lost together, and a pair that takes no quorum with it."""
    found = []
    for number in list(seeds)[:: len(seeds) // 6]:
        cluster = clusters.drawn(number).cluster
        scheduler = Scheduler(cluster)
        whole = comparison.document(cluster)
        for lost in list(combinations([node.name for node in cluster.nodes], 2))[:4]:
            if 2 * (len(cluster.nodes) - 2) > len(cluster.nodes):
                found += [
                    Found(number, lost, difference)
                    for difference in comparison.between(scheduler, whole, lost)
                ]
    assert found == []


def test_plan_and_pacemaker_agree_on_what_happens_without_any_failure(
    seeds: range,
) -> None:
    """A rule that is broken today is mended, with the same guests moved or stopped."""
    found = []
    for number in seeds:
        cluster = clusters.drawn(number).cluster
        found += [Found(number, (), one) for one in comparison.differences(cluster, ())]
    assert found == []


def test_guests_that_run_nowhere_are_placed_where_pacemaker_places_them(
    seeds: range,
) -> None:
    """The first placement: nothing runs, and all is started in one transition."""
    found = []
    for number in seeds:
        drawn = clusters.drawn(number).cluster
        cluster = drawn._replace(
            guests=tuple(
                guest._replace(runs_on=None if guest.ha else guest.runs_on)
                for guest in drawn.guests
            )
        )
        found += [Found(number, (), one) for one in comparison.differences(cluster, ())]
    assert found == []


def test_without_quorum_pacemaker_stops_what_runs_on_the_survivors() -> None:
    """crm_simulate is shown the survivors alone: it cannot play fencing without quorum.

    Two of four nodes are lost, so both say that nothing runs any more.
    """
    names = [f"n{number}" for number in range(1, 5)]
    cluster = Cluster(
        tuple(Node(name, 8, 8192, name) for name in names),
        tuple(Guest(f"on-{name}", 1, 1024, runs_on=name) for name in names),
    )
    outcome = Scheduler(cluster).outcome(("n1", "n2"))
    assert {entry.reason for entry in outcome.unplaced} == {"no-quorum"}
    assert len(outcome.unplaced) == len(names)
    left = cluster._replace(nodes=cluster.nodes[2:], guests=cluster.guests[2:])
    whole = comparison.document(left)
    whole.set("have-quorum", "0")
    assert comparison.real(whole, left, ()) == {"on-n3": None, "on-n4": None}
