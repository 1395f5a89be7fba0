"""Guests and nodes as Pacemaker's scheduler holds them: numbers instead of names.

Built once for a cluster and used for every failure of it; nothing here changes while
guests are assigned (``assignment`` keeps what does).
"""

from __future__ import annotations

from typing import NamedTuple

from vmha.heartbeat.planning import scores
from vmha.heartbeat.planning.instructions import (
    STICKINESS,
    STOPPED,
    SYMMETRIC,
    TARGET_ROLE,
    ColocationTerm,
    GuestTerms,
    Instructions,
)
from vmha.heartbeat.planning.model import HOST, Cluster

NOWHERE = -1


class Link(NamedTuple):
    """A colocation: ``dependent`` is placed by where ``primary`` is.

    ``groups`` says of each node which host or rack it belongs to. ``has_influence`` is
    whether the dependent's wishes count when a running primary is placed (Pacemaker
    Explained, "critical" and "influence").
    """

    dependent: int
    primary: int
    score: int
    groups: tuple[int, ...]
    has_influence: bool

    @property
    def factor(self) -> float:
        """The share of the other's scores that counts."""
        return self.score / scores.INFINITY


class Resource:
    """A guest: what it needs, where it runs, its score on each node before colocations.

    ``is_stopped`` is whether it is meant to be stopped; its node then is nowhere.
    ``is_sized`` is whether anything is said of what it needs. ``is_adrift`` is whether
    it loses its score on its node with the node, as what is not managed in an opt-in
    cluster does.
    ``placed_by`` are the links in which it is the dependent, ``places`` those in which
    it is the primary, each in the order in which Pacemaker goes through them.
    """

    __slots__ = (
        "cpu",
        "current",
        "is_adrift",
        "is_managed",
        "is_sized",
        "is_stopped",
        "memory",
        "name",
        "placed_by",
        "places",
        "priority",
        "stickiness",
        "weights",
    )

    def __init__(self, name: str, cpu: int, memory: int, current: int) -> None:
        self.name = name
        self.cpu = cpu
        self.memory = memory
        self.current = current
        self.priority = 0
        self.is_managed = True
        self.is_adrift = False
        self.is_sized = True
        self.is_stopped = False
        self.stickiness = 0
        self.weights: tuple[int, ...] = ()
        self.placed_by: list[Link] = []
        self.places: list[Link] = []

    @property
    def is_linked(self) -> bool:
        """Whether any colocation names it."""
        return bool(self.placed_by or self.places)


class Nodes(NamedTuple):
    """The nodes by number, in the order of their names."""

    names: tuple[str, ...]
    cpu: tuple[int, ...]
    memory: tuple[int, ...]
    racks: tuple[int, ...]


def nodes(cluster: Cluster) -> Nodes:
    """Return the cluster's nodes."""
    ordered = sorted(cluster.nodes)
    racks = {rack: at for at, rack in enumerate(sorted({n.rack for n in ordered}))}
    return Nodes(
        tuple(node.name for node in ordered),
        tuple(node.cpu for node in ordered),
        tuple(node.memory_mib for node in ordered),
        tuple(racks[node.rack] for node in ordered),
    )


def resources(
    cluster: Cluster, told: Instructions, places: Nodes
) -> tuple[Resource, ...]:
    """Return the cluster's guests, in the order in which Pacemaker is told of them."""
    at = {name: number for number, name in enumerate(places.names)}
    homes = {guest.name: guest.runs_on for guest in cluster.guests}
    default = told.defaults.get(STICKINESS, "0")
    made = [
        _resource(terms, at.get(homes.get(terms.name, terms.runs_on) or ""), default)
        for terms in told.guests
    ]
    if told.properties.get(SYMMETRIC) == "false":
        for resource in made:
            resource.is_adrift = not resource.is_managed
    number = {resource.name: index for index, resource in enumerate(made)}
    wishes: list[dict[int, int]] = [{} for _ in made]
    for guest, node, score in told.locations:
        wishes[number[guest]][at[node]] = score
    _weigh(made, wishes, len(places.names))
    influential = {
        terms.name for terms in told.guests if terms.meta.get("critical") != "false"
    }
    # Of two between the same, Pacemaker heeds first what was said last.
    for term in reversed(told.colocations):
        _link(term, made, number, places, term.guest in influential)
    for resource in made:
        resource.placed_by.sort(key=lambda link: _rank(made[link.primary]))
        resource.places.sort(key=lambda link: _rank(made[link.dependent]))
    return tuple(made)


def _resource(terms: GuestTerms, current: int | None, stickiness: str) -> Resource:
    here = NOWHERE if current is None else current
    made = Resource(terms.name, terms.cpu, terms.memory_mib, here)
    made.priority = int(terms.meta["priority"])
    made.is_managed = terms.meta.get("is-managed") != "false"
    made.is_sized = terms.is_sized
    made.is_stopped = terms.meta.get(TARGET_ROLE, "").lower() == STOPPED
    made.stickiness = scores.read(terms.meta.get(STICKINESS, stickiness))
    return made


def _weigh(made: list[Resource], wishes: list[dict[int, int]], size: int) -> None:
    """Give each guest its scores: locations and stickiness."""
    plain = [0] * size
    for resource, wish in zip(made, wishes):
        weights = plain.copy()
        for node, score in wish.items():
            weights[node] = score
        if resource.current != NOWHERE:
            # What is not managed stays where it is, come what may.
            pull = resource.stickiness if resource.is_managed else scores.INFINITY
            here = weights[resource.current]
            weights[resource.current] = scores.added(here, pull)
        resource.weights = tuple(weights)


def _link(
    term: ColocationTerm,
    made: list[Resource],
    number: dict[str, int],
    places: Nodes,
    has_influence: bool,
) -> None:
    hosts = tuple(range(len(places.names)))
    link = Link(
        number[term.guest],
        number[term.with_guest],
        term.score,
        hosts if term.across == HOST else places.racks,
        has_influence,
    )
    made[link.dependent].placed_by.append(link)
    made[link.primary].places.append(link)


def _rank(other: Resource) -> tuple[int, str]:
    return -other.priority, other.name
