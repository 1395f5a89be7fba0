"""What Pacemaker is told about guests: meta attributes, locations, colocations.

The configuration is rendered from this and from nothing else, and ``assignment`` plays
it, so the planner and the configuration cannot speak of two clusters. Everything is
sorted, since the order of entries changes where Pacemaker puts guests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

from vmha.heartbeat.planning import scores
from vmha.heartbeat.planning.model import (
    HOST,
    NONE,
    Avoid,
    Cluster,
    Guest,
    Pin,
    Spread,
    Together,
)


class GuestTerms(NamedTuple):
    """A guest's meta attributes, as Pacemaker spells them."""

    name: str
    meta: Mapping[str, str]


class LocationTerm(NamedTuple):
    """A guest's score on one node."""

    guest: str
    node: str
    score: int


class ColocationTerm(NamedTuple):
    """``guest`` is placed by where ``with_guest`` is: the same host, or the same rack."""

    guest: str
    with_guest: str
    score: int
    across: str = HOST


class Instructions(NamedTuple):
    """All that decides where Pacemaker puts guests, sizes apart."""

    properties: Mapping[str, str]
    defaults: Mapping[str, str]
    guests: tuple[GuestTerms, ...]
    locations: tuple[LocationTerm, ...]
    colocations: tuple[ColocationTerm, ...]


PROPERTIES = {
    "placement-strategy": scores.STRATEGY,
    "node-health-strategy": "progressive",
    "node-health-base": str(scores.NODE_BASE),
}
DEFAULTS = {"resource-stickiness": str(scores.STICKINESS)}


def instructions(cluster: Cluster) -> Instructions:
    """Return what the configuration says of this cluster's guests."""
    return Instructions(
        PROPERTIES,
        DEFAULTS,
        tuple(_terms(cluster, guest) for guest in cluster.guests),
        tuple(sorted(_locations(cluster))),
        tuple(sorted(_colocations(cluster))),
    )


def priority(cluster: Cluster, guest: Guest) -> int:
    """Return the priority a guest is given.

    Where pre-emption is not wanted all are equal; even so Pacemaker may displace a
    survivor, which the plan then shows.
    """
    if not guest.ha:
        return scores.UNMANAGED_PRIORITY
    if cluster.preemption == NONE:
        return scores.LEAST_PRIORITY
    return scores.LEAST_PRIORITY + guest.priority


def _terms(cluster: Cluster, guest: Guest) -> GuestTerms:
    meta = {"priority": str(priority(cluster, guest))}
    if not guest.ha:
        meta["is-managed"] = "false"
    if not _follows(cluster, guest.name):
        # A guest that must keep away from another has no say in where the other is;
        # one that must follow a leader has.
        meta["critical"] = "false"
    return GuestTerms(guest.name, meta)


def _follows(cluster: Cluster, name: str) -> bool:
    return any(
        isinstance(rule, Together) and rule.hard and name in rule.guests[1:]
        for rule in cluster.rules
    )


def _locations(cluster: Cluster) -> Iterator[LocationTerm]:
    """Yield one term for each guest and node that anything is said of."""
    found: dict[tuple[str, str], int] = {}
    for guest, node, score in _wishes(cluster):
        found[guest, node] = scores.added(found.get((guest, node), 0), score)
    for (guest, node), score in found.items():
        if score:
            yield LocationTerm(guest, node, score)


def _wishes(cluster: Cluster) -> Iterator[tuple[str, str, int]]:
    for guest in cluster.guests:
        for rank, node in enumerate(reversed(guest.prefer), start=1):
            yield guest.name, node, scores.PREFER * min(rank, 10)
    for rule in cluster.rules:
        if isinstance(rule, (Pin, Avoid)):
            for name in rule.guests:
                for node, score in _scores_of(rule, cluster):
                    yield name, node, score


def _scores_of(rule: Pin | Avoid, cluster: Cluster) -> Iterator[tuple[str, int]]:
    for node in cluster.nodes:
        is_named = node.name in rule.nodes
        if rule.hard:
            if is_named == isinstance(rule, Avoid):
                yield node.name, -scores.INFINITY
        elif is_named:
            sign = 1 if isinstance(rule, Pin) else -1
            yield node.name, sign * scores.SOFT_LOCATION


def _colocations(cluster: Cluster) -> Iterator[ColocationTerm]:
    """Yield each pair once; of two rules on a pair that are equal, one is enough."""
    rank = {
        guest.name: (-priority(cluster, guest), guest.name) for guest in cluster.guests
    }
    found: dict[tuple[str, str, str], int] = {}
    for rule in cluster.rules:
        if isinstance(rule, Spread):
            score = -scores.INFINITY if rule.hard else scores.SOFT_SPREAD
            known = sorted(set(rule.guests) & set(rank), key=rank.__getitem__)
            # The guest that is placed later keeps away from the earlier one; the
            # other way about, a rule would turn the order of priorities around.
            for first, then in combinations(known, 2):
                key = (then, first, rule.across)
                found[key] = min(score, found.get(key, 0))
    for (then, first, across), score in found.items():
        yield ColocationTerm(then, first, score, across)
    for rule in cluster.rules:
        if isinstance(rule, Together):
            score = scores.INFINITY if rule.hard else scores.SOFT_TOGETHER
            for name in rule.guests[1:]:
                yield ColocationTerm(name, rule.guests[0], score)
