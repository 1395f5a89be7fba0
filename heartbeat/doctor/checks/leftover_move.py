"""A constraint that a move or a ban by hand has left behind."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence

KINDS = {
    "cli-prefer-": "it was moved by hand, and goes back to {node} whenever it can",
    "cli-ban-": "it was moved away by hand, and {node} stays closed to it",
    "cli-standby-": "it was moved away by hand, and {node} stays closed to it",
}


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for the ids that crm_resource gives its constraints, without an expiry."""
    for location in evidence.cib.constraints("rsc_location"):
        name = str(location.get("id"))
        for prefix, text in KINDS.items():
            has_expiry = location.find(".//date_expression") is not None
            if name.startswith(prefix) and not has_expiry:
                node = location.get("node") or _of_rule(location) or "a node"
                yield Finding(f"guest {location.get('rsc')}", text.format(node=node))


def _of_rule(location: etree._Element) -> str:
    values = (e.get("value") for e in location.iter("expression"))
    return next((str(value) for value in values if value), "")


CHECK = Check(
    "leftover-move",
    "Constraint left by a move",
    Severity.WARNING,
    "pcs resource move (before pcs 0.11), crm resource move and crm_resource --ban "
    "leave a rule without end. It decides over the next failover, long after the "
    "reason is forgotten.",
    "pcs resource clear GUEST.",
    (CIB,),
    look,
)
