"""A fencing level with a device whose list of hosts does not hold the node."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Compare the devices in each node's levels with their own lists."""
    cib = evidence.cib
    known = {device.id: device for device in cib.devices}
    for node in cib.nodes:
        levels = cib.levels().get(node, [])
        named = dict.fromkeys(name for level in levels for name in level)
        for name in named:
            device = known.get(name)
            if device is not None and devices.lacks(device, node):
                listed = ", ".join(sorted(devices.targets(device) or ()))
                text = (
                    f"its levels name {name}, which says that it fences {listed}: the "
                    f"fencer does not use it against {node}"
                )
                yield Finding(f"node {node}", text, devices.severity(cib, [node]))


CHECK = Check(
    "fence-level-refused",
    "Fencing level with a device for other nodes",
    Severity.ERROR,
    "Each fencer answers which of its devices can fence a node, by pcmk_host_list and "
    "pcmk_host_map, and a level is carried out with those only. A level with a device "
    "that does not list the node fails. With another level that holds it is a warning.",
    "Add the node to the device's pcmk_host_list or pcmk_host_map (pcs stonith update "
    "DEVICE pcmk_host_list=…), or name the right device in the level.",
    (CIB,),
    look,
)
