"""A CIB's fence devices and levels as entries of a cluster file.

Pure. Called by ``importing``. A password that stands in the CIB is not taken over: the
entry refers to a file, or to a secret of Pacemaker's; that it must be made is said.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from lxml import etree

from vmha.agents import cib as reading
from vmha.agents.protocol.errors import BadParameter
from vmha.fence.protocol import hosts as own_map
from vmha.heartbeat.clusterfile.content import Device
from vmha.heartbeat.clusterfile.secrets import is_secret, may_tell
from vmha.heartbeat.pacemaker import hostmap
from vmha.heartbeat.pacemaker.fencing import (
    BASE_DELAY_S,
    CIB_SECRET,
    HOST_LIST,
    OWN_AGENTS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

Levels = dict[str, tuple[tuple[Device, ...], ...]]

HOST_CHECK, HOST_ARGUMENT = "pcmk_host_check", "pcmk_host_argument"
SECRET_FILE = "/etc/vmha/{}.secret"  # noqa: S105 - a path
MOST_LEVELS = 9
_PASSWORD = ("password", "passwd")
_FILE = "password_file"


def levels(cib: etree._Element) -> tuple[Levels, list[str]]:
    """Return each node's levels, and what could not be taken over.

    Devices of a node without levels become one level each, in the order of their ids:
    Pacemaker takes any one of them.
    """
    work = _Work(cib)
    found: Levels = {}
    for node in work.nodes:
        ranked = work.ranked(node) or [(device,) for device in work.able(node)]
        if len(ranked) > MOST_LEVELS:
            work.told.append(
                f"node {node}: of its {len(ranked)} fence devices the first "
                f"{MOST_LEVELS} are taken over, as Pacemaker has no more levels"
            )
        if ranked:
            found[node] = tuple(ranked[:MOST_LEVELS])
    work.told += [
        f"fencing level {one.get('id')}: it is for a pattern or an attribute of nodes"
        for one in cib.iterfind("configuration/fencing-topology/fencing-level")
        if one.get("target") is None
    ]
    return found, work.told


class _Work:
    """The devices of one CIB; ``told`` grows with what is left out."""

    def __init__(self, cib: etree._Element) -> None:
        asked = reading.parse(etree.tostring(cib, encoding="unicode"))
        members = cib.iterfind("configuration/nodes/node")
        self.nodes = [str(node.get("uname")) for node in members]
        self.told: list[str] = []
        self._cib = cib
        self._devices: dict[str, Device] = {}
        self._plugs: dict[str, dict[str, str]] = {}
        self._able: defaultdict[str, list[str]] = defaultdict(list)
        for ident, agent in _found(cib):
            parameters = asked.parameters(ident)
            if parameters is None:
                said = "a rule decides over its parameters; it is left out"
                self.told.append(f"device {ident}: {said}")
                continue
            self._devices[ident] = _device(ident, agent, parameters, self.told)
            self._plugs[ident] = hostmap.read(parameters.get(hostmap.NAME, ""))
            for node in self._hosts(ident, parameters):
                self._able[node].append(ident)

    def able(self, node: str) -> list[Device]:
        """Return the devices that can fence a node, by their own word."""
        return [self._of(ident, node) for ident in sorted(self._able[node])]

    def ranked(self, node: str) -> list[tuple[Device, ...]]:
        """Return the devices of each of a node's levels."""
        own = [
            one
            for one in self._cib.iterfind("configuration/fencing-topology/*")
            if one.get("target") == node
        ]
        ranked = []
        for one in sorted(own, key=lambda level: reading.number(_index(level))):
            names = [name.strip() for name in str(one.get("devices")).split(",")]
            unknown = [name for name in names if name not in self._devices]
            if unknown:
                said = f"{unknown[0]} is no device that was taken over"
                self.told.append(f"fencing level {one.get('id')}: {said}")
            else:
                ranked.append(tuple(self._of(name, node) for name in names))
        return ranked

    def _of(self, ident: str, node: str) -> Device:
        """Return a device as a node's entry: with the plug that is the node's.

        A plug that no map can hold is given to the agent by name instead, which
        Pacemaker then does not do (pcmk_host_argument=none); nobody else's plug is.
        """
        device = self._devices[ident]
        plug = hostmap.plug(self._plugs[ident], node)
        if not plug or plug.lower() == node.lower():
            return device
        if hostmap.is_plain(plug):
            return replace(device, plug=plug)
        argument = device.options.get(HOST_ARGUMENT, "port")
        options = {**device.options, HOST_ARGUMENT: "none", argument: plug}
        return replace(device, options=dict(sorted(options.items())))

    def _hosts(self, ident: str, parameters: Mapping[str, str]) -> list[str]:
        """Return the nodes that a device can fence, by its static lists; else all."""
        words = parameters.get(HOST_LIST, "").replace(",", " ").replace(";", " ")
        listed = {*words.split(), *self._plugs[ident]}
        try:
            listed |= set(own_map.read(parameters.get(own_map.NAME, "")))
        except BadParameter:
            self.told.append(f"device {ident}: its hosts are no map of names")
        if not listed:
            if len(self.nodes) > 1:
                said = "it names no nodes; it is taken over as one for all of them"
                self.told.append(f"device {ident}: {said}")
            return self.nodes
        known = {name.lower() for name in listed}
        return [node for node in self.nodes if node.lower() in known]


def _index(level: etree._Element) -> str:
    return level.get("index") or "0"


def _found(cib: etree._Element) -> list[tuple[str, str]]:
    """Return the ids and agents of the fence devices, those of templates too."""
    resources = "configuration/resources"
    templates = {one.get("id"): one for one in cib.iterfind(f"{resources}/template")}
    found = []
    for one in cib.iterfind(f"{resources}//primitive"):
        source = templates.get(one.get("template"), one)
        if source.get("class") == "stonith":
            found.append((str(one.get("id")), str(source.get("type"))))
    return found


def _device(
    ident: str, agent: str, parameters: Mapping[str, str], told: list[str]
) -> Device:
    options: dict[str, str] = {}
    is_cib_secret = False
    for name, value in sorted(parameters.items()):
        if name in _PASSWORD and (value == CIB_SECRET or agent not in OWN_AGENTS):
            is_cib_secret = True
            if value != CIB_SECRET:
                how = "make it a secret of Pacemaker's (cibsecret)"
                told.append(f"device {ident}: its {name} is not taken over; {how}")
        elif name in _PASSWORD:
            options[_FILE] = SECRET_FILE.format(ident)
            how = f"put it into {options[_FILE]}, on every node"
            told.append(f"device {ident}: its {name} is not taken over; {how}")
        elif is_secret(name) or value == CIB_SECRET:
            said = "is a secret for which a cluster file has no place"
            told.append(f"device {ident}: its {name} {said}; it is not taken over")
        elif may_tell(name, value):
            said = "could hold a secret and is not taken over"
            told.append(f"device {ident}: its {name} {said}; name a program of yours")
        elif name == HOST_CHECK and value != "static-list":
            said = f"its {name}={value} is not taken over; vmha names its nodes"
            told.append(f"device {ident}: {said}")
        elif not _is_rendered(agent, name, value):
            options[name] = value
    if is_cib_secret and _FILE in options:
        told.append(f"device {ident}: its {_FILE} counts, and its password is left out")
        is_cib_secret = False
    return Device(agent, options, is_cib_secret)


def _is_rendered(agent: str, name: str, value: str) -> bool:
    """Tell whether rendering writes this parameter by itself."""
    if name in (HOST_LIST, hostmap.NAME, HOST_CHECK):
        return True
    if name == "pcmk_delay_base":
        return value == f"{BASE_DELAY_S}s"
    return name == "pcmk_action_limit" and agent in OWN_AGENTS and value == "-1"
