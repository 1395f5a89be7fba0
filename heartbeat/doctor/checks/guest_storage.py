"""A guest whose disks or storage pools are missing on some node."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, Answer, Check, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Answer]:
    """Look at what each node misses of the guests' files, pools and volumes."""
    return hosting.missing(evidence, ("disks", "pools"))


CHECK = Check(
    "guest-storage",
    "Disk or storage pool of a guest missing on a node",
    Severity.ERROR,
    "Pacemaker may choose any node that no rule excludes. On one without the disk the "
    "start fails, and the guest is down for one failed start longer, or for good.",
    "Mount or export the storage there, start the pool, or keep the guest away with a "
    "rule (a NodeCapacity clone with can_host=all does so by itself).",
    (CIB, FACTS + "guests"),
    look,
)
