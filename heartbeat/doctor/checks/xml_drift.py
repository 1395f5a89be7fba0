"""A guest that is another machine after a failover: its definitions differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Compare the fingerprints of each guest's definition on all nodes."""
    prints: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for guest, node, one in hosting.guests(evidence):
        if one.text("hash"):
            prints[guest][one.text("hash")].append(node)
    for guest, versions in prints.items():
        if len(versions) > 1:
            groups = sorted(versions.values(), key=lambda nodes: (-len(nodes), nodes))
            told = " from that of ".join(", ".join(nodes) for nodes in groups)
            yield Finding(f"guest {guest}", f"its definition differs: that of {told}")


CHECK = Check(
    "xml-drift",
    "Definitions of a guest differ between nodes",
    Severity.WARNING,
    "A change made on one node is lost with the next failover, or appears with it: "
    "other memory, another disk, another MAC address. Spaces, comments and passwords "
    "are not compared.",
    "Compare the files, keep the right one, copy it to all nodes (or put it on shared "
    "storage).",
    (CIB, FACTS + "guests"),
    look,
)
