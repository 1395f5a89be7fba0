"""The hard rules of a CIB about guests: apart, together, and where.

Called by the checks of rules. Only constraints without conditions in time are read.
Source: Pacemaker Explained, "Colocation" and "Location".
"""

from __future__ import annotations

from itertools import combinations

from lxml import etree

from vmha.agents.cib import INFINITY, number
from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.pacemaker import choices, locations

Pair = tuple[str, str]


def nodes_for(cib: Cib, guest: str) -> set[str]:
    """Return the nodes that no hard rule keeps a guest from."""
    closed = set(cib.banned(guest))
    for location in cib.locations(guest):
        closed |= {n for n in cib.nodes if _is_banned_by_name(location, n)}
    if not is_opt_in(cib):
        return set(cib.nodes) - closed
    return {n for n in cib.nodes if n in _opened(cib, guest)} - closed


def is_opt_in(cib: Cib) -> bool:
    """Tell whether guests run only where a rule lets them (symmetric-cluster=false)."""
    return locations.is_opt_in(cib.held)


def apart(cib: Cib) -> dict[Pair, str]:
    """Return the pairs that never share a place, and the attribute ("": the node)."""
    guests = {guest.id for guest in cib.guests}
    return {
        _sorted(pair): attribute
        for pair, score, attribute in colocations(cib)
        if score <= -INFINITY and set(pair) <= guests
    }


def together(cib: Cib) -> set[Pair]:
    """Return the pairs that are always together."""
    return {
        _sorted(pair)
        for pair, score, attribute in colocations(cib)
        if score >= INFINITY and not attribute
    }


def colocations(cib: Cib) -> list[tuple[Pair, int, str]]:
    """Return who is placed by whom, with the score and the attribute of each."""
    found = []
    for element in cib.constraints("rsc_colocation"):
        score = number(element.get("score") or "INFINITY")
        attribute = str(element.get("node-attribute") or "")
        first, second = element.get("rsc"), element.get("with-rsc")
        if first and second:
            found.append(((first, second), score, attribute))
        for listed in element.iterfind("resource_set"):
            names = [str(ref.get("id")) for ref in listed.iterfind("resource_ref")]
            own = number(listed.get("score") or element.get("score") or "INFINITY")
            pairs = combinations(names, 2) if own < 0 else zip(names, names[1:])
            found += [(pair, own, attribute) for pair in pairs]
    return found


def _sorted(pair: Pair) -> Pair:
    first, second = pair
    return pair if first <= second else (second, first)


def _is_banned_by_name(location: etree._Element, node: str) -> bool:
    """Tell whether a rule over nothing but #uname excludes a node."""
    for rule in location.iterfind("rule"):
        asked = {one.get("attribute") for one in rule.iter("expression")}
        is_never = number(rule.get("score") or "0") <= -INFINITY
        if is_never and asked == {"#uname"} and choices.holds(rule, {"#uname": node}):
            return True
    return False


def _opened(cib: Cib, guest: str) -> set[str]:
    mine = [e for e in cib.locations(guest) if e.get("node")]
    return {str(e.get("node")) for e in mine if number(e.get("score") or "0") >= 0}
