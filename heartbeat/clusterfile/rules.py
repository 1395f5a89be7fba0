"""The rules of a cluster file, and the hard ones that exclude each other.

Called by ``reading``. Two guests that are to share a node and are not to share one, or
a guest that may run on no node, are mistakes of the file, whatever the nodes' sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vmha.heartbeat.clusterfile import flow
from vmha.heartbeat.clusterfile.content import (
    AvoidEntry,
    PinEntry,
    RuleEntry,
    SpreadEntry,
    TogetherEntry,
)
from vmha.heartbeat.clusterfile.document import Listing, Section
from vmha.heartbeat.clusterfile.errors import Problem
from vmha.heartbeat.clusterfile.guesses import listed
from vmha.heartbeat.clusterfile.places import Places
from vmha.heartbeat.planning.model import HOST


class Placed(NamedTuple):
    """A rule with where it stands: its place in the list, its line."""

    at: int
    line: int
    rule: RuleEntry


def read(root: Section) -> list[Placed]:
    """Return the rules of a document that have the right form, in their order."""
    rules = root.get("rules")
    if not isinstance(rules, Listing):
        return []
    found = []
    for at, section in enumerate(rules):
        if isinstance(section, Section):
            rule = _entry(section)
            if rule is not None:
                found.append(Placed(at, rules.lines[at], rule))
    return found


def _entry(section: Section) -> RuleEntry | None:
    """Make a rule; lists whose order means nothing are sorted."""
    hard = section.get("hard", True)
    if not isinstance(hard, bool):
        return None
    spread, together = _names(section, "spread"), _names(section, "together")
    pin, avoid = _names(section, "pin"), _names(section, "avoid")
    to, nodes = _names(section, "to"), _names(section, "nodes")
    across = section.get("across", HOST)
    if spread and isinstance(across, str):
        return SpreadEntry(tuple(sorted(spread)), across, hard)
    if together:
        leader, *others = together
        return TogetherEntry((leader, *sorted(others)), hard)
    if pin and to:
        return PinEntry(tuple(sorted(pin)), tuple(sorted(to)), hard)
    if avoid and nodes:
        return AvoidEntry(tuple(sorted(avoid)), tuple(sorted(nodes)), hard)
    return None


def _names(section: Section, key: str) -> list[str]:
    """Return a list of names without repetition, empty for one of another form."""
    texts = [text for _, text in section.texts(key)]
    value = section.get(key)
    is_whole = isinstance(value, list) and len(texts) == len(value)
    return list(dict.fromkeys(texts)) if is_whole else []


def fields(rule: RuleEntry) -> dict[str, flow.Value]:
    """Return a rule as the mapping that is written for it, without its defaults."""
    found: dict[str, flow.Value] = {}
    if isinstance(rule, SpreadEntry):
        found["spread"] = list(rule.guests)
        if rule.across != HOST:
            found["across"] = rule.across
    elif isinstance(rule, TogetherEntry):
        found["together"] = list(rule.guests)
    elif isinstance(rule, PinEntry):
        found |= {"pin": list(rule.guests), "to": list(rule.to)}
    else:
        found |= {"avoid": list(rule.guests), "nodes": list(rule.nodes)}
    if not rule.hard:
        found["hard"] = False
    return found


class Companies:
    """Which guests are bound to one node by hard ``together`` rules, through others."""

    def __init__(self, rules: list[Placed]) -> None:
        self._parent: dict[str, str] = {}
        self.bound_by: dict[str, Placed] = {}
        for placed in rules:
            if isinstance(placed.rule, TogetherEntry) and placed.rule.hard:
                leader = self.of(placed.rule.guests[0])
                for guest in placed.rule.guests:
                    self._parent[self.of(guest)] = leader
                    self.bound_by[guest] = placed

    def of(self, guest: str) -> str:
        """Return the name that stands for a guest's company, its own if it has none."""
        root = guest
        while self._parent.get(root, root) != root:
            root = self._parent[root]
        while self._parent.get(guest, guest) != root:
            self._parent[guest], guest = root, self._parent.get(guest, guest)
        return root

    def members(self) -> dict[str, list[str]]:
        """Return each company of two or more with its guests, sorted."""
        found: dict[str, list[str]] = {}
        for guest in sorted(self.bound_by):
            found.setdefault(self.of(guest), []).append(guest)
        return found


def allowed(rules: list[Placed], places: Places) -> dict[str, frozenset[str]]:
    """Return the nodes that hard pins and avoids leave to each guest they name."""
    found: dict[str, frozenset[str]] = {}
    for placed in rules:
        nodes = _leaves(placed, places)
        if nodes is not None:
            for guest in placed.rule.guests:
                found[guest] = found.get(guest, places.nodes) & nodes
    return found


def problems(rules: list[Placed], places: Places) -> list[Problem]:
    """Return the hard rules that cannot hold together."""
    companies = Companies(rules)
    return [
        *_torn(rules, companies),
        *_homeless(rules, places),
        *_homeless_companies(rules, companies, places),
    ]


def _torn(rules: list[Placed], companies: Companies) -> Iterator[Problem]:
    """Find guests that are to be spread and to be together."""
    for placed in rules:
        if not isinstance(placed.rule, SpreadEntry) or not placed.rule.hard:
            continue
        first_of: dict[str, str] = {}
        for guest in placed.rule.guests:
            company = companies.of(guest)
            if company in first_of:
                other = first_of[company]
                binding = companies.bound_by[guest]
                yield _problem(
                    placed,
                    f"{other} and {guest} are to be spread here and together by "
                    f"rules[{binding.at}] in line {binding.line}; drop one of the two, "
                    "or give it hard: false",
                )
            first_of.setdefault(company, guest)


def _homeless(rules: list[Placed], places: Places) -> Iterator[Problem]:
    """Find guests to which pins and avoids leave no node."""
    left: dict[str, frozenset[str]] = {}
    before: dict[str, Placed] = {}
    for placed in rules:
        nodes = _leaves(placed, places)
        if nodes is None:
            continue
        for guest in placed.rule.guests:
            was = left.get(guest, places.nodes)
            left[guest] = was & nodes
            if was and not left[guest]:
                yield _problem(placed, _no_node(guest, was, nodes, before.get(guest)))
            before[guest] = placed


def _no_node(
    guest: str, was: frozenset[str], nodes: frozenset[str], earlier: Placed | None
) -> str:
    here = f"this rule leaves it {listed(nodes)}" if nodes else "this rule leaves none"
    if earlier is None:
        return f"{guest} may run on no node: {here}"
    return (
        f"{guest} may run on no node: the rules before, the last of them "
        f"rules[{earlier.at}] in line {earlier.line}, leave it {listed(was)}, {here}; "
        "let them share a node, or give one of them hard: false"
    )


def _homeless_companies(
    rules: list[Placed], companies: Companies, places: Places
) -> Iterator[Problem]:
    """Find guests that are to be together and may not be on the same node."""
    nodes_of = allowed(rules, places)
    for members in companies.members().values():
        shared = places.nodes
        for guest in members:
            own = nodes_of.get(guest, places.nodes)
            if not own:
                break  # told already
            if not shared & own:
                yield _problem(
                    companies.bound_by[guest],
                    f"{listed(members)} are to be together, but {guest} may run on "
                    f"{listed(own)} only and the others on {listed(shared)}; change "
                    "the pins, or give one of the rules hard: false",
                )
                break
            shared &= own


def _leaves(placed: Placed, places: Places) -> frozenset[str] | None:
    """Return the nodes a hard pin or avoid leaves; None for others and broken ones."""
    rule = placed.rule
    if not rule.hard or not isinstance(rule, (PinEntry, AvoidEntry)):
        return None
    named = rule.to if isinstance(rule, PinEntry) else rule.nodes
    if not all(places.knows(place) for place in named):
        return None
    nodes = frozenset(places.resolved(named))
    return nodes if isinstance(rule, PinEntry) else places.nodes - nodes


def _problem(placed: Placed, sentence: str) -> Problem:
    return Problem(placed.line, f"rules[{placed.at}]", sentence)
