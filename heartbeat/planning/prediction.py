"""What Pacemaker will do with a cluster, failure by failure, in names.

A cluster is read once; each failure is one run of the scheduler from the same state,
with all lost nodes lost together: one transition.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vmha.heartbeat.planning import chains, hindrance, quorum, reasons, scores
from vmha.heartbeat.planning.assignment import Assignment
from vmha.heartbeat.planning.instructions import instructions
from vmha.heartbeat.planning.model import Cluster, Guest, Node
from vmha.heartbeat.planning.outcome import Moved, Outcome, Preempted, Unplaced
from vmha.heartbeat.planning.reasons import Reason
from vmha.heartbeat.planning.resource import NOWHERE, Nodes, Resource, nodes, resources
from vmha.heartbeat.planning.state import State

WHOLE = State()


class Scheduler:
    """Pacemaker's scheduler for one cluster, as ``state`` says that it is.

    Nodes that are gone already, and nodes in standby, hold no guest; the latter still
    vote. Nodes in maintenance hold those that are there. It ``is_entangled`` where more
    guests are placed by one another than can be followed; it then looks no further than
    from one to the next, and is no more than a guess.
    """

    def __init__(self, cluster: Cluster, state: State = WHOLE) -> None:
        self.state = state
        self.gone = frozenset(state.gone)
        self.standby = frozenset(state.standby)
        self.cluster = in_order(cluster)
        self.guests = {guest.name: guest for guest in self.cluster.guests}
        self.nodes: Nodes = nodes(self.cluster)
        told = state.told or instructions(self.cluster)
        self.resources = resources(self.cluster, told, self.nodes)
        self._number = {name: at for at, name in enumerate(self.nodes.names)}
        number = {resource.name: at for at, resource in enumerate(self.resources)}
        self.is_entangled = _is_entangled(self.resources, len(cluster.nodes))
        self._orders = [(number[one], number[other]) for one, other in told.orders]
        self._orders += [
            (link.primary, link.dependent)
            for resource in self.resources
            for link in resource.placed_by
            if link.score >= scores.INFINITY
        ]

    def assigned(self, lost: Iterable[str] = ()) -> Assignment:
        """Return where every guest goes when these nodes are lost."""
        gone = {self._number[name] for name in {*lost, *self.gone}}
        away = {self._number[name] for name in self.standby.union(self.state.frozen)}
        follows = not self.is_entangled
        table = Assignment(self.nodes, self.resources, gone | away, gone, follows)
        return table.run()

    def outcome(self, lost: Iterable[str] = ()) -> Outcome:
        """Return what happens when these nodes are lost together."""
        gone = tuple(sorted(lost))
        if gone and not quorum.survives(self.cluster, len(self.gone.union(gone))):
            return self._standstill(gone)
        result = self.assigned(gone)
        absent = self.gone.union(gone)
        waits = self._waiting(result, absent)
        found = Outcome(gone, {})
        placed: dict[str, str] = {}
        unplaced: list[Unplaced] = []
        preempted: list[Preempted] = []
        moved: list[Moved] = []
        for number, resource in enumerate(self.resources):
            if resource.name not in self.guests:
                continue
            source = self._name(resource.current)
            is_lost = source is None or source in absent or source in self.standby
            target = None if number in waits else self._name(result.chosen[number])
            if not resource.is_managed:
                if source is None or source in absent:
                    unplaced += self._unmanaged(resource.name, source)
            elif is_lost and target is not None:
                placed[resource.name] = target
            elif is_lost:
                why = self._why(result, number, waits)
                unplaced.append(Unplaced(resource.name, *why))
            elif source is not None and target is None:
                cause = waits.get(number) or hindrance.displaced_by(result, number)
                preempted.append(Preempted(resource.name, source, None, cause))
            elif source is not None and target is not None and source != target:
                moved.append(Moved(resource.name, source, target))
        return found._replace(
            placed=placed,
            unplaced=tuple(unplaced),
            preempted=tuple(preempted),
            moved=tuple(moved),
        )

    def _waiting(self, result: Assignment, absent: Iterable[str]) -> dict[int, str]:
        """Return who is kept down by another that is down, and by whom.

        That is by a mandatory order, or by having to be where the other is. Pacemaker
        finds a place for them all the same, which nobody else gets.
        """
        waits: dict[int, str] = {}
        away = {NOWHERE, *(self._number[name] for name in absent)}
        down = {at for at, node in enumerate(result.chosen) if node in away}
        is_new = True
        while is_new:
            is_new = False
            for first, then in self._orders:
                if first in down and then not in down:
                    down.add(then)
                    waits[then] = self.resources[first].name
                    is_new = True
        return waits

    def _why(self, result: Assignment, number: int, waits: dict[int, str]) -> Reason:
        if self.resources[number].is_stopped:
            return reasons.stopped()
        if number in waits:
            return reasons.waiting(waits[number])
        return hindrance.reason(result, self.cluster, number)

    def _unmanaged(self, name: str, home: str | None) -> Iterator[Unplaced]:
        """Tell of a guest that nothing starts; one that was down for its own sake not.

        Without ha that is what its owner wants, and it is told of when its node is
        lost.
        """
        if self.guests[name].ha:
            yield Unplaced(name, *reasons.unmanaged())
        elif home is not None:
            yield Unplaced(name, *reasons.not_ha())

    def nodes_left(self) -> list[Node]:
        """Return the nodes that hold guests."""
        away = self.gone.union(self.standby, self.state.frozen)
        return [node for node in self.cluster.nodes if node.name not in away]

    def nodes_to_lose(self) -> list[Node]:
        """Return the nodes whose loss takes guests away."""
        away = self.gone | self.standby
        return [node for node in self.cluster.nodes if node.name not in away]

    def _standstill(self, gone: tuple[str, ...]) -> Outcome:
        """Return what is left without quorum: nothing runs."""
        lost = len(self.gone.union(gone))
        left = len(self.nodes.names) - lost
        remedy = quorum.remedy(self.cluster, lost)
        why = reasons.no_quorum(left, len(self.nodes.names), remedy)
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


def _is_entangled(made: Sequence[Resource], size: int) -> bool:
    """Count them all: who has no say is still gone through, in the other direction."""
    pairs = (
        (made[link.dependent].name, resource.name)
        for resource in made
        for link in resource.places
    )
    return chains.counted(pairs, size).are_too_many


def in_order(cluster: Cluster) -> Cluster:
    """Return the cluster with nodes and guests sorted by name."""
    return cluster._replace(
        nodes=tuple(sorted(cluster.nodes)),
        guests=tuple(sorted(cluster.guests, key=lambda guest: guest.name)),
    )


def settled(cluster: Cluster, state: State = WHOLE) -> Cluster:
    """Return the cluster with guests that run nowhere placed, where possible.

    Guests that have to make room for them are where they then are.
    """
    if all(guest.runs_on is not None or not guest.ha for guest in cluster.guests):
        return cluster
    scheduler = Scheduler(cluster, state)
    outcome = scheduler.outcome()
    goes: dict[str, str | None] = {**outcome.placed}
    goes.update({move.guest: move.to for move in outcome.moved})
    goes.update({stopped.guest: None for stopped in outcome.preempted})

    def at_home(guest: Guest) -> Guest:
        return guest._replace(runs_on=goes.get(guest.name, guest.runs_on))

    return scheduler.cluster._replace(
        guests=tuple(map(at_home, scheduler.cluster.guests))
    )
