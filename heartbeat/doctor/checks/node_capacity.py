"""A node that offers nothing of what the guests ask for."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.agents.cib import number
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look on every node for each attribute that any guest has as utilization."""
    cib = evidence.cib
    asked = sorted(
        {n for g in cib.guests for n, v in g.utilization.items() if number(v)}
    )
    for node in cib.nodes:
        offered = cib.capacity(node)
        missing = [name for name in asked if number(offered.get(name, "0")) == 0]
        if missing:
            text = f"it offers no {' and no '.join(missing)}, so it gets no guest"
            yield Finding(f"node {node}", text)


CHECK = Check(
    "node-capacity",
    "Node without capacity",
    Severity.ERROR,
    "A node that does not say how much of an attribute it has counts as one that has "
    "none: it is passed over, and after a failure guests stay down with no other "
    "reason than node availability.",
    "pcs node utilization NODE cpu=… hv_memory=…, or a clone of ocf:vmha:NodeCapacity.",
    (CIB,),
    look,
)
