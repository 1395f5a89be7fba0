"""Where Pacemaker's scheduler puts guests: its own steps, in its own order.

Facts from Pacemaker 2.1.5: guests are taken by priority, then by their score where they
run now, then by their scores node by node, then in the order of the configuration; a
guest's primaries are assigned before it; each goes to the usable node with the best
score that still has room, among equals to the one it runs on, then to the one with the
fewest guests, then by name. No guest is looked at twice, so a choice is never taken
back: which is why this can leave a guest down that a better packing would start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vmha.heartbeat.planning import scores
from vmha.heartbeat.planning.colocation import (
    followed,
    is_heard,
    merged,
    order_scores,
)
from vmha.heartbeat.planning.reasons import Room
from vmha.heartbeat.planning.resource import NOWHERE, Nodes, Resource


class Assignment:
    """One run of the scheduler: the nodes that are left, and what is given out.

    Nodes that are ``away`` take nothing; those of them that are ``lost`` hold nothing.
    ``chosen`` is the number of each guest's node, ``NOWHERE`` for one that stays down;
    ``turns`` is the order in which they were assigned; ``rooms`` holds, for each that
    stays down, what its allowed nodes had left at its turn. Without ``follows_chains``
    only those that a guest is directly placed with are heard.
    """

    def __init__(
        self,
        nodes: Nodes,
        resources: Sequence[Resource],
        away: Iterable[int] = (),
        lost: Iterable[int] = (),
        follows_chains: bool = True,
    ) -> None:
        gone = set(away)
        size = len(nodes.names)
        self.nodes = nodes
        self.resources: Sequence[Resource] = resources
        self.available: Sequence[bool] = [node not in gone for node in range(size)]
        self.free_cpu = list(nodes.cpu)
        self.free_memory = list(nodes.memory)
        self.guests_on = [0] * size
        self.chosen = [NOWHERE] * len(resources)
        self.merging: set[int] = set()
        self.follows_chains = follows_chains
        self.turns: list[int] = []
        self.rooms: dict[int, list[Room]] = {}
        self._changed: dict[int, Sequence[int]] = {}
        self._is_done = [False] * len(resources)
        self._begun: set[int] = set()
        dead = set(lost)
        for number, resource in enumerate(resources):
            if resource.is_adrift and resource.current in dead:
                changed = list(resource.weights)
                changed[resource.current] = -scores.INFINITY
                self._changed[number] = changed

    def run(self) -> Assignment:
        """Assign every guest."""
        for number in self._in_order():
            self._assign(number)
        return self

    def weights(self, number: int) -> Sequence[int]:
        """Return a resource's scores as they are now."""
        known = self._changed.get(number)
        return self.resources[number].weights if known is None else known

    def fits(self, node: int, cpu: int, memory: int) -> bool:
        """Tell whether a node has so much left."""
        return self.free_cpu[node] >= cpu and self.free_memory[node] >= memory

    def has_room(self, node: int, resource: Resource) -> bool:
        """Tell whether a resource may go to a node; one without a size always may."""
        return not resource.is_sized or self.fits(node, resource.cpu, resource.memory)

    def _in_order(self) -> list[int]:
        """Return the guests in the order in which they have their turn."""
        size = len(self.available)
        by_node = sorted(range(size), key=lambda node: not self.available[node])

        def key(number: int) -> tuple[int, int, list[int]]:
            resource = self.resources[number]
            weights = order_scores(self, number)
            current = resource.current
            here = -scores.INFINITY if current == NOWHERE else weights[current]
            return -resource.priority, -here, [-weights[node] for node in by_node]

        return sorted(range(len(self.resources)), key=key)

    def _assign(self, number: int) -> None:
        if self._is_done[number] or number in self._begun:
            return
        resource = self.resources[number]
        if resource.is_linked:
            self._begun.add(number)
            self._follow_links(number, resource)
            self._begun.discard(number)
        allowed = self.weights(number)
        if resource.is_stopped and resource.is_managed:
            node = NOWHERE
        elif resource.is_linked:
            node = self._best_with_companions(number, resource)
        else:
            node = self._best_of(resource, allowed)
        if node == NOWHERE:
            self.rooms[number] = self._rooms(allowed)
        self._settle(number, node)

    def _follow_links(self, number: int, resource: Resource) -> None:
        """Assign the guests this one is placed by; count the wishes of the others."""
        for link in resource.placed_by:
            self._assign(link.primary)
            if self._is_done[link.primary]:
                at = self.chosen[link.primary]
                weights = followed(self, link, self.weights(number), at)
                self._changed[number] = weights
        for link in resource.places:
            if is_heard(self, link):
                self._changed[number] = merged(
                    self, link.dependent, self.weights(number), link, link.factor
                )

    def _rooms(self, allowed: Sequence[int]) -> list[Room]:
        return [
            Room(self.nodes.names[node], self.free_cpu[node], self.free_memory[node])
            for node, weight in enumerate(allowed)
            if weight >= 0 and self.available[node]
        ]

    def _settle(self, number: int, node: int) -> None:
        self._is_done[number] = True
        self.turns.append(number)
        self.chosen[number] = node
        if node != NOWHERE:
            resource = self.resources[number]
            self.free_cpu[node] -= resource.cpu
            self.free_memory[node] -= resource.memory
            self.guests_on[node] += 1

    def _best_of(self, resource: Resource, weights: Sequence[int]) -> int:
        """Return the best node that has room, or NOWHERE."""
        current = resource.current
        if not resource.is_managed:
            return current
        if (
            current != NOWHERE
            and self.available[current]
            and weights[current] == max(weights)
            and weights[current] > 0
            and self.has_room(current, resource)
        ):
            return current  # nearly every survivor: no other node has to be looked at
        best, best_rank = NOWHERE, (0, 0, 0)
        for node, weight in enumerate(weights):
            if weight < 0 or not self.available[node]:
                continue
            if not self.has_room(node, resource):
                continue
            rank = (-weight, self.guests_on[node], int(node != current))
            if best == NOWHERE or rank < best_rank:
                best, best_rank = node, rank
        if (
            best != NOWHERE
            and weights[best] > 0
            and current != NOWHERE
            and self.available[current]
            and weights[current] == weights[best]
            and self.has_room(current, resource)
        ):
            return current
        return best

    def _banned(
        self, weights: Sequence[int], cpu: int, memory: int, is_sized: bool
    ) -> Sequence[int]:
        """Return the scores with never for nodes that have less left."""
        if not is_sized:
            return weights
        changed = list(weights)
        for node, weight in enumerate(weights):
            if (
                weight >= 0
                and self.available[node]
                and not self.fits(node, cpu, memory)
            ):
                changed[node] = -scores.INFINITY
        return changed

    def _bound_to(self, number: int) -> list[int]:
        """Return the guests that must share a node with this one, itself first."""
        found: list[int] = []

        def follow(at: int) -> None:
            if at in found:
                return
            found.append(at)
            for link in self.resources[at].placed_by:
                if link.score >= scores.INFINITY and link.primary != number:
                    follow(link.primary)
            for link in self.resources[at].places:
                if link.score >= scores.INFINITY and link.dependent != number:
                    follow(link.dependent)

        follow(number)
        return found

    def _best_with_companions(self, number: int, resource: Resource) -> int:
        """Return the node for a guest, its companions that are still to come in mind.

        Only nodes with room for all of them count; if there is none, those with room
        for this one, and the one with most room is taken if its score is not worse.
        """
        open_ = [at for at in self._bound_to(number) if not self._is_done[at]]
        cpu = sum(self.resources[at].cpu for at in open_)
        memory = sum(self.resources[at].memory for at in open_)
        is_sized = any(self.resources[at].is_sized for at in open_)
        weights = self.weights(number)
        usable = [
            node
            for node, weight in enumerate(weights)
            if weight >= 0 and self.available[node]
        ]
        if not is_sized or any(self.fits(node, cpu, memory) for node in usable):
            weights = self._banned(weights, cpu, memory, is_sized)
            self._changed[number] = weights
            return self._best_of(resource, weights)
        most = NOWHERE
        for node in usable:
            if most == NOWHERE or self._has_more(node, most):
                most = node
        weights = self._banned(
            weights, resource.cpu, resource.memory, resource.is_sized
        )
        self._changed[number] = weights
        top = max(
            (weights[node] for node in usable),
            default=-scores.INFINITY,
        )
        if resource.is_managed and most != NOWHERE and weights[most] >= max(top, 0):
            return most
        return self._best_of(resource, weights)

    def _has_more(self, node: int, other: int) -> bool:
        """Compare what is left on two nodes, one vote for each kind of capacity."""
        cpu = self.free_cpu[node] - self.free_cpu[other]
        memory = self.free_memory[node] - self.free_memory[other]
        return (cpu > 0) - (cpu < 0) + (memory > 0) - (memory < 0) > 0
