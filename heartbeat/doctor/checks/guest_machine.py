"""A guest whose machine type or processor model is missing on some node."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, Answer, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.pacemaker.inventory import is_true


def look(evidence: Evidence) -> Iterator[Answer]:
    """Look at what each node's hypervisor has of the guests' machines."""
    yield from hosting.missing(evidence, ("machine", "cpu"))
    yield from _unmovable(evidence)


def _unmovable(evidence: Evidence) -> Iterator[Answer]:
    """Look at guests that see their host's own processor and are to migrate."""
    models = {n: part.text("processor") for n, part in evidence.parts("libvirt")}
    told: dict[str, set[str]] = {}
    for name, node, one in hosting.guests(evidence):
        if one.flag("has_host_cpu") and models.get(node):
            told.setdefault(name, set()).add(models[node])
    for guest in evidence.cib.guests:
        seen = sorted(told.get(guest.id, ()))
        if len(seen) > 1 and is_true(guest.meta.get("allow-migrate")):
            text = (
                f"it has its host's processor, and the nodes have {' and '.join(seen)}"
                ": it cannot migrate between them while it runs"
            )
            yield Finding(f"guest {guest.id}", text, Severity.WARNING)


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
