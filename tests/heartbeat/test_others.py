"""Plans of configurations that others made: held against the installed crm_simulate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from lxml import etree
from oracle import others

from vmha.agents.protocol.deadline import Deadline
from vmha.heartbeat.pacemaker import confirmation, live, simulate, stopped
from vmha.heartbeat.planning.failures import planned
from vmha.heartbeat.planning.model import Cluster
from vmha.heartbeat.planning.outcome import Outcome
from vmha.heartbeat.planning.prediction import Scheduler

TIMEOUT_S = 120.0
CLUSTERS, ALL_CLUSTERS = 20, 300


class Found(NamedTuple):
    """A guest of which the plan says one thing and Pacemaker another."""

    seed: int
    lost: tuple[str, ...]
    guest: str
    planned: str | None
    real: str | None


@pytest.fixture(name="seeds")
def _seeds(seed: int, is_long: bool) -> range:
    return range(seed, seed + (ALL_CLUSTERS if is_long else CLUSTERS))


def read(cib: etree._Element) -> tuple[Cluster, live.Live]:
    """Read a CIB as ``vmha plan --live`` does."""
    found = live.read(cib, Deadline(TIMEOUT_S))
    return stopped.left_out(found.cluster, cib), found


def differences(
    seed: int, cluster: Cluster, cib: etree._Element, outcome: Outcome
) -> Iterator[Found]:
    """Yield in what Pacemaker differs; what is on a lost node does not run."""
    after = simulate.simulate(cib, Deadline(TIMEOUT_S), outcome.lost).after
    for guest, node in confirmation.places(cluster, outcome):
        real = after.get(guest)
        real = None if real in outcome.lost else real
        if node != real:
            yield Found(seed, outcome.lost, guest, node, real)


def test_configurations_of_others_are_planned_as_pacemaker_acts(
    seeds: range, figures: list[str]
) -> None:
    """Opt-in, patterns, sets, rules, standby, maintenance, orders, any scores."""
    found: list[Found] = []
    failures = guests = doubted = 0
    for seed in seeds:
        drawn = others.drawn(seed)
        cluster, seen = read(drawn.cib)
        if seen.doubts:
            doubted += 1
            continue
        scheduler = Scheduler(cluster, seen.state)
        lost = [(node.name,) for node in scheduler.nodes_to_lose()]
        for outcome in confirmation.unasked([*map(scheduler.outcome, [(), *lost])]):
            failures += 1
            guests += len(cluster.guests)
            found += differences(seed, cluster, drawn.cib, outcome)
    optimistic = [one for one in found if one.planned and not one.real]
    figures.append(
        f"configurations of others: {len(seeds) - doubted} clusters, {failures} "
        f"failures, {guests} guests placed: {len(found)} differences, "
        f"{len(optimistic)} on the optimistic side; {doubted} more had doubts"
    )
    assert doubted < len(seeds) / 4
    assert optimistic == []
    assert found == []


def test_what_is_not_reckoned_with_is_never_claimed(seeds: range) -> None:
    """Tickets, groups, sets of colocations, other strategies, failures before.

    Each is a doubt; nothing is then claimed that crm_simulate does not confirm.
    """
    claimed: list[Found] = []
    for seed in seeds:
        drawn = others.drawn(seed, is_odd=True)
        cluster, seen = read(drawn.cib)
        assert seen.doubts, seed
        scheduler = Scheduler(cluster, seen.state)
        made = planned(scheduler, 1, search=False)
        alone, asked = (
            confirmation.judged(
                made, scheduler, whole, Deadline(TIMEOUT_S), seen.doubts
            )
            for whole in (None, drawn.cib)
        )
        assert alone.plan.tolerates == 0
        assert asked.plan.tolerates <= made.tolerates
        assert asked.plan.is_certain
        for outcome in confirmation.unasked(asked.plan.failures):
            try:
                found = [*differences(seed, cluster, drawn.cib, outcome)]
            except simulate.Unfinished:
                assert outcome.placed == {}
                continue
            claimed += [one for one in found if one.planned and not one.real]
    assert claimed == []
