"""A fence device that some node cannot use."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import FACTS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.refusals import of_account, said


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look at what each device answered to each node; it was asked by all of them."""
    for device, node, words in said(evidence):
        if not of_account(words):
            yield Finding(f"fence device {device}", f"asked from {node}: {words}")


CHECK = Check(
    "fence-unreachable",
    "Fence device unreachable from a node",
    Severity.ERROR,
    "Any survivor may be the one that has to fence. A device that one of them cannot "
    "reach costs time on the day that this one is chosen, or everything if alone.",
    "Look at routes, firewall and VLAN from the named node to the device.",
    (FACTS + "fencing",),
    look,
)
