"""What Pacemaker will do with a cluster, failure by failure, in names.

A cluster is read once; each failure is one run of the scheduler from the same state,
with all lost nodes lost together: one transition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vmha.heartbeat.planning import hindrance, quorum, reasons
from vmha.heartbeat.planning.assignment import Assignment
from vmha.heartbeat.planning.instructions import Instructions, instructions
from vmha.heartbeat.planning.model import Cluster, Guest, Node
from vmha.heartbeat.planning.outcome import Moved, Outcome, Preempted, Unplaced
from vmha.heartbeat.planning.reasons import Reason
from vmha.heartbeat.planning.resource import NOWHERE, Nodes, nodes, resources


class Scheduler:
    """Pacemaker's scheduler for one cluster.

    Nodes that are ``gone`` already, and nodes in ``standby``, hold no guest; the latter
    still vote. ``told`` is what Pacemaker is told, if not what vmha would tell it.
    """

    def __init__(
        self,
        cluster: Cluster,
        gone: Iterable[str] = (),
        standby: Iterable[str] = (),
        told: Instructions | None = None,
    ) -> None:
        self.gone = frozenset(gone)
        self.standby = frozenset(standby)
        self.cluster = in_order(cluster)
        self.guests = {guest.name: guest for guest in self.cluster.guests}
        self.nodes: Nodes = nodes(self.cluster)
        told = told or instructions(self.cluster)
        self.resources = resources(self.cluster, told, self.nodes)
        self._number = {name: at for at, name in enumerate(self.nodes.names)}

    def assigned(self, lost: Iterable[str] = ()) -> Assignment:
        """Return where every guest goes when these nodes are lost."""
        gone = [self._number[name] for name in {*lost, *self.gone, *self.standby}]
        return Assignment(self.nodes, self.resources, gone).run()

    def outcome(self, lost: Iterable[str] = ()) -> Outcome:
        """Return what happens when these nodes are lost together."""
        gone = tuple(sorted(lost))
        if gone and not quorum.survives(self.cluster, len(self.gone.union(gone))):
            return self._standstill(gone)
        result = self.assigned(gone)
        placed: dict[str, str] = {}
        unplaced: list[Unplaced] = []
        preempted: list[Preempted] = []
        moved: list[Moved] = []
        for number, resource in enumerate(self.resources):
            source = self._name(resource.current)
            is_lost = source is None or source in gone or source in self.standby
            target = self._name(result.chosen[number])
            if not resource.is_managed:
                if source in gone:
                    unplaced.append(Unplaced(resource.name, *reasons.not_ha()))
            elif is_lost and target is not None:
                placed[resource.name] = target
            elif is_lost:
                why = hindrance.reason(result, self.cluster, number)
                unplaced.append(Unplaced(resource.name, *why))
            elif source is not None and target is None:
                cause = hindrance.displaced_by(result, number)
                preempted.append(Preempted(resource.name, source, None, cause))
            elif source is not None and target is not None and source != target:
                moved.append(Moved(resource.name, source, target))
        return Outcome(gone, placed, tuple(unplaced), tuple(preempted), tuple(moved))

    def nodes_left(self) -> list[Node]:
        """Return the nodes that hold guests."""
        away = self.gone | self.standby
        return [node for node in self.cluster.nodes if node.name not in away]

    def _standstill(self, gone: tuple[str, ...]) -> Outcome:
        """Return what is left without quorum: nothing runs."""
        left = len(self.nodes.names) - len(self.gone.union(gone))
        why = reasons.no_quorum(left, len(self.nodes.names))
        if not left:
            why = reasons.no_node()
        return Outcome(gone, {}, tuple(self._stopped(gone, why)))

    def _stopped(self, gone: tuple[str, ...], why: Reason) -> Iterator[Unplaced]:
        for guest in self.cluster.guests:
            if guest.ha:
                yield Unplaced(guest.name, *why)
            elif guest.runs_on in gone:
                yield Unplaced(guest.name, *reasons.not_ha())

    def _name(self, node: int) -> str | None:
        return None if node == NOWHERE else self.nodes.names[node]


def in_order(cluster: Cluster) -> Cluster:
    """Return the cluster with nodes and guests sorted by name."""
    return cluster._replace(
        nodes=tuple(sorted(cluster.nodes)),
        guests=tuple(sorted(cluster.guests, key=lambda guest: guest.name)),
    )


def settled(cluster: Cluster) -> Cluster:
    """Return the cluster with guests that run nowhere placed, where possible.

    Guests that have to make room for them are where they then are.
    """
    if all(guest.runs_on is not None or not guest.ha for guest in cluster.guests):
        return cluster
    scheduler = Scheduler(cluster)
    outcome = scheduler.outcome()
    goes: dict[str, str | None] = {**outcome.placed}
    goes.update({move.guest: move.to for move in outcome.moved})
    goes.update({stopped.guest: None for stopped in outcome.preempted})

    def at_home(guest: Guest) -> Guest:
        return guest._replace(runs_on=goes.get(guest.name, guest.runs_on))

    return scheduler.cluster._replace(
        guests=tuple(map(at_home, scheduler.cluster.guests))
    )
