"""A guest that rules leave a single node: nothing takes it over."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import rules
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.pacemaker.inventory import is_true


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for guests that may run on one of several nodes, and are to be recovered."""
    cib = evidence.cib
    if len(cib.nodes) < 2 or not evidence.wanted:
        return
    for guest in cib.guests:
        if not is_true(guest.meta.get("is-managed", "true")):
            continue  # it is not restarted elsewhere, and said so
        left = rules.nodes_for(cib, guest.id)
        if len(left) == 1:
            named = sorted(str(one.get("id")) for one in cib.locations(guest.id))
            by = f" ({', '.join(dict.fromkeys(named))})" if named else ""
            text = f"rules leave it {min(left)} only{by}: when that is lost, it is down"
            yield Finding(f"guest {guest.id}", text)


CHECK = Check(
    "guest-one-node",
    "Guest that may run on one node only",
    Severity.ERROR,
    "Rules by name, by pattern (rsc-pattern) or for sets of resources add up. A guest "
    "that they leave a single node stays down with it. Leftovers of moves do it too.",
    "Remove the constraint, or make it soft (a finite score); a guest that is meant to "
    "stay down with its node has ha: false in the cluster file.",
    (CIB,),
    look,
)
