"""A guest that runs on two nodes, or where the cluster does not know of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Count the active domains of each guest's UUID over all nodes.

    During a live migration both ends have the domain; the arriving one is paused, so
    only running ones count.
    """
    uuids: dict[str, str] = {}
    for guest, _, one in hosting.guests(evidence):
        if one.text("uuid"):
            uuids[one.text("uuid")] = guest
    places: dict[str, list[str]] = defaultdict(list)
    for node, libvirt in evidence.parts("libvirt"):
        for domain in libvirt.objects("domains"):
            if domain.flag("running") and domain.text("uuid") in uuids:
                places[uuids[domain.text("uuid")]].append(node)
    for guest, nodes in places.items():
        if len(nodes) > 1:
            yield Finding(f"guest {guest}", f"it runs on {' and on '.join(nodes)}")


CHECK = Check(
    "running-twice",
    "Guest that runs twice",
    Severity.ERROR,
    "Two copies of a guest write to the same disks; the file systems on them are being "
    "destroyed now.",
    "Destroy the copy that the cluster does not know of (crm_resource --locate), then "
    "check the disks' file systems.",
    (CIB, FACTS + "libvirt", FACTS + "guests"),
    look,
)
