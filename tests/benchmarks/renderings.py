"""Which way of telling Pacemaker disturbs a failover least: all of them, side by side.

Played with the real crm_simulate on random clusters, every single failure of each. The
table of docs/decisions/0021 is made with this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oracle import clusters, comparison

from vmha.heartbeat.planning import scores
from vmha.heartbeat.planning.instructions import (
    GuestTerms,
    Instructions,
    LocationTerm,
    footing,
    instructions,
)
from vmha.heartbeat.planning.model import NONE, Cluster
from vmha.heartbeat.planning.prediction import Scheduler
from vmha.heartbeat.planning.state import State

SEED = 7000
PATIENCE = 6  # transitions until nothing moves any more

Rendering = Callable[[Cluster], Instructions]


@dataclass
class Disturbance:
    """What all failures together did to guests that are to be restarted."""

    failures: int = 0
    down: int = 0
    high_down: int = 0
    stopped: int = 0
    moved: int = 0
    moved_before: int = 0

    def count(self, cluster: Cluster, lost: str, after: comparison.Places) -> None:
        """Add one failure."""
        self.failures += 1
        top = max(guest.priority for guest in cluster.guests)
        for guest in cluster.guests:
            is_lost = guest.runs_on == lost
            node = after[guest.name]
            if not guest.ha or guest.runs_on is None:
                continue
            if node is None:
                self.down += is_lost
                self.high_down += is_lost and guest.priority == top > 0
                self.stopped += not is_lost
            elif not is_lost and node != guest.runs_on:
                self.moved += 1


def chosen(cluster: Cluster) -> Instructions:
    """Tell it as vmha does."""
    return instructions(cluster)


def _strategy(name: str) -> Rendering:
    def told(cluster: Cluster) -> Instructions:
        known = instructions(cluster)
        properties = {**known.properties, "placement-strategy": name}
        return known._replace(properties=properties)

    return told


def _stickiness(value: int) -> Rendering:
    def told(cluster: Cluster) -> Instructions:
        defaults = {"resource-stickiness": _score(value)}
        return instructions(cluster)._replace(defaults=defaults)

    return told


def _meta(change: Callable[[Cluster, GuestTerms], Mapping[str, str]]) -> Rendering:
    def told(cluster: Cluster) -> Instructions:
        known = instructions(cluster)
        guests = [one._replace(meta=change(cluster, one)) for one in known.guests]
        return known._replace(guests=tuple(guests))

    return told


def _heard(cluster: Cluster, one: GuestTerms) -> Mapping[str, str]:
    return {name: value for name, value in one.meta.items() if name != "critical"}


def _ranked(cluster: Cluster, one: GuestTerms) -> Mapping[str, str]:
    """Put the larger guest before the smaller one of its class."""
    by_size = sorted(cluster.guests, key=lambda guest: guest.memory_mib)
    rank = [guest.name for guest in by_size].index(one.name)
    return {**one.meta, "priority": str(1000 * int(one.meta["priority"]) + rank)}


def _small_first(cluster: Cluster, one: GuestTerms) -> Mapping[str, str]:
    by_size = sorted(cluster.guests, key=lambda guest: -guest.memory_mib)
    rank = [guest.name for guest in by_size].index(one.name)
    return {**one.meta, "priority": str(1000 * int(one.meta["priority"]) + rank)}


def _without_footing(cluster: Cluster) -> Instructions:
    """Leave soft rules as they are: they make nodes unusable."""
    known = instructions(cluster)
    added = footing(cluster, known.colocations)
    bare = {
        (guest, node): score - added.get((guest, node), 0)
        for guest, node, score in known.locations
        if score > -scores.INFINITY
    }
    locations = [
        one._replace(score=bare.get((one.guest, one.node), one.score))
        for one in known.locations
    ]
    return known._replace(locations=tuple(one for one in locations if one.score))


def _equal(cluster: Cluster) -> Instructions:
    return instructions(cluster._replace(preemption=NONE))


def _rather_not_elsewhere(cluster: Cluster) -> Instructions:
    """Say a preference by lowering all other nodes, from a score that all have."""
    known = instructions(cluster._replace(guests=tuple(_plain(cluster))))
    found = {(one.guest, one.node): one.score for one in known.locations}
    for guest in cluster.guests:
        for node in cluster.nodes:
            rank = [*guest.prefer, node.name].index(node.name) if guest.prefer else 0
            key = (guest.name, node.name)
            score = 10 * scores.FOOTING - scores.PREFER * rank
            found[key] = scores.added(found.get(key, 0), score)
    locations = [LocationTerm(*key, score) for key, score in found.items()]
    return known._replace(locations=tuple(sorted(locations)))


def _plain(cluster: Cluster) -> list[Any]:
    return [guest._replace(prefer=()) for guest in cluster.guests]


def _score(value: int) -> str:
    return "INFINITY" if value >= scores.INFINITY else str(value)


RENDERINGS: Mapping[str, Rendering] = {
    "chosen": chosen,
    "placement-strategy balanced": _strategy("balanced"),
    "placement-strategy minimal": _strategy("minimal"),
    "stickiness INFINITY": _stickiness(scores.INFINITY),
    "stickiness 1": _stickiness(1),
    "no stickiness": _stickiness(0),
    "dependents are heard (critical)": _meta(_heard),
    "no footing: soft rules can cost a start": _without_footing,
    "preference lowers other nodes": _rather_not_elsewhere,
    "all priorities equal": _equal,
    "large before small in a class": _meta(_ranked),
    "small before large in a class": _meta(_small_first),
}


def measured(first: int, count: int, name: str) -> Disturbance:
    """Play every single failure of so many clusters with one rendering.

    Each begins where the rendering leaves the guests in peace; moves up to there are
    counted apart. The planner stands in for Pacemaker where it plays the same
    placement strategy, which tests/heartbeat holds it to; the others are played by
    crm_simulate.
    """
    total = Disturbance()
    for seed in range(first, first + count):
        cluster = clusters.drawn(seed).cluster
        for _ in range(PATIENCE):
            after = _played(cluster, RENDERINGS[name](cluster), ())
            changed = [g for g in cluster.guests if after[g.name] != g.runs_on]
            total.moved_before += len(changed)
            guests = tuple(g._replace(runs_on=after[g.name]) for g in cluster.guests)
            cluster = cluster._replace(guests=guests)
            if not changed:
                break
        told = RENDERINGS[name](cluster)
        for node in cluster.nodes:
            total.count(cluster, node.name, _played(cluster, told, (node.name,)))
    return total


def _played(
    cluster: Cluster, told: Instructions, lost: tuple[str, ...]
) -> comparison.Places:
    if told.properties["placement-strategy"] == scores.STRATEGY:
        return comparison.planned(Scheduler(cluster, State(told=told)), lost)
    return comparison.real(comparison.document(cluster, told), cluster, lost)


HEADING = ("rendering", "down", "of the top class", "stopped", "moved", "before")


def row(name: str, total: Disturbance) -> tuple[str, ...]:
    """Return the cells of one rendering."""
    return (
        name,
        str(total.down),
        str(total.high_down),
        str(total.stopped),
        str(total.moved),
        str(total.moved_before),
    )
