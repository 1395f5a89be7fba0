"""A guest whose memory Pacemaker does not count."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.sizes import memory_mib


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for memory in each guest's utilization."""
    for guest in evidence.cib.guests:
        if not memory_mib(guest):
            text = "it has no memory in its utilization: it counts as needing none"
            yield Finding(f"guest {guest.id}", text)


CHECK = Check(
    "guest-utilization",
    "Guest whose memory is not counted",
    Severity.WARNING,
    "Pacemaker knows what a guest needs from its utilization only. One without it is "
    "started on a node that is full.",
    "Let the agent keep it (autoset_utilization_hv_memory, the default, once node "
    "capacities are set), or crm_resource --utilization.",
    (CIB,),
    look,
)
