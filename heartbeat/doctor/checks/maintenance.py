"""Parts of the cluster that somebody told Pacemaker to leave alone."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.cib import Cib, Resource
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.pacemaker.inventory import is_true
from vmha.heartbeat.pacemaker.rendering import MARK, MARKED
from vmha.heartbeat.planning.scores import UNMANAGED_PRIORITY

OLD_DEFAULT = "is-managed-default"
"""A cluster option of Pacemaker 2, deprecated there and gone in 3."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for maintenance, standby and unmanaged guests."""
    cib = evidence.cib
    if is_true(cib.option("maintenance-mode")):
        yield Finding("the cluster", "maintenance-mode is on: nothing is recovered")
    for text in _defaults(cib):
        yield Finding("the cluster", text)
    for node in cib.nodes:
        attributes = cib.node_attributes(node)
        if is_true(attributes.get("maintenance")):
            yield Finding(f"node {node}", "it is in maintenance: nothing is recovered")
        if node in cib.standing_by:
            yield Finding(f"node {node}", "it is on standby: it gets no guest")
    for guest in cib.guests:
        is_managed = is_true(guest.meta.get("is-managed", "true"))
        if is_managed and not is_true(guest.meta.get("maintenance")):
            continue
        if not _is_written_so(guest):
            yield Finding(f"guest {guest.id}", "it is not managed: nothing restarts it")


def _defaults(cib: Cib) -> Iterator[str]:
    """Yield what takes the care from every resource that does not set it itself."""
    defaults = cib.resource_defaults
    is_managed = defaults.get("is-managed") or cib.option(OLD_DEFAULT) or "true"
    if not is_true(is_managed):
        yield "is-managed is false by default: no guest is restarted"
    if is_true(defaults.get("maintenance")):
        yield "maintenance is on by default: no guest is restarted"


def _is_written_so(guest: Resource) -> bool:
    """Tell whether it is unmanaged by "ha: false" in the cluster file, and not by hand.

    A guest that was written so has the priority of such guests.
    """
    meta = guest.meta
    is_ours = meta.get(MARK) == MARKED and not is_true(meta.get("maintenance"))
    return is_ours and meta.get("priority") == str(UNMANAGED_PRIORITY)


CHECK = Check(
    "maintenance",
    "Left in maintenance, standby or unmanaged",
    Severity.WARNING,
    "Maintenance is forgotten easily, and shows only on the night when nothing is "
    "recovered.",
    "pcs property set maintenance-mode=false, pcs node unmaintenance NODE, pcs node "
    "unstandby NODE, pcs resource manage GUEST, pcs resource defaults update "
    "is-managed=.",
    (CIB,),
    look,
)
