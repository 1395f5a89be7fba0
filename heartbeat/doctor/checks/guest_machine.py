"""A guest whose machine type or processor model is missing on some node."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, Answer, Check, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Answer]:
    """Look at what each node's hypervisor has of the guests' machines."""
    return hosting.missing(evidence, ("machine", "cpu"))


CHECK = Check(
    "guest-machine",
    "Machine type or processor model of a guest missing on a node",
    Severity.ERROR,
    "An older QEMU lacks the machine types of a newer one, an older processor the "
    "models of a newer one: the guest neither starts nor arrives there.",
    "Give the guest a machine type and a processor model that all nodes have, or bring "
    "the nodes to one level.",
    (CIB, FACTS + "guests"),
    look,
)
