"""A guest's definition that is missing or cannot be read on some node."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, Answer, Check, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Answer]:
    """Look for nodes on which a guest's file or domain is not there."""
    return hosting.missing(evidence, ("definition",))


CHECK = Check(
    "guest-definition",
    "Definition of a guest missing on a node",
    Severity.ERROR,
    "The agent starts a guest from the XML file named by config, or from the domain "
    "defined in libvirt. Where that is not there the guest cannot start.",
    "Copy the file to the node, or put it on shared storage.",
    (CIB, FACTS + "guests"),
    look,
)
