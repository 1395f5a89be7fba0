"""A member that is not in the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import STATUS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for members that Corosync or Pacemaker do not have."""
    for node in evidence.cib.down:
        yield Finding(f"node {node}", "it is configured and not in the cluster")


CHECK = Check(
    "node-down",
    "Node not in the cluster",
    Severity.WARNING,
    "A node that is down counts for quorum and takes no guest: the next failure hits a "
    "cluster that is smaller by it.",
    "Start it (pcs cluster start NODE), or take it out for good (pcs cluster node "
    "remove NODE).",
    (STATUS,),
    look,
)
