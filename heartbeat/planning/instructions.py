"""What Pacemaker is told about guests: meta attributes, locations, colocations.

The configuration is rendered from this and from nothing else, and ``assignment`` plays
it, so the planner and the configuration cannot speak of two clusters. Everything is
sorted, since the order of entries changes where Pacemaker puts guests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

from vmha.heartbeat.planning import bound, scores
from vmha.heartbeat.planning.model import (
    HOST,
    NONE,
    Avoid,
    Cluster,
    Pin,
    Rule,
    Spread,
    Together,
)


class GuestTerms(NamedTuple):
    """A guest's meta attributes, as Pacemaker spells them, and what it is said to need.

    Read from a configuration of others it may be any primitive: what is no guest of the
    cluster runs on ``runs_on``, has its place and its say, and is not told of.

    The leader of guests that must be together is said to need what all of them need,
    the others nothing: so Pacemaker starts all of them on one node or none. Where that
    is not the guest's own size, the meta attribute ``vmha-size`` holds that one.
    """

    name: str
    meta: Mapping[str, str]
    cpu: int
    memory_mib: int
    runs_on: str | None = None
    is_sized: bool = True


class LocationTerm(NamedTuple):
    """A guest's score on one node."""

    guest: str
    node: str
    score: int


class ColocationTerm(NamedTuple):
    """``guest`` is placed by the host, or the rack, that ``with_guest`` is on."""

    guest: str
    with_guest: str
    score: int
    across: str = HOST


class OrderTerm(NamedTuple):
    """``then`` runs only where ``first`` runs (a mandatory order of two starts)."""

    first: str
    then: str


class Instructions(NamedTuple):
    """All that decides where Pacemaker puts guests, what the nodes offer apart.

    Guests stand in the order of the configuration, which decides between equals.
    """

    properties: Mapping[str, str]
    defaults: Mapping[str, str]
    guests: tuple[GuestTerms, ...]
    locations: tuple[LocationTerm, ...]
    colocations: tuple[ColocationTerm, ...]
    orders: tuple[OrderTerm, ...] = ()

    def places(self) -> dict[str, str]:
        """Return where what is no guest runs."""
        return {g.name: g.runs_on for g in self.guests if g.runs_on is not None}


SIZE = "vmha-size"
STICKINESS = "resource-stickiness"
SYMMETRIC = "symmetric-cluster"
TARGET_ROLE, STOPPED = "target-role", "stopped"
MOST_PREFERRED = 10

PROPERTIES = {"placement-strategy": scores.STRATEGY}


def instructions(cluster: Cluster) -> Instructions:
    """Return what the configuration says of this cluster's guests."""
    sets = bound.sets(cluster)
    leaders = {name: sets.get(name, (name,))[0] for name in _names(cluster)}
    colocations = tuple(sorted(set(_colocations(cluster, leaders))))
    locations = tuple(sorted(_locations(cluster, sets, colocations)))
    unheard = _unheard(locations, colocations)
    return Instructions(
        PROPERTIES,
        {STICKINESS: str(scores.STICKINESS)},
        tuple(_terms(cluster, sets, unheard)),
        locations,
        colocations,
    )


def priorities(cluster: Cluster) -> dict[str, int]:
    """Return the priority each guest is given.

    Where pre-emption is not wanted all are equal; even so Pacemaker may displace a
    survivor, which the plan then shows. Only their order counts: where a class is below
    zero, or so high that Pacemaker would cut it, their ranks are told instead.
    """
    ha = {
        guest.name: 0 if cluster.preemption == NONE else guest.priority
        for guest in cluster.guests
        if guest.ha
    }
    known = sorted(set(ha.values()))
    if known and (known[0] < 0 or known[-1] > scores.MOST_PRIORITY):
        ha = {name: known.index(value) for name, value in ha.items()}
    found = {name: scores.LEAST_PRIORITY + value for name, value in ha.items()}
    for guest in cluster.guests:
        found.setdefault(guest.name, scores.UNMANAGED_PRIORITY)
    return found


def _names(cluster: Cluster) -> list[str]:
    return [guest.name for guest in cluster.guests]


def _terms(
    cluster: Cluster, sets: bound.Sets, unheard: set[str]
) -> Iterator[GuestTerms]:
    guests = {guest.name: guest for guest in cluster.guests}
    given = priorities(cluster)
    for name, guest in sorted(guests.items()):
        meta = {"priority": str(given[name])}
        if name in unheard:
            meta["critical"] = "false"
        if not guest.ha:
            meta["is-managed"] = "false"
        cpu, memory = guest.cpu, guest.memory_mib
        if name in sets:
            members = [guests[member] for member in sets[name]]
            is_leader = name == members[0].name
            cpu = sum(member.cpu for member in members) if is_leader else 0
            memory = sum(member.memory_mib for member in members) if is_leader else 0
            meta[SIZE] = f"{guest.cpu},{guest.memory_mib}"
        yield GuestTerms(name, meta, cpu, memory)


def _unheard(
    locations: Iterable[LocationTerm], colocations: Iterable[ColocationTerm]
) -> set[str]:
    """Return the guests that have no say in where those are that they are placed by.

    Pacemaker takes a dependent's scores from those of its primary, so that a guest that
    is restarted does not take the node of one that runs. But what a guest merely likes
    would then be forbidden to those that hard rules keep apart from it.
    """
    likes = {guest for guest, _, score in locations if score > 0}
    return {
        guest
        for guest, with_guest, score, _ in colocations
        if score >= scores.INFINITY
        or (score <= -scores.INFINITY and (guest in likes or with_guest in likes))
    }


def _locations(
    cluster: Cluster, sets: bound.Sets, colocations: Iterable[ColocationTerm]
) -> Iterator[LocationTerm]:
    """Yield one term for each guest and node that anything is said of."""
    found = footing(cluster, colocations)
    for guest, node, score in _wishes(cluster):
        # What is forbidden to one of a set is forbidden to all of it.
        members = sets.get(guest, (guest,)) if score <= -scores.INFINITY else (guest,)
        for member in members:
            key = (member, node)
            found[key] = scores.added(found.get(key, 0), score)
    for (guest, node), score in found.items():
        if score:
            yield LocationTerm(guest, node, score)


def footing(
    cluster: Cluster, colocations: Iterable[ColocationTerm]
) -> dict[tuple[str, str], int]:
    """Return the score on every node that outweighs what soft rules take away.

    A node whose score is negative is unusable for Pacemaker, however soft the rule. All
    guests that a soft rule names get the same, so that none comes before the other.
    """
    taken: dict[str, int] = {}
    for guest, with_guest, score, _ in colocations:
        if abs(score) < scores.INFINITY:
            taken[guest] = taken.get(guest, 0) + abs(score)
            taken[with_guest] = taken.get(with_guest, 0) + abs(score)
    for guest, _, score in _wishes(cluster):
        if -scores.INFINITY < score < 0:
            taken[guest] = taken.get(guest, 0) - score
    most = max(taken.values(), default=0)
    score = scores.FOOTING * (1 + most // scores.FOOTING)
    return {(guest, node.name): score for guest in taken for node in cluster.nodes}


def _wishes(cluster: Cluster) -> Iterator[tuple[str, str, int]]:
    for guest in cluster.guests:
        for rank, node in enumerate(reversed(guest.prefer), start=1):
            yield guest.name, node, scores.PREFER * min(rank, MOST_PREFERRED)
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


def _colocations(
    cluster: Cluster, leaders: Mapping[str, str]
) -> Iterator[ColocationTerm]:
    """Yield each pair once; of two rules of a kind on one pair, the harder.

    The guest that is placed later follows the earlier one, or keeps away from it; the
    other way about, a rule would turn the order of priorities around. What guests that
    must be together merely like is said of one of them: said of each, it can lead in a
    circle, and Pacemaker then places one without the one that it has to follow.
    """
    company = bound.companies(cluster)
    one_of = {name: company.get(leader, leader) for name, leader in leaders.items()}
    rank = {name: (-given, name) for name, given in priorities(cluster).items()}
    found: dict[tuple[str, str, str, bool], int] = {}
    for rule in cluster.rules:
        for one, other, score in _pairs(rule, leaders if rule.hard else one_of):
            first, then = sorted((one, other), key=rank.__getitem__)
            across = rule.across if isinstance(rule, Spread) else HOST
            key = (then, first, across, score > 0)
            if abs(score) > abs(found.get(key, 0)):
                found[key] = score
    for (then, first, across, _), score in found.items():
        yield ColocationTerm(then, first, score, across)
    for name, leader in leaders.items():
        if name != leader:
            yield ColocationTerm(name, leader, scores.INFINITY)
    yield from _followers(cluster, leaders)


def _pairs(rule: Rule, leaders: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """Yield the guests of which a rule says how near they are, by their leaders."""
    if isinstance(rule, Spread):
        apart = sorted({leaders[name] for name in rule.guests if name in leaders})
        score = -scores.INFINITY if rule.hard else scores.SOFT_SPREAD
        for one, other in combinations(apart, 2):
            yield one, other, score
    elif isinstance(rule, Together) and not rule.hard:
        first, *others = [leaders[name] for name in rule.guests if name in leaders]
        for other in sorted({*others} - {first}):
            yield first, other, scores.SOFT_TOGETHER


def _followers(
    cluster: Cluster, leaders: Mapping[str, str]
) -> Iterator[ColocationTerm]:
    """Yield what must be together with a guest that nothing moves, as it is named."""
    for rule in cluster.rules:
        if isinstance(rule, Together) and rule.hard:
            first, *others = rule.guests
            for name in sorted({*others} - {first}):
                if leaders.get(name) != leaders.get(first):
                    yield ColocationTerm(name, first, scores.INFINITY)
