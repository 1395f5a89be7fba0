"""A fence device that location rules keep from every node that could use it."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import devices, rules
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for each device's members that may use it against each of its nodes."""
    cib = evidence.cib
    for device in cib.devices:
        if devices.is_stopped(device):
            continue
        allowed = rules.nodes_for(cib, device.id)
        nodes = devices.targeted(cib, device)
        unable = [n for n in nodes if not devices.executors(cib, device, n)]
        if cib.nodes and not allowed:
            text = "rules keep it away from every node: no fencer has it"
        elif unable:
            text = (
                f"rules leave it {', '.join(sorted(allowed))} only, which cannot fence "
                "itself with it"
            )
        else:
            continue
        grave = devices.severity(cib, unable or nodes)
        yield Finding(f"fence device {device.id}", text, grave)


CHECK = Check(
    "fence-device-banned",
    "Fence device that no other node may use",
    Severity.ERROR,
    "A fencer has only the devices that are allowed on its node, and no node is fenced "
    "by itself. A device that is kept from all nodes, or from all but the one that it "
    "fences, is used by nobody. With another way to fence the node it is a warning.",
    "Remove the rules (pcs constraint location; pcs constraint delete ID): fence "
    "devices need none.",
    (CIB,),
    look,
)
