"""A CIB's fence devices and levels as entries of a cluster file.

Pure. Called by ``importing``. A password that stands in the CIB is not taken over: the
entry refers to a file, or to a secret of Pacemaker's; that it must be made is said.
"""

from __future__ import annotations

from collections import defaultdict

from lxml import etree

from vmha.agents import cib as reading
from vmha.heartbeat.clusterfile.content import Device
from vmha.heartbeat.clusterfile.secrets import is_secret
from vmha.heartbeat.pacemaker.fencing import BASE_DELAY_S, CIB_SECRET, OWN_AGENTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Levels = dict[str, tuple[tuple[Device, ...], ...]]

HOST_LIST, HOST_MAP = "pcmk_host_list", "pcmk_host_map"
SECRET_FILE = "/etc/vmha/{}.secret"  # noqa: S105 - a path


def levels(cib: etree._Element) -> tuple[Levels, list[str]]:
    """Return each node's levels, and what could not be taken over.

    Devices of a node without levels become one level each, in the order of their ids:
    Pacemaker takes any one of them.
    """
    asked = reading.parse(etree.tostring(cib, encoding="unicode"))
    told: list[str] = []
    devices: dict[str, Device] = {}
    hosts: defaultdict[str, list[str]] = defaultdict(list)
    nodes = [str(n.get("uname")) for n in cib.iterfind("configuration/nodes/node")]
    for one in cib.iterfind("configuration/resources//primitive[@class='stonith']"):
        ident = str(one.get("id"))
        parameters = asked.parameters(ident) or {}
        devices[ident] = _device(ident, str(one.get("type")), parameters, told)
        for node in _hosts(parameters, nodes):
            hosts[node].append(ident)
    found: Levels = {}
    for node in nodes:
        ranked = _ranked(cib, node, devices, told)
        if not ranked:
            ranked = [(devices[ident],) for ident in sorted(hosts[node])]
        if ranked:
            found[node] = tuple(ranked)
    told += [
        f"fencing level {one.get('id')}: it is for a pattern or an attribute of nodes"
        for one in cib.iterfind("configuration/fencing-topology/fencing-level")
        if one.get("target") is None
    ]
    return found, told


def _ranked(
    cib: etree._Element, node: str, devices: Mapping[str, Device], told: list[str]
) -> list[tuple[Device, ...]]:
    own = [
        one
        for one in cib.iterfind("configuration/fencing-topology/fencing-level")
        if one.get("target") == node
    ]
    ranked = []
    for one in sorted(own, key=lambda level: int(level.get("index", "0"))):
        names = str(one.get("devices")).split(",")
        unknown = [name for name in names if name not in devices]
        if unknown:
            told.append(f"fencing level {one.get('id')}: no device {unknown[0]}")
        else:
            ranked.append(tuple(devices[name] for name in names))
    return ranked


def _hosts(parameters: Mapping[str, str], nodes: list[str]) -> list[str]:
    """Return the nodes that a device can fence, by its static lists; else all."""
    if HOST_LIST in parameters:
        listed = parameters[HOST_LIST].replace(",", " ").replace(";", " ").split()
    elif HOST_MAP in parameters:
        pairs = parameters[HOST_MAP].replace(";", " ").split()
        listed = [pair.partition(":")[0] for pair in pairs]
    else:
        return nodes
    return [node for node in nodes if node in listed]


def _device(
    ident: str, agent: str, parameters: Mapping[str, str], told: list[str]
) -> Device:
    options = {}
    is_cib_secret = False
    for name, value in sorted(parameters.items()):
        if value == CIB_SECRET:
            is_cib_secret = True
        elif is_secret(name) and not name.endswith(("_file", "_script")):
            if agent in OWN_AGENTS:
                path = SECRET_FILE.format(ident)
                options["password_file"] = path
                how = f"put it into {path}, on every node"
            else:
                is_cib_secret = True
                how = "make it a secret of Pacemaker's (cibsecret)"
            told.append(f"device {ident}: its {name} is not taken over; {how}")
        elif not _is_rendered(agent, name, value):
            options[name] = value
    return Device(agent, options, is_cib_secret)


def _is_rendered(agent: str, name: str, value: str) -> bool:
    """Tell whether rendering writes this parameter by itself."""
    if name == HOST_LIST:
        return True
    if name == "pcmk_host_check":
        return value == "static-list"
    if name == "pcmk_delay_base":
        return value == f"{BASE_DELAY_S}s"
    return name == "pcmk_action_limit" and agent in OWN_AGENTS and value == "-1"
