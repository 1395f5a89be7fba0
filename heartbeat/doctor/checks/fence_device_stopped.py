"""A fence device that somebody has switched off."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for devices whose target-role is Stopped."""
    cib = evidence.cib
    for device in cib.devices:
        if devices.is_stopped(device):
            nodes = devices.targeted(cib, device)
            of = f" against {', '.join(nodes)}" if nodes else ""
            text = f"its target-role is Stopped: no node's fencer uses it{of}"
            grave = devices.severity(cib, nodes)
            yield Finding(f"fence device {device.id}", text, grave)


CHECK = Check(
    "fence-device-stopped",
    "Fence device switched off",
    Severity.ERROR,
    "Fencers know the devices that are not stopped, and no others. A node whose only "
    "device is stopped is waited for until somebody confirms by hand. With another way "
    "to fence all its nodes it is a warning.",
    "pcs stonith enable DEVICE.",
    (CIB,),
    look,
)
