"""Warnings: what a cluster file asks for and will not get, or only in part.

Called by ``reading`` with sound content. The sentences name no lines and are sorted, so
that the order of entries in the file changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.clusterfile import flow, rules
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
from vmha.heartbeat.clusterfile.planned import guest_of, places_of, usable
from vmha.heartbeat.clusterfile.rules import Companies, Placed, allowed
from vmha.heartbeat.planning.model import HOST


def warnings(file: ClusterFile, placed: list[Placed]) -> tuple[str, ...]:
    """Return the warnings of a file, sorted; ``placed`` are its rules as written."""
    look = _Look(file, placed)
    found = [*look.sizes(), *look.companies(), *look.rules(), *look.preferences()]
    return tuple(sorted({*found, *_cluster(file), *_repeated(placed)}))


def told(rule: RuleEntry) -> str:
    """Return a rule the way it is written in a file, without its defaults."""
    return flow.text(rules.fields(rule))


def _repeated(placed: list[Placed]) -> Iterator[str]:
    seen: set[RuleEntry] = set()
    for one in placed:
        if one.rule in seen:
            yield f"rule {told(one.rule)} is given more than once; it counts once"
        seen.add(one.rule)


def _cluster(file: ClusterFile) -> Iterator[str]:
    if file.policy.tolerate >= len(file.nodes):
        yield (
            f"policy.tolerate is {file.policy.tolerate} and there are "
            f"{len(file.nodes)} nodes: nothing runs after as many failures"
        )
    counts = sorted({len(node.addresses) for node in file.nodes if node.addresses})
    if len(counts) > 1:
        shown = " and ".join(map(str, counts))
        yield f"the nodes have {shown} addresses: a ring should reach every node"


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
        """Guests that not even an empty node can run."""
        for guest in self._file.guests:
            cpu, memory_mib = self._need(guest)
            if not self._has_room(self._nodes(guest.name), cpu, memory_mib):
                yield (
                    f"guest {guest.name} fits on no node that it may run on, not even "
                    f"an empty one: it needs {cpu} CPUs and {memory_mib} MiB"
                )

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
                    f"guests {listed(members)} are to be together and fit on no node "
                    f"together: they need {cpu} CPUs and {memory_mib} MiB"
                )

    def rules(self) -> Iterator[str]:
        """Rules that cannot hold for all they name, or that mean little."""
        for rule in self._file.rules:
            without = [name for name in rule.guests if not self._guests[name].ha]
            if without:
                yield (
                    f"rule {told(rule)} names {listed(without)} with ha: false, which "
                    "nobody starts again after a failure"
                )
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
        places = len({place for choice in choices for place in choice})
        most = _matched(choices)
        if most == len(rule.guests):
            return
        kind = "nodes" if rule.across == HOST else "racks"
        end = (
            f"only {most} of them can run at a time"
            if rule.hard
            else f"{len(rule.guests) - most} of them share one with another"
        )
        count = f"{len(rule.guests)} guests over {places} {kind}"
        yield f"rule {told(rule)} spreads {count}: {end}"

    def _overruled(self, rule: RuleEntry) -> Iterator[str]:
        """Soft rules that a hard one makes void."""
        if isinstance(rule, (SpreadEntry, TogetherEntry)):
            companies = {self._companies.of(name) for name in rule.guests}
            if isinstance(rule, SpreadEntry) and len(companies) < len(rule.guests):
                yield f"rule {told(rule)} never holds: a hard rule binds them together"
            if isinstance(rule, TogetherEntry):
                apart = {self._apart.get(name) for name in rule.guests}
                if len(apart) == 1 and apart != {None}:
                    yield f"rule {told(rule)} never holds: a hard rule spreads them"
            return
        named = rule.to if isinstance(rule, PinEntry) else rule.nodes
        nodes = frozenset(self._places.resolved(named))
        if isinstance(rule, AvoidEntry):
            nodes = self._places.nodes - nodes
        void = [name for name in rule.guests if not nodes & self._nodes(name)]
        if void:
            who = listed(void)
            yield f"rule {told(rule)} never holds for {who}: hard rules exclude it"

    def preferences(self) -> Iterator[str]:
        """Preferred nodes that a hard rule excludes."""
        for guest in self._file.guests:
            nodes = self._nodes(guest.name)
            void = [node for node in guest.prefer if node not in nodes]
            if void:
                where = f"{listed(void)}, where a hard rule does not let it run"
                yield f"guest {guest.name} prefers {where}"


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
