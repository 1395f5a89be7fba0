"""The cluster file's fence devices as resources and levels, with their race rule.

Pure. Called by ``rendering``. docs/fencing.md says why the parameters are as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from vmha.heartbeat.pacemaker import timeouts
from vmha.heartbeat.pacemaker.configuration import FencingLevel, Operation, Primitive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.heartbeat.clusterfile.content import ClusterFile, Device

PREFIX = "vmha-fence-"
OWN_AGENTS = ("fence_vmha_ipmi", "fence_vmha_redfish")
CIB_SECRET = "lrm://"  # noqa: S105 - says that the secret is elsewhere

PRIORITY_DELAY_S = 15
BASE_DELAY_S = 5
"""Less than half of the other, or the two could cancel each other (docs/fencing.md)."""

_DELAYS = ("pcmk_delay_base", "pcmk_delay_max", "delay")
_HOSTS = ("pcmk_host_list", "pcmk_host_map", "pcmk_host_check")

Key = tuple[str, tuple[tuple[str, str], ...], bool]


class Fencing(NamedTuple):
    """All about fencing: devices and levels sorted by id, and cluster properties."""

    devices: tuple[Primitive, ...]
    levels: tuple[FencingLevel, ...]
    properties: Mapping[str, str]


def of(file: ClusterFile) -> Fencing:
    """Return the devices, one for all the nodes whose entries are the same.

    Every node with devices gets levels, since for a node without any Pacemaker takes a
    single device that names it as proof.
    """
    users = _users(file)
    names = _names(users)
    devices = [_device(names[key], key, nodes) for key, nodes in users.items()]
    properties: dict[str, str] = {}
    if file.two_node and file.qdevice is None:
        properties["priority-fencing-delay"] = f"{PRIORITY_DELAY_S}s"
        devices = _with_delay(devices, file)
    return Fencing(
        tuple(sorted(devices, key=lambda d: d.id)),
        tuple(sorted(_levels(file, names), key=lambda level: level.id)),
        properties,
    )


def _key(device: Device) -> Key:
    return device.agent, tuple(sorted(device.options.items())), device.cib_secret


def _users(file: ClusterFile) -> dict[Key, list[str]]:
    """Return the nodes of each distinct device, both in sorted order."""
    users: dict[Key, list[str]] = {}
    for node in sorted(file.nodes, key=lambda n: n.name):
        for level in node.fencing:
            for device in level:
                nodes = users.setdefault(_key(device), [])
                if node.name not in nodes:
                    nodes.append(node.name)
    return users


def _names(users: Mapping[Key, list[str]]) -> dict[Key, str]:
    """Name a node's own device for the node, a shared one for its agent."""
    names: dict[Key, str] = {}
    taken: set[str] = set()
    for key, nodes in users.items():
        stem = nodes[0] if len(nodes) == 1 else key[0].removeprefix("fence_")
        name, number = f"{PREFIX}{stem}", 1
        while name in taken:
            number += 1
            name = f"{PREFIX}{stem}-{number}"
        taken.add(name)
        names[key] = name
    return names


def _device(name: str, key: Key, nodes: list[str]) -> Primitive:
    agent, options, is_cib_secret = key
    parameters = dict(options)
    if not any(parameter in parameters for parameter in _HOSTS):
        parameters["pcmk_host_list"] = " ".join(nodes)
    if is_cib_secret:
        parameters["password"] = CIB_SECRET
    if agent in OWN_AGENTS:
        # An agent that reads does not disturb one that fences.
        parameters.setdefault("pcmk_action_limit", "-1")
    monitor = Operation("monitor", timeouts.DEVICE_MONITOR_INTERVAL_S)
    return Primitive(name, f"stonith:{agent}", parameters, operations=(monitor,))


def _levels(file: ClusterFile, names: Mapping[Key, str]) -> list[FencingLevel]:
    return [
        FencingLevel(
            f"vmha-level-{node.name}-{index}",
            node.name,
            index,
            tuple(names[_key(device)] for device in level),
        )
        for node in file.nodes
        for index, level in enumerate(node.fencing, 1)
    ]


def _with_delay(devices: list[Primitive], file: ClusterFile) -> list[Primitive]:
    """Let the first node win a race in which priorities decide nothing.

    The delay belongs to the device of the first level that fences that node alone; an
    administrator who has set delays has decided already.
    """
    if any(name in d.parameters for d in devices for name in _DELAYS):
        return devices
    first = min(node.name for node in file.nodes)
    for index, device in enumerate(devices):
        if device.parameters.get("pcmk_host_list") == first:
            delay = {"pcmk_delay_base": f"{BASE_DELAY_S}s"}
            slower = replace(device, parameters={**device.parameters, **delay})
            return [*devices[:index], slower, *devices[index + 1 :]]
    return devices
