"""Shared disks that nothing but the cluster protects."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence

MANAGERS = ("lockd", "sanlock")


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for a lock manager on nodes whose guests have disks on shared storage."""
    shared: dict[str, set[str]] = {}
    for guest, node, one in hosting.guests(evidence):
        if one.texts("shared_disks"):
            shared.setdefault(node, set()).add(guest)
    for node, libvirt in evidence.parts("libvirt"):
        manager = libvirt.text("lock_manager")
        if node in shared and manager not in MANAGERS:
            guests = ", ".join(sorted(shared[node])[:3])
            text = f"no lock manager is set for QEMU, and {guests} have shared disks"
            yield Finding(f"node {node}", text)


CHECK = Check(
    "disk-locks",
    "Shared disks without virtlockd or sanlock",
    Severity.WARNING,
    "Fencing keeps the cluster from starting a guest twice. Against a person with "
    "virsh, or a second cluster, only a lock on the disk helps.",
    'lock_manager = "lockd" in qemu.conf and virtlockd with a lockspace on shared '
    "storage, or sanlock, on every node.",
    (CIB, FACTS + "libvirt", FACTS + "guests"),
    look,
)
