"""Warnings: what a cluster file asks for and will not get, or only in part.

Called by ``reading`` with sound content. The sentences name no lines and are sorted, so
that the order of entries in the file changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.clusterfile import flow, limits, rules
from vmha.heartbeat.clusterfile.content import (
    AvoidEntry,
    ClusterFile,
    GuestEntry,
    PinEntry,
    RuleEntry,
    SpreadEntry,
    TogetherEntry,
)
from vmha.heartbeat.clusterfile.guesses import listed
from vmha.heartbeat.clusterfile.places import Places
from vmha.heartbeat.clusterfile.planned import cluster_of, guest_of, places_of, usable
from vmha.heartbeat.clusterfile.rules import Companies, Placed, allowed
from vmha.heartbeat.planning import warnings as warnings_of_planner
from vmha.heartbeat.planning.model import HOST

CONTROLLERS = {
    "fence_idrac",
    "fence_ilo5",
    "fence_ipmilan",
    "fence_redfish",
    "fence_vmha_ipmi",
    "fence_vmha_redfish",
}
TELLING = ("ip", "ipport", "target", "systems_uri", "plug")


def warnings(file: ClusterFile, placed: list[Placed]) -> tuple[str, ...]:
    """Return the warnings of a file, sorted; ``placed`` are its rules as written."""
    look = _Look(file, placed)
    found = [*look.sizes(), *look.companies(), *look.rules(), *look.preferences()]
    of_planner = warnings_of_planner.static(cluster_of(file))
    of_rules = [*_repeated(placed), *_entangled(file)]
    return tuple(sorted({*found, *of_planner, *_cluster(file), *of_rules}))


def told(rule: RuleEntry) -> str:
    """Return a rule the way it is written in a file, without its defaults."""
    return flow.text(rules.fields(rule))


def _repeated(placed: list[Placed]) -> Iterator[str]:
    seen: set[RuleEntry] = set()
    for one in placed:
        if one.rule in seen:
            yield f"Rule {told(one.rule)} is given more than once; it counts once."
        seen.add(one.rule)


def _entangled(file: ClusterFile) -> Iterator[str]:
    found = limits.entangling(file)
    if found.are_many:
        yield (
            f"Guest {found.guest}: the rules about it and those that it shuns are "
            "many, and Pacemaker takes half a second and more for each decision; "
            "smaller sets without a guest in common are quicker."
        )


def _cluster(file: ClusterFile) -> Iterator[str]:
    count = len(file.nodes)
    if file.policy.tolerate >= count:
        nodes = "is 1 node" if count == 1 else f"are {count} nodes"
        yield (
            f"Policy: tolerate is {file.policy.tolerate} and there {nodes}: nothing "
            "runs after as many failures."
        )
    yield from _controllers(file)
    counts = sorted({len(node.addresses) for node in file.nodes if node.addresses})
    if len(counts) > 1:
        shown = " and ".join(map(str, counts))
        yield f"The nodes have {shown} addresses: a ring should reach every node."


def _controllers(file: ClusterFile) -> Iterator[str]:
    """Find a controller that is said to be that of two nodes: a slip that kills.

    A controller of a server has one power switch; what tells several apart is given.
    """
    seen: dict[tuple[str | None, ...], str] = {}
    for node in file.nodes:
        for device in (one for level in node.fencing for one in level):
            if device.agent not in CONTROLLERS or "hosts" in device.options:
                continue
            told = tuple(device.options.get(name) for name in TELLING)
            first = seen.setdefault(told, node.name)
            if first != node.name:
                same = f"the same controller, {device.options.get('ip')}"
                end = "to fence one would power off the other"
                yield f"Nodes {first} and {node.name} have {same}: {end}."


class _Look:
    """One look at a file: what its hard rules leave to whom."""

    def __init__(self, file: ClusterFile, placed: list[Placed]) -> None:
        self._file = file
        self._places: Places = places_of(file)
        self._usable = {node.name: usable(node) for node in file.nodes}
        self._guests = {guest.name: guest for guest in file.guests}
        self._allowed = allowed(placed, self._places)
        self._companies = Companies(placed)
        hard = [one.rule for one in placed if one.rule.hard]
        self._apart = {
            guest: rule
            for rule in hard
            if isinstance(rule, SpreadEntry)
            for guest in rule.guests
        }

    def _nodes(self, guest: str) -> frozenset[str]:
        return self._allowed.get(guest, self._places.nodes)

    def _need(self, guest: GuestEntry) -> tuple[int, int]:
        model = guest_of(guest, self._file)
        return model.cpu, model.memory_mib

    def _has_room(self, nodes: frozenset[str], cpu: int, memory_mib: int) -> bool:
        sizes = (self._usable[node] for node in nodes)
        return any(cpu <= has[0] and memory_mib <= has[1] for has in sizes)

    def sizes(self) -> Iterator[str]:
        """Guests that an empty node could run, though none that they may run on."""
        for guest in self._file.guests:
            nodes = self._nodes(guest.name)
            need = self._need(guest)
            has_room = self._has_room(nodes, *need)
            if not has_room and self._has_room(self._places.nodes, *need):
                size = f"{need[0]} CPUs, {need[1]} MiB"
                left = f"every node that rules leave it ({listed(nodes)})"
                yield f"Guest {guest.name} ({size}) is larger than {left}."

    def companies(self) -> Iterator[str]:
        """Guests that are bound together and are too large for that."""
        for members in self._companies.members().values():
            nodes = self._places.nodes
            cpu = memory_mib = 0
            for name in members:
                nodes &= self._nodes(name)
                need = self._need(self._guests[name])
                cpu, memory_mib = cpu + need[0], memory_mib + need[1]
            if not self._has_room(nodes, cpu, memory_mib):
                yield (
                    f"Guests {listed(members)} are to be together and fit on no node "
                    f"together: they need {cpu} CPUs and {memory_mib} MiB."
                )

    def rules(self) -> Iterator[str]:
        """Rules that cannot hold for all they name, or that mean little."""
        for rule in self._file.rules:
            if isinstance(rule, SpreadEntry):
                yield from self._crowded(rule)
            if not rule.hard:
                yield from self._overruled(rule)

    def _crowded(self, rule: SpreadEntry) -> Iterator[str]:
        """Count how many of a spread's guests can have a place of their own."""
        rack_of = self._places.rack_of
        choices = [
            sorted(
                {n if rule.across == HOST else rack_of[n] for n in self._nodes(name)}
            )
            for name in rule.guests
        ]
        racks = set(rack_of.values())
        most = _matched(choices)
        if most == len(rule.guests) or len(rule.guests) > (
            len(rack_of) if rule.across == HOST else len(racks)
        ):
            return  # it holds, or the planner says that it cannot
        kind = "hosts" if rule.across == HOST else "racks"
        left = "stays down" if rule.hard else "shares one"
        leave = f"other rules leave its guests {most} {kind}: at least one {left}"
        yield f"Rule {told(rule)} cannot hold for all: {leave}."

    def _overruled(self, rule: RuleEntry) -> Iterator[str]:
        """Soft rules that a hard one makes void."""
        if isinstance(rule, (SpreadEntry, TogetherEntry)):
            companies = {self._companies.of(name) for name in rule.guests}
            if isinstance(rule, SpreadEntry) and len(companies) < len(rule.guests):
                yield f"Rule {told(rule)} never holds: a hard rule binds them together."
            if isinstance(rule, TogetherEntry):
                apart = {self._apart.get(name) for name in rule.guests}
                if len(apart) == 1 and apart != {None}:
                    yield f"Rule {told(rule)} never holds: a hard rule spreads them."
            return
        named = rule.to if isinstance(rule, PinEntry) else rule.nodes
        nodes = frozenset(self._places.resolved(named))
        if isinstance(rule, AvoidEntry):
            nodes = self._places.nodes - nodes
        void = [name for name in rule.guests if not nodes & self._nodes(name)]
        if void:
            who = listed(void)
            yield f"Rule {told(rule)} never holds for {who}: hard rules exclude it."

    def preferences(self) -> Iterator[str]:
        """Preferred nodes that a hard rule excludes."""
        for guest in self._file.guests:
            nodes = self._nodes(guest.name)
            void = [node for node in guest.prefer if node not in nodes]
            if void:
                where = f"{listed(void)}, where a hard rule does not let it run."
                yield f"Guest {guest.name} prefers {where}"


def _matched(choices: list[list[str]]) -> int:
    """Return how many guests can have a place each (the largest matching)."""
    holder: dict[str, int] = {}
    places = {place for choice in choices for place in choice}

    def finds(guest: int, tried: set[str]) -> bool:
        for place in choices[guest]:
            if place not in tried:
                tried.add(place)
                if place not in holder or finds(holder[place], tried):
                    holder[place] = guest
                    return True
        return False

    for guest in range(len(choices)):
        if len(holder) == len(places):
            break
        finds(guest, set())
    return len(holder)
