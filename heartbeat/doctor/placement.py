"""Why a guest is where it is, and why it is not elsewhere. Pure.

Called by explain and status; ``down`` says why one runs nowhere. It names what it sees
in the configuration and the status, in Pacemaker's terms; the scheduler's arithmetic it
leaves to Pacemaker. Where several things are in the way, all are named.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import NamedTuple

from lxml import etree

from vmha.agents.cib import INFINITY, number
from vmha.heartbeat.doctor import rules
from vmha.heartbeat.doctor.cib import Cib, Resource
from vmha.heartbeat.doctor.observed import Observed
from vmha.heartbeat.pacemaker import choices

CAN_HOST, WHY_NOT = "vmha-can-host-", "vmha-why-not-"
FAIL_COUNT = "fail-count-"


class Obstacle(NamedTuple):
    """What keeps a guest from a node; ``code`` is stable, for programs."""

    code: str
    text: str


class Situation:
    """The configuration and what the cluster makes of it.

    The rules between guests and what is taken on each node are worked out once.
    """

    def __init__(self, cib: Cib, observed: Observed) -> None:
        self.cib = cib
        self.observed = observed

    @cached_property
    def apart(self) -> dict[str, list[tuple[str, str]]]:
        """Return, for each guest, those it never shares a place with, and by what."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for (first, second), attribute in sorted(rules.apart(self.cib).items()):
            found[first].append((second, attribute))
            found[second].append((first, attribute))
        return found

    @cached_property
    def together(self) -> dict[str, list[str]]:
        """Return, for each resource, those it is always with."""
        found: dict[str, list[str]] = defaultdict(list)
        for first, second in sorted(rules.together(self.cib)):
            found[first].append(second)
            found[second].append(first)
        return found

    @cached_property
    def _used(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = defaultdict(int)
        for resource in self.cib.resources:
            for node in self.places(resource.id):
                for name, value in resource.utilization.items():
                    found[node, name] += number(value)
        return found

    def used(self, node: str, name: str, without: Resource | None = None) -> int:
        """Return how much of a capacity the resources on a node take."""
        taken = self._used.get((node, name), 0)
        if without is not None and node in self.places(without.id):
            taken -= number(without.utilization.get(name, "0"))
        return taken

    @cached_property
    def lost(self) -> list[str]:
        """Return the nodes that failed and were not yet proven off."""
        return [name for name, node in self.observed.nodes.items() if node.is_unclean]

    def where(self, resource: str) -> str | None:
        """Return the node on which a resource runs, None for one that is lost."""
        node = self.observed.where(resource)
        return None if node in self.lost else node

    def places(self, resource: str) -> tuple[str, ...]:
        """Return the nodes on which a resource runs."""
        state = self.observed.resources.get(resource)
        return state.nodes if state is not None else ()


def obstacles(guest: Resource, node: str, now: Situation) -> list[Obstacle]:
    """Return what keeps a guest from a node, gravest first; empty: it could run."""
    found = [
        *_of_node(node, now),
        *_of_location(guest, node, now.cib),
        *_of_attributes(guest, node, now.cib),
        *_of_failures(guest, node, now.cib),
        *_of_company(guest, node, now),
        *_of_capacity(guest, node, now),
    ]
    return list(dict.fromkeys(found))


def why_here(guest: Resource, node: str, now: Situation) -> str:
    """Return the reason why a guest is on the node where it runs."""
    state = now.observed.resources.get(guest.id)
    if state is not None and not state.is_managed:
        return "it is not managed: the cluster leaves it where it is"
    wish = preference(guest, node, now.cib)
    elsewhere = [n for n in now.observed.nodes if n != node]
    free = [n for n in elsewhere if not obstacles(guest, n, now)]
    if not free:
        return "no other node could take it now"
    better = {n: preference(guest, n, now.cib) for n in free}
    wished = [n for n, score in better.items() if score > wish]
    if wished:
        sticks = guest.meta.get("resource-stickiness", "")
        why = f"its stickiness of {sticks} outweighs that" if sticks else "it stays"
        return f"it would rather be on {', '.join(wished)}, but {why}"
    every = [preference(guest, n, now.cib) for n in elsewhere]
    if wish > max(every, default=0):
        return f"it prefers this node (score {wish})"
    return "it was placed here by free capacity, and stays because it runs"


def preference(guest: Resource, node: str, cib: Cib) -> int:
    """Return the sum of a guest's plain location scores for a node."""
    total = 0
    for location in cib.locations(guest.id):
        if location.get("node") == node:
            total += number(location.get("score") or "0")
    return max(-INFINITY, min(INFINITY, total))


def _of_node(node: str, now: Situation) -> list[Obstacle]:
    state = now.observed.nodes.get(node)
    if state is None or not state.takes_guests:
        word = state.word if state is not None else "unknown to the cluster"
        return [Obstacle(f"node-{word.split()[0]}", f"the node is {word}")]
    return []


def _of_location(guest: Resource, node: str, cib: Cib) -> list[Obstacle]:
    found = []
    for location in cib.locations(guest.id):
        if (
            location.get("node") == node
            and number(location.get("score") or "0") <= -INFINITY
        ):
            text = f"constraint {location.get('id')} keeps it away"
            found.append(Obstacle("location", text))
    wants = rules.is_opt_in(cib) and node not in rules.nodes_for(cib, guest.id)
    if wants and not found:
        text = "no constraint lets it in, and symmetric-cluster is false"
        found.append(Obstacle("location", text))
    return found


def _of_attributes(guest: Resource, node: str, cib: Cib) -> list[Obstacle]:
    """Look at the rules that exclude the node by its attributes."""
    attributes = {**cib.node_attributes(node), "#uname": node}
    found = []
    for location in cib.locations(guest.id):
        for rule in location.iterfind("rule"):
            is_never = number(rule.get("score") or "0") <= -INFINITY
            if is_never and choices.holds(rule, attributes):
                found.append(_excluded(guest, rule, attributes, location))
    return found


def _excluded(
    guest: Resource,
    rule: etree._Element,
    attributes: dict[str, str],
    location: etree._Element,
) -> Obstacle:
    names = dict.fromkeys(str(one.get("attribute")) for one in rule.iter("expression"))
    if CAN_HOST + guest.id in names:
        why = attributes.get(WHY_NOT + guest.id) or "it did not say why"
        return Obstacle("cannot-host", f"the node says that it cannot host it: {why}")
    said = [
        f"{'the name' if name == '#uname' else name} is "
        f"{attributes.get(name) or 'not set'} there"
        for name in names
    ]
    return Obstacle("rule", f"rule {location.get('id')}: {', '.join(said)}")


def _of_failures(guest: Resource, node: str, cib: Cib) -> list[Obstacle]:
    attributes = cib.node_attributes(node)
    counts = [
        number(value)
        for name, value in attributes.items()
        if name.startswith(f"{FAIL_COUNT}{guest.id}#") or name == FAIL_COUNT + guest.id
    ]
    threshold = number(guest.meta.get("migration-threshold", "INFINITY"))
    failed = sum(counts)
    if failed >= threshold > 0:
        count = "a start" if failed >= INFINITY else f"{failed} times"
        text = (
            f"it failed there ({count}); clean up with pcs resource cleanup {guest.id}"
        )
        return [Obstacle("failures", text)]
    return []


def _of_company(guest: Resource, node: str, now: Situation) -> list[Obstacle]:
    found = []
    for other, attribute in now.apart.get(guest.id, ()):
        place = _alike(node, attribute, now)
        there = [n for n in now.places(other) if _alike(n, attribute, now) == place]
        if there:
            where = "runs there" if there[0] == node else f"runs on {there[0]}"
            text = f"{other} {where}, and a rule keeps them apart"
            found.append(Obstacle("apart", text))
    for other in now.together.get(guest.id, ()):
        places = now.places(other)
        if places and node not in places:
            text = f"it must be with {other}, which runs on {places[0]}"
            found.append(Obstacle("together", text))
    return found


def _of_capacity(guest: Resource, node: str, now: Situation) -> list[Obstacle]:
    if (now.cib.option("placement-strategy") or "default") == "default":
        return []
    offered = now.cib.capacity(node)
    found = []
    for name, text in sorted(guest.utilization.items()):
        needs = number(text)
        free = number(offered.get(name, "0")) - now.used(node, name, guest)
        if needs > free:
            said = f"it needs {needs} {name}, and {max(0, free)} are free"
            found.append(Obstacle("capacity", said))
    return found


def _alike(node: str, attribute: str, now: Situation) -> str:
    """Return what makes two nodes one place for a rule: the name, or an attribute."""
    return now.cib.node_attributes(node).get(attribute, node) if attribute else node
