"""libvirt-guests races Pacemaker when a node shuts down."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import FACTS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence

UNIT, PACEMAKER = "libvirt-guests", "pacemaker"


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for the unit where nothing makes it wait until Pacemaker has stopped.

    systemd stops in the reverse of the order in which it starts: a pacemaker that is
    After= it is stopped first.
    """
    for node, units in evidence.parts("units"):
        told = dict(units.members("units"))
        guests, pacemaker = told.get(UNIT), told.get(PACEMAKER)
        is_used = guests is not None and (
            guests.text("active") == "active" or guests.text("enabled") == "enabled"
        )
        waits = pacemaker is not None and f"{UNIT}.service" in pacemaker.texts("after")
        if is_used and not waits:
            text = "libvirt-guests is in use, and does not wait for Pacemaker to stop"
            yield Finding(f"node {node}", text)


CHECK = Check(
    "libvirt-guests",
    "libvirt-guests races Pacemaker",
    Severity.ERROR,
    "At shutdown libvirt-guests suspends or shuts down every guest of the node, also "
    "those that Pacemaker is about to migrate; at boot it may start them again.",
    "systemctl disable --now libvirt-guests, or install vmha's drop-in for "
    "pacemaker.service, which orders it.",
    (FACTS + "units",),
    look,
)
