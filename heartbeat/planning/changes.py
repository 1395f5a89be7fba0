"""One change of a cluster, and what follows: at once, and for later failures.

A node that is killed or put into standby gives its guests away; a guest is added,
removed or resized. The answer has the shape of a plan: its one outcome is what
Pacemaker does at once, all else is said of the cluster as it is afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Union

from vmha.heartbeat.planning import failures, packing
from vmha.heartbeat.planning.failures import Failures
from vmha.heartbeat.planning.instructions import Instructions
from vmha.heartbeat.planning.model import Cluster, Guest, Rule
from vmha.heartbeat.planning.outcome import Outcome, Plan
from vmha.heartbeat.planning.prediction import WHOLE, Scheduler, in_order, settled
from vmha.heartbeat.planning.state import State


class UnknownName(ValueError):
    """A change names a node or guest that is not there, or is there already."""

    def __init__(self, kind: str, name: str, known: bool = False) -> None:
        what = "is there already" if known else "is not there"
        super().__init__(f"{kind} {name} {what}")
        self.kind = kind
        self.name = name


class Kill(NamedTuple):
    """These nodes are lost, together."""

    nodes: tuple[str, ...]


class Standby(NamedTuple):
    """These nodes give their guests away; they still vote.

    Their guests are told of as if the nodes were lost, but they migrate.
    """

    nodes: tuple[str, ...]


class Add(NamedTuple):
    """A guest more."""

    guest: Guest


class Remove(NamedTuple):
    """A guest less."""

    guest: str


class Resize(NamedTuple):
    """A guest with other sizes; None leaves one as it is."""

    guest: str
    cpu: int | None = None
    memory_mib: int | None = None


Change = Union[Kill, Standby, Add, Remove, Resize]


class Played(NamedTuple):
    """A change in two steps: what it does at once, and the cluster afterwards.

    ``before`` plays the first step, ``after`` any failure that follows; ``later`` is
    the plan for those.
    """

    before: Scheduler
    at_once: Outcome
    after: Scheduler
    later: Plan


def what_if(
    cluster: Cluster,
    change: Change,
    examined: Failures = None,
    *,
    search: bool = True,
    state: State = WHOLE,
) -> Plan:
    """Return what the change does at once, and the plan of the cluster afterwards.

    ``state`` is the cluster's before it. Where it is that of a cluster that runs, what
    runs nowhere is down; in a file's, it is started first. Raises UnknownName.
    """
    return told(played(cluster, change, examined, state=state), search=search)


def played(
    cluster: Cluster,
    change: Change,
    examined: Failures = None,
    *,
    state: State = WHOLE,
    instructed: Instructions | None = None,
) -> Played:
    """Play a change and what may follow; raises UnknownName.

    ``instructed`` is what Pacemaker is told after the change, where it is known better
    than by the state before it.
    """
    before = settled(cluster) if state == WHOLE else cluster
    changed = changed_by(before, change)
    standby = change.nodes if isinstance(change, Standby) else ()
    lost = change.nodes if isinstance(change, Kill) else ()
    state = state.amended(before, changed)
    state = state._replace(
        standby=(*state.standby, *standby), told=instructed or state.told
    )
    scheduler = Scheduler(changed, state)
    at_once = scheduler.outcome(lost)
    if standby:
        at_once = at_once._replace(lost=tuple(sorted(standby)))
    state = state._replace(gone=(*state.gone, *lost))
    after = Scheduler(_afterwards(changed, at_once), state)
    later = failures.planned(after, examined, search=False)
    return Played(scheduler, at_once, after, later)


def told(done: Played, *, search: bool = True) -> Plan:
    """Return what was played in the shape of a plan."""
    is_exact = True
    at_once = done.at_once
    changed = done.before.cluster
    if search:
        at_once, is_exact = packing.with_better(changed, at_once)
    return done.later._replace(
        exact=is_exact,
        failures=(at_once,),
        reservation=failures.reservation(changed, [at_once]),
    )


def changed_by(cluster: Cluster, change: Change) -> Cluster:
    """Return the cluster with the change to its guests made; raises UnknownName."""
    _check(cluster, change)
    return _applied(cluster, change)


def _check(cluster: Cluster, change: Change) -> None:
    guests = {guest.name for guest in cluster.guests}
    if isinstance(change, (Kill, Standby)):
        nodes = {node.name for node in cluster.nodes}
        for name in change.nodes:
            if name not in nodes:
                raise UnknownName("node", name)
    elif isinstance(change, Add):
        if change.guest.name in guests:
            raise UnknownName("guest", change.guest.name, known=True)
    elif change.guest not in guests:
        raise UnknownName("guest", change.guest)


def _applied(cluster: Cluster, change: Change) -> Cluster:
    """Return the cluster with the change to its guests made."""
    guests = {guest.name: guest for guest in cluster.guests}
    if isinstance(change, Add):
        guests[change.guest.name] = change.guest
    elif isinstance(change, Remove):
        del guests[change.guest]
        rules = tuple(_without(cluster.rules, change.guest))
        cluster = cluster._replace(rules=rules)
    elif isinstance(change, Resize):
        guest = guests[change.guest]
        guests[change.guest] = guest._replace(
            cpu=guest.cpu if change.cpu is None else change.cpu,
            memory_mib=(
                guest.memory_mib if change.memory_mib is None else change.memory_mib
            ),
        )
    return in_order(cluster._replace(guests=tuple(guests.values())))


def _without(rules: Iterable[Rule], guest: str) -> Iterable[Rule]:
    for rule in rules:
        left = tuple(name for name in rule.guests if name != guest)
        if left:
            yield rule._replace(guests=left)


def _afterwards(cluster: Cluster, at_once: Outcome) -> Cluster:
    """Return the cluster with the outcome as its new state."""
    to = {**at_once.placed, **{move.guest: move.to for move in at_once.moved}}
    down = {entry.guest for entry in at_once.unplaced}
    down |= {entry.guest for entry in at_once.preempted}
    guests = tuple(
        guest._replace(
            runs_on=None if guest.name in down else to.get(guest.name, guest.runs_on)
        )
        for guest in cluster.guests
    )
    return cluster._replace(guests=guests)
