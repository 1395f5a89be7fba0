"""A guest of the cluster that libvirt starts by itself when a node boots."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for autostart marks on domains that are the cluster's guests."""
    uuids: dict[str, str] = {}
    for guest, _, one in hosting.guests(evidence):
        if one.text("uuid"):
            uuids[one.text("uuid")] = guest
    for node, libvirt in evidence.parts("libvirt"):
        for domain in libvirt.objects("domains"):
            name = uuids.get(domain.text("uuid"), "")
            if name and domain.flag("autostart"):
                text = f"libvirt on {node} starts it at boot, whatever the cluster does"
                yield Finding(f"guest {name}", text)


CHECK = Check(
    "autostart",
    "Guest that libvirt starts at boot",
    Severity.ERROR,
    "A node that comes back after it was fenced starts such a guest while another node "
    "runs it: two copies on one disk.",
    "virsh autostart --disable GUEST on the named node.",
    (CIB, FACTS + "libvirt", FACTS + "guests"),
    look,
)
