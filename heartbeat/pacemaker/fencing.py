"""The cluster file's fence devices as resources and levels, with their race rule.

Pure. Called by ``rendering``. docs/fencing.md says why the parameters are as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from vmha.heartbeat.pacemaker import hostmap, timeouts
from vmha.heartbeat.pacemaker.configuration import FencingLevel, Operation, Primitive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.heartbeat.clusterfile.content import ClusterFile, Device, NodeEntry

PREFIX = "vmha-fence-"
OWN_AGENTS = ("fence_vmha_ipmi", "fence_vmha_redfish")
CIB_SECRET = "lrm://"  # noqa: S105 - says that the secret is elsewhere

PRIORITY_DELAY_S = 15
BASE_DELAY_S = 5
"""Less than half of the other, or the two could cancel each other (docs/fencing.md)."""

_DELAYS = ("pcmk_delay_base", "pcmk_delay_max", "delay")
HOST_LIST = "pcmk_host_list"

Key = tuple[str, tuple[tuple[str, str], ...], bool, int]
Plugs = dict[str, str]  # of each node, "" where the device knows it by its name


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
    devices = [_device(names[key], key, plugs) for key, plugs in users.items()]
    properties: dict[str, str] = {}
    if file.two_node and file.qdevice is None:
        properties["priority-fencing-delay"] = f"{PRIORITY_DELAY_S}s"
        devices = _with_delay(devices, file)
    return Fencing(
        tuple(sorted(devices, key=lambda d: d.id)),
        tuple(sorted(_levels(file, names), key=lambda level: level.id)),
        properties,
    )


def _key(device: Device, slot: int) -> Key:
    options = tuple(sorted(device.options.items()))
    return device.agent, options, device.cib_secret, slot


def _slot(device: Device, node: NodeEntry) -> int:
    """Return which of a node's plugs in one device this is.

    A server with two power supplies in one strip needs two devices of Pacemaker's: one
    switches one plug of a node.
    """
    key = _key(device, 0)
    own = [one for level in node.fencing for one in level if _key(one, 0) == key]
    return sorted({one.plug for one in own}).index(device.plug)


def _users(file: ClusterFile) -> dict[Key, Plugs]:
    """Return the nodes of each distinct device, both in sorted order."""
    users: dict[Key, Plugs] = {}
    for node in sorted(file.nodes, key=lambda n: n.name):
        for level in node.fencing:
            for device in level:
                key = _key(device, _slot(device, node))
                users.setdefault(key, {})[node.name] = device.plug
    return users


def _names(users: Mapping[Key, Plugs]) -> dict[Key, str]:
    """Name a node's own device for the node, a shared one for its agent."""
    names: dict[Key, str] = {}
    taken: set[str] = set()
    for key, plugs in users.items():
        is_own = len(plugs) == 1
        stem = next(iter(plugs)) if is_own else key[0].removeprefix("fence_")
        name, number = f"{PREFIX}{stem}", 1
        while name in taken:
            number += 1
            name = f"{PREFIX}{stem}-{number}"
        taken.add(name)
        names[key] = name
    return names


def _device(name: str, key: Key, plugs: Plugs) -> Primitive:
    agent, options, is_cib_secret, _ = key
    parameters = dict(options)
    if any(plugs.values()):
        pairs = {node: plug or node for node, plug in plugs.items()}
        parameters[hostmap.NAME] = hostmap.written(pairs)
    else:
        parameters[HOST_LIST] = " ".join(plugs)
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
            tuple(names[_key(device, _slot(device, node))] for device in level),
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
        if first in (device.parameters.get(HOST_LIST), _only_in_map(device)):
            delay = {"pcmk_delay_base": f"{BASE_DELAY_S}s"}
            slower = replace(device, parameters={**device.parameters, **delay})
            return [*devices[:index], slower, *devices[index + 1 :]]
    return devices


def _only_in_map(device: Primitive) -> str:
    """Return the node that a device has a plug for, "" where there are several."""
    names = list(hostmap.read(device.parameters.get(hostmap.NAME, "")))
    return names[0] if len(names) == 1 else ""
