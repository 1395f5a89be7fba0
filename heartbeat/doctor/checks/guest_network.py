"""A guest whose networks or bridges are missing on some node."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, Answer, Check, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Answer]:
    """Look at what each node misses of the guests' networks and bridges."""
    return hosting.missing(evidence, ("networks",))


CHECK = Check(
    "guest-network",
    "Network of a guest missing on a node",
    Severity.ERROR,
    "Without its virtual network or bridge a guest does not start there, nor can it "
    "migrate there.",
    "Define and start the network there (virsh net-start, net-autostart), or create "
    "the bridge.",
    (CIB, FACTS + "guests"),
    look,
)
