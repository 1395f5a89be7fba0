"""Two nodes that would shoot each other."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.cib import Resource, seconds
from vmha.heartbeat.doctor.evidence import Evidence

PRIORITY_DELAY = "priority-fencing-delay"


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for anything that lets one of two nodes shoot first."""
    if len(evidence.nodes) != 2 or _has_arbiter(evidence):
        return
    cib = evidence.cib
    delays = {_base(device) for device in cib.devices}
    is_random = any(device.parameters.get("pcmk_delay_max") for device in cib.devices)
    by_priority = seconds(cib.option(PRIORITY_DELAY) or "") > 0
    if cib.devices and len(delays) < 2 and not is_random and not by_priority:
        text = "two nodes, and no delay: when their link breaks, each fences the other"
        yield Finding("the cluster", text)


def _base(device: Resource) -> str:
    """Return a device's fixed delay, as text: it may be a map of nodes."""
    own = device.parameters.get("pcmk_delay_base") or device.parameters.get("delay")
    return own or "0"


def _has_arbiter(evidence: Evidence) -> bool:
    if evidence.file is not None and evidence.file.qdevice is not None:
        return True
    parts = evidence.parts("corosync")
    return any(corosync.flag("qdevice") for _, corosync in parts)


CHECK = Check(
    "two-node-race",
    "Two nodes may fence each other",
    Severity.ERROR,
    "With two nodes both have quorum when the link between them breaks, and both "
    "fence. Without a delay on one side both may lose, and all guests are down.",
    "pcs property set priority-fencing-delay=15s with priorities on the guests, or "
    "pcmk_delay_base on one of the devices, or a quorum device.",
    (CIB,),
    look,
)
