"""Parts of the cluster that somebody told Pacemaker to leave alone."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.cib import is_true
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for maintenance, standby and unmanaged guests."""
    cib = evidence.cib
    if is_true(cib.option("maintenance-mode")):
        yield Finding("the cluster", "maintenance-mode is on: nothing is recovered")
    for node in cib.nodes:
        attributes = cib.node_attributes(node)
        if is_true(attributes.get("maintenance")):
            yield Finding(f"node {node}", "it is in maintenance: nothing is recovered")
        if node in cib.standing_by:
            yield Finding(f"node {node}", "it is on standby: it gets no guest")
    for guest in cib.guests:
        is_managed = is_true(guest.meta.get("is-managed", "true"))
        if guest.meta.get("written-by") == "vmha":
            is_managed = True  # "ha: false" in the cluster file is written so
        if not is_managed or is_true(guest.meta.get("maintenance")):
            yield Finding(f"guest {guest.id}", "it is not managed: nothing restarts it")


CHECK = Check(
    "maintenance",
    "Left in maintenance, standby or unmanaged",
    Severity.WARNING,
    "Maintenance is forgotten easily, and shows only on the night when nothing is "
    "recovered.",
    "pcs property set maintenance-mode=false, pcs node unmaintenance NODE, pcs node "
    "unstandby NODE, pcs resource manage GUEST.",
    (CIB,),
    look,
)
