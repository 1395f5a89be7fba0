"""Why a guest cannot be on a node, and who has the place of one that had to go."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.planning import reasons, scores
from vmha.heartbeat.planning.assignment import Assignment
from vmha.heartbeat.planning.model import Avoid, Cluster, Pin
from vmha.heartbeat.planning.reasons import Reason
from vmha.heartbeat.planning.resource import NOWHERE, Link


def reason(result: Assignment, cluster: Cluster, number: int) -> Reason:
    """Return why a guest stays down in a run of the scheduler."""
    rooms = result.rooms.get(number, [])
    resource = result.resources[number]
    if rooms:
        return reasons.capacity(resource.cpu, resource.memory, rooms)
    causes = []
    for node, is_available in enumerate(result.available):
        if is_available:
            name = result.nodes.names[node]
            told = by_rule(result, cluster, number, node)
            causes.append(f"{name}: {told or 'a hard rule excludes it'}")
    if not causes:
        return reasons.no_node()
    return reasons.rule(_merged(causes))


def by_rule(result: Assignment, cluster: Cluster, number: int, node: int) -> str | None:
    """Return which hard rule keeps a guest from a node, None if none does."""
    resource = result.resources[number]
    if resource.weights[node] <= -scores.INFINITY:
        return _location(cluster, resource.name, result.nodes.names[node])
    for link in resource.placed_by:
        told = _colocation(result, link, link.primary, node)
        if told:
            return told
    for link in resource.places:
        told = _colocation(result, link, link.dependent, node)
        if told:
            return told
    return None


def displaced_by(result: Assignment, number: int) -> str | None:
    """Return the guest that took the place of a survivor that had to stop."""
    resource = result.resources[number]
    home = resource.current
    turn = result.turns.index(number)
    for link in resource.placed_by:
        if abs(link.score) >= scores.INFINITY and _breaks(result, link, home):
            return result.resources[link.primary].name
    came = [
        other
        for other in result.turns[:turn]
        if result.chosen[other] == home and result.resources[other].current != home
    ]
    if not came:
        return None
    available = result.available
    lost = [
        other
        for other in came
        if result.resources[other].current == NOWHERE
        or not available[result.resources[other].current]
    ]
    return result.resources[(lost or came)[0]].name


def _location(cluster: Cluster, guest: str, node: str) -> str:
    for rule in sorted(cluster.rules, key=repr):
        if isinstance(rule, (Pin, Avoid)) and rule.hard and guest in rule.guests:
            if isinstance(rule, Pin) and node not in rule.nodes:
                return f"it is pinned to {', '.join(sorted(rule.nodes))}"
            if isinstance(rule, Avoid) and node in rule.nodes:
                return "it must avoid this node"
    return "a location rule excludes it"


def _breaks(result: Assignment, link: Link, node: int) -> bool:
    """Tell whether the primary's place excludes the dependent from this node."""
    at = result.chosen[link.primary]
    if at == NOWHERE:
        return link.score > 0
    is_same = link.groups[at] == link.groups[node]
    return is_same if link.score < 0 else not is_same


def _colocation(result: Assignment, link: Link, other: int, node: int) -> str | None:
    if abs(link.score) < scores.INFINITY:
        return None
    name = result.resources[other].name
    at = result.chosen[other]
    if link.score > 0 and other == link.primary:
        if at == NOWHERE:
            return f"it must be with {name}, which is down"
        if at != node:
            return f"it must be with {name}, which is on {result.nodes.names[at]}"
    if link.score < 0 and at != NOWHERE and link.groups[at] == link.groups[node]:
        where = "here" if at == node else f"on {result.nodes.names[at]}, the same rack"
        return f"it must be apart from {name}, which is {where}"
    return None


def _merged(causes: list[str]) -> Iterator[str]:
    """Say once what is true of several nodes."""
    nodes: dict[str, list[str]] = {}
    for cause in causes:
        node, _, told = cause.partition(": ")
        nodes.setdefault(told, []).append(node)
    for told, names in nodes.items():
        yield f"{', '.join(names)}: {told}"
