"""A node that nothing can fence."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.check import CIB, Answer, Check, Finding, Severity, Unknown
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Answer]:
    """Look for each node among what the devices are said to fence, then ask fencers."""
    cib = evidence.cib
    telling = [d.id for d in cib.devices if devices.targets(d) is None]
    for node in cib.nodes:
        absent = devices.absent(cib, node)
        if absent:
            text = f"its levels name {', '.join(absent)}, which is no device"
            yield Finding(f"node {node}", text)
        if devices.fencing(cib, node) or devices.has_watchdog(cib):
            continue
        told = _told(evidence, node)
        if told or (told is None and telling):
            if not told:
                reason = f"{', '.join(telling)} can tell only by being asked"
                yield Unknown(f"node {node}", reason)
            continue
        text = "no fence device names it: if it fails, its guests stay down for ever"
        yield Finding(f"node {node}", text)


def _told(evidence: Evidence, node: str) -> list[str] | None:
    """Return the devices that some node's fencer would use, None if nobody tells."""
    said = [fencing.part("can_fence") for _, fencing in evidence.parts("fencing")]
    answers = [part.texts(node) for part in said if part and node in part.raw]
    return [device for found in answers for device in found] if answers else None


CHECK = Check(
    "fence-device-missing",
    "Node without a fence device",
    Severity.ERROR,
    "Pacemaker recovers a lost node's guests only after the node was proven off. A "
    "node that no device can fence is waited for until somebody confirms by hand.",
    "pcs stonith create fence-NODE fence_vmha_ipmi … pcmk_host_list=NODE.",
    (CIB,),
    look,
)
