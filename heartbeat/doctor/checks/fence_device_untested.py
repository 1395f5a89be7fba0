"""A fence device that has never shown that it works."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.check import STATUS, Check, Finding, Severity
from vmha.heartbeat.doctor.cib import Cib, Resource
from vmha.heartbeat.doctor.evidence import Evidence

WORKED = "0"


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for a monitor that succeeded, an answer to a node, or a fencing done."""
    used = _used(evidence)
    for device in evidence.cib.devices:
        if devices.is_stopped(device):
            continue  # told by fence-device-stopped
        text = _doubt(evidence.cib, device, device.id in used)
        if text:
            yield Finding(f"fence device {device.id}", text)


def _doubt(cib: Cib, device: Resource, was_used: bool) -> str:
    monitors = [
        op for _, op in cib.history(device.id) if op.get("operation") == "monitor"
    ]
    recurs = device.interval_s("monitor") is not None
    if not recurs:
        return "it has no recurring monitor: nobody notices when it stops to work"
    worked = any(op.get("rc-code") == WORKED for op in monitors)
    if worked or was_used:
        return ""
    return "no monitor of it has succeeded and it has never fenced: nobody knows it"


def _used(evidence: Evidence) -> set[str]:
    """Return the devices that answered a node, or have fenced one.

    The history names the node that was fenced and not the device: that is known where
    only one device fences the node.
    """
    found: set[str] = set()
    for _, fencing in evidence.parts("fencing"):
        found |= {n for n, one in fencing.members("devices") if one.text("is") == "ok"}
        for event in fencing.objects("history"):
            able = devices.fencing(evidence.cib, event.text("target"))
            if event.text("is") == "success" and len(able) == 1:
                found.add(able[0].id)
    return found


CHECK = Check(
    "fence-device-untested",
    "Fence device never tested",
    Severity.WARNING,
    "A device that was never asked fails on the night it is needed. A recurring "
    "monitor logs in as fencing would; only a drill shows that power goes off.",
    "Give it op monitor interval=60s, and fence each node once on purpose: "
    "pcs stonith fence NODE.",
    (STATUS,),
    look,
)
