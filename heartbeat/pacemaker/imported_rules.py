"""A CIB's constraints in the words of a cluster file: merged, as a person would write.

Pure. Called by ``importing``. Pairs that are all apart from one another become one
``spread``; a guest that avoids most nodes is pinned to the others.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import NamedTuple

from lxml import etree

from vmha.heartbeat.clusterfile.content import (
    AvoidEntry,
    PinEntry,
    RuleEntry,
    SpreadEntry,
    TogetherEntry,
)
from vmha.heartbeat.pacemaker import terms
from vmha.heartbeat.pacemaker.inventory import NO
from vmha.heartbeat.pacemaker.times import seconds
from vmha.heartbeat.planning.model import Avoid, Pin, Spread, Together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vmha.heartbeat.planning.model import Cluster


class Orders(NamedTuple):
    """What each guest waits for: resources, seconds."""

    after: Mapping[str, tuple[str, ...]]
    delay_s: Mapping[str, int]
    left_out: tuple[str, ...]


def merged(cluster: Cluster) -> tuple[RuleEntry, ...]:
    """Return the rules of a cluster that was read from constraints."""
    found: list[RuleEntry] = [
        *_spreads(cluster),
        *_together(cluster),
        *_places(cluster),
    ]
    return tuple(sorted(found, key=lambda rule: (type(rule).__name__, repr(rule))))


def _spreads(cluster: Cluster) -> Iterator[SpreadEntry]:
    pairs: defaultdict[tuple[str, bool], set[tuple[str, str]]] = defaultdict(set)
    for rule in cluster.rules:
        if isinstance(rule, Spread):
            kept = pairs[rule.across, rule.hard]
            kept.update(combinations(sorted(set(rule.guests)), 2))
    for (across, hard), apart in sorted(pairs.items()):
        while apart:
            company = _company(min(apart), apart)
            apart -= set(combinations(company, 2))
            yield SpreadEntry(company, across, hard)


def _company(pair: tuple[str, str], apart: set[tuple[str, str]]) -> tuple[str, ...]:
    """Return the guests that are all apart, grown from one pair in sorted order."""
    company = set(pair)
    for guest in sorted({name for one in apart for name in one}):
        fits = all(tuple(sorted((guest, other))) in apart for other in company)
        if guest not in company and fits:
            company.add(guest)
    return tuple(sorted(company))


def _together(cluster: Cluster) -> Iterator[TogetherEntry]:
    followers: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
    for rule in cluster.rules:
        if isinstance(rule, Together):
            followers[rule.guests[0], rule.hard].update(rule.guests[1:])
    for (leader, hard), others in sorted(followers.items()):
        yield TogetherEntry((leader, *sorted(others)), hard)


def _places(cluster: Cluster) -> Iterator[RuleEntry]:
    """Yield what guests avoid; guests that avoid the same nodes share a rule."""
    everywhere = {node.name for node in cluster.nodes}
    avoided: defaultdict[tuple[str, bool], set[str]] = defaultdict(set)
    pinned: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for rule in cluster.rules:
        if isinstance(rule, Avoid):
            for guest in rule.guests:
                avoided[guest, rule.hard].update(rule.nodes)
        elif isinstance(rule, Pin):  # a soft one: hard ones are read as avoided nodes
            pinned[tuple(sorted(rule.nodes))] += rule.guests
    for nodes_of, guests in sorted(pinned.items()):
        yield PinEntry(tuple(sorted(guests)), nodes_of, hard=False)
    shared: defaultdict[tuple[tuple[str, ...], bool], list[str]] = defaultdict(list)
    for (guest, hard), nodes in sorted(avoided.items()):
        shared[tuple(sorted(nodes)), hard].append(guest)
    for (nodes_of, hard), guests in sorted(shared.items()):
        rest = everywhere - set(nodes_of)
        # A soft pin is another score than a soft avoid; a hard one is the same.
        if hard and rest and len(nodes_of) >= len(rest):
            yield PinEntry(tuple(guests), tuple(sorted(rest)), hard)
        else:
            yield AvoidEntry(tuple(guests), nodes_of, hard)


def orders(cib: etree._Element, guests: set[str]) -> Orders:
    """Return what guests wait for; orders that a file cannot say are left out."""
    after: defaultdict[str, list[str]] = defaultdict(list)
    left_out = []
    for one in cib.iterfind("configuration/constraints/rsc_order"):
        then, first = str(one.get("then")), str(one.get("first"))
        members = {ref.get("id") for ref in one.iter("resource_ref")}
        if not members & guests and not {then, first} & guests:
            continue
        why = _otherwise(one, guests)
        if why:
            left_out.append(f"constraint {one.get('id')}: {why}")
        else:
            after[then].append(first)
    waits = {guest: tuple(sorted(names)) for guest, names in after.items()}
    return Orders(waits, _delays(cib, guests), tuple(left_out))


def _otherwise(one: etree._Element, guests: set[str]) -> str:
    """Return what an order says that ``after`` does not, "" where they say the same.

    Between guests ``after`` is a delay of the start, whatever the order demands besides
    (``turns``); with any other resource it is rendered as a mandatory order, of the
    starts and the other way round of the stops.
    """
    then, first = str(one.get("then")), str(one.get("first"))
    if then not in guests or not terms.is_of_starts(one):
        return "an order of another kind"
    kind = one.get("kind") or ("Mandatory" if terms.is_mandatory(one) else "Optional")
    if kind == "Serialize":
        return f"kind=Serialize keeps {then} and {first} from starting at one time"
    if first in guests:
        return ""
    if kind != "Mandatory":
        return (
            f"kind={kind} lets {then} start without {first}, and a file's after would "
            "not"
        )
    if not terms.is_both_ways(one):
        return (
            f"symmetrical=false lets {first} stop before {then}, and a file's after "
            "would not"
        )
    if one.get("require-all", "true").lower() in NO:
        return f"require-all=false lets {then} start when not all of {first} has"
    return ""


def _delays(cib: etree._Element, guests: set[str]) -> dict[str, int]:
    found = {}
    for primitive in cib.iterfind("configuration/resources//primitive"):
        start = primitive.find("operations/op[@name='start']")
        delay = seconds(start.get("start-delay")) if start is not None else None
        if primitive.get("id") in guests and delay:
            found[str(primitive.get("id"))] = int(delay)
    return found
