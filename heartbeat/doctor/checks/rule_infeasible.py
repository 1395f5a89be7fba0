"""Rules that cannot all hold: some guest stays down by them."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.rules import Pair, apart, nodes_for, together


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for guests without a node, contradictions, and spreads over too few."""
    cib = evidence.cib
    for guest in cib.guests:
        if cib.nodes and not nodes_for(cib, guest.id):
            text = "rules keep it away from every node"
            yield Finding(f"guest {guest.id}", text)
    kept_apart = apart(cib)
    for first, second in sorted(together(cib) & set(kept_apart)):
        text = f"it must be with {second}, and never with it"
        yield Finding(f"guest {first}", text)
    for group, places in _too_many(evidence, kept_apart):
        one_of = "one of them" if len(group) == len(places) + 1 else "some of them"
        text = (
            f"{len(group)} guests may never share a place, and there are "
            f"{len(places)}: {one_of} stays down"
        )
        yield Finding(f"guests {', '.join(group)}", text)


def _too_many(
    evidence: Evidence, kept_apart: dict[Pair, str]
) -> Iterator[tuple[list[str], set[str]]]:
    """Yield sets of guests that all exclude each other and outnumber the places."""
    cib = evidence.cib
    seen: set[tuple[str, ...]] = set()
    for first in sorted({name for pair in kept_apart for name in pair}):
        attributes = {a for pair, a in kept_apart.items() if first in pair}
        for attribute in sorted(attributes):
            pairs = {pair for pair, a in kept_apart.items() if a == attribute}
            group = _grown(first, pairs)
            allowed = set().union(*(nodes_for(cib, name) for name in group))
            places = {
                cib.node_attributes(n).get(attribute, n) if attribute else n
                for n in allowed
            }
            if len(group) > len(places) > 0 and tuple(group) not in seen:
                seen.add(tuple(group))
                yield group, places


def _grown(first: str, pairs: set[Pair]) -> list[str]:
    """Return a largest set around a guest, found greedily: never too large."""
    group = [first]
    for name in sorted({name for pair in pairs for name in pair} - {first}):
        if all(tuple(sorted((name, other))) in pairs for other in group):
            group.append(name)
    return sorted(group)


CHECK = Check(
    "rule-infeasible",
    "Rules that cannot hold",
    Severity.ERROR,
    "A rule with the score -INFINITY or INFINITY is kept even if a guest stays down by "
    "it. Four guests that never share a node need four nodes, after a failure too.",
    "Make the rule soft (hard: false in the cluster file, a finite score in the CIB), "
    "or give it more nodes.",
    (CIB,),
    look,
)
