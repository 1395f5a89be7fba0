"""Fence devices as the checks see them: whom a device can fence, and its kind.

Source: pacemaker-fenced(7) (``pcmk_host_list``, ``pcmk_host_map``, ``pcmk_host_check``)
and Pacemaker Explained, "Fencing".
"""

from __future__ import annotations

from collections.abc import Iterable

from vmha.agents.protocol.errors import BadParameter
from vmha.fence.protocol import hosts
from vmha.heartbeat.doctor import rules
from vmha.heartbeat.doctor.check import Severity
from vmha.heartbeat.doctor.cib import Cib, Resource, seconds
from vmha.heartbeat.pacemaker import hostmap

OF_BMC = (
    "fence_bmc",
    "fence_drac",
    "fence_hpblade",
    "fence_idrac",
    "fence_ilo",
    "fence_imm",
    "fence_intelmodular",
    "fence_ipmi",
    "fence_redfish",
    "fence_rsa",
    "fence_vmha_ipmi",
    "fence_vmha_redfish",
)
"""Agents of controllers that sit in the server and live on its power."""

TIMEOUT = ("fencing-timeout", "stonith-timeout")
ENABLED = ("fencing-enabled", "stonith-enabled")
ACTION = ("fencing-action", "stonith-action")
WATCHDOG_TIMEOUT = ("fencing-watchdog-timeout", "stonith-watchdog-timeout")
DEFAULT_TIMEOUT_S = 60.0


def kind(device: Resource) -> str:
    """Return the agent's name without its class."""
    return device.agent.partition(":")[2]


def is_bmc(device: Resource) -> bool:
    """Tell whether the device loses its power together with its node."""
    return kind(device).startswith(OF_BMC)


def targets(device: Resource) -> frozenset[str] | None:
    """Return the nodes that a device is said to fence, None where it tells itself."""
    named = {n for n in _words(device.parameters.get("pcmk_host_list", "")) if n}
    named |= set(hostmap.read(device.parameters.get(hostmap.NAME, "")))
    try:
        named |= set(hosts.read(device.parameters.get(hosts.NAME, "")))
    except BadParameter:
        return None
    if named and device.parameters.get("pcmk_host_check", "") in ("", "static-list"):
        return frozenset(named)
    return None


def fencing(cib: Cib, node: str) -> list[Resource]:
    """Return the devices that are said to fence a node.

    Where levels are set for it, only the devices in them count; whether the fencer
    would use them is asked of ``is_usable``.
    """
    levels = cib.levels().get(node)
    if levels:
        named = {name for level in levels for name in level}
        return [d for d in cib.devices if d.id in named]
    return [d for d in cib.devices if targets(d) and not lacks(d, node)]


def lacks(device: Resource, node: str) -> bool:
    """Tell whether a device's static lists do not hold a node, in any case of letters.

    The fencer then does not use it, in a level of that node either (Pacemaker's
    fencer: what is searched for the target is what a level is carried out with).
    """
    named = targets(device)
    return named is not None and node.lower() not in {n.lower() for n in named}


def is_stopped(device: Resource) -> bool:
    """Tell whether somebody has switched a device off: the fencer then has it not."""
    return device.meta.get("target-role", "").lower() == "stopped"


def executors(cib: Cib, device: Resource, node: str) -> set[str]:
    """Return the members that may use a device against a node: never that node."""
    return rules.nodes_for(cib, device.id) - {node}


def is_usable(cib: Cib, device: Resource, node: str) -> bool:
    """Tell whether some member's fencer would use a device against a node."""
    if is_stopped(device) or lacks(device, node):
        return False
    return bool(executors(cib, device, node))


def targeted(cib: Cib, device: Resource) -> list[str]:
    """Return the members that are to be fenced by a device."""
    return [n for n in cib.nodes if device in fencing(cib, n)]


def severity(cib: Cib, nodes: Iterable[str]) -> Severity:
    """Return how grave it is that a device of these nodes is not used.

    A node that has another way is still fenced, and nobody notices what is missing.
    """
    is_covered = all(
        any(all(is_usable(cib, d, node) for d in way) for way in ways(cib, node))
        for node in nodes
    )
    return Severity.WARNING if is_covered else Severity.ERROR


def ways(cib: Cib, node: str) -> list[list[Resource]]:
    """Return the ways in which a node can be fenced: of each, all devices must succeed.

    Without levels each device is a way of its own.
    """
    known = {device.id: device for device in cib.devices}
    levels = cib.levels().get(node)
    if levels:
        found = [[known[n] for n in level if n in known] for level in levels]
        return [way for way in found if way]
    return [[device] for device in fencing(cib, node)]


def absent(cib: Cib, node: str) -> list[str]:
    """Return what a node's levels name and is no device."""
    known = {device.id for device in cib.devices}
    named = [name for level in cib.levels().get(node, ()) for name in level]
    return [name for name in named if name not in known]


def has_watchdog(cib: Cib) -> bool:
    """Tell whether nodes that lose the cluster reset themselves by their watchdog."""
    timeout = cib.option(*WATCHDOG_TIMEOUT) or ""
    return timeout.startswith("-") or seconds(timeout) > 0


def timeout_s(cib: Cib, device: Resource, action: str) -> float:
    """Return how long the fencer gives an action of a device."""
    own = device.parameters.get(f"pcmk_{action}_timeout", "")
    general = cib.option(*TIMEOUT) or ""
    return seconds(own) or seconds(general) or DEFAULT_TIMEOUT_S


def _words(text: str) -> list[str]:
    return text.replace(",", " ").replace(";", " ").split()
