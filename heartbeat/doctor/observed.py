"""What Pacemaker says of its nodes and resources now: crm_mon, read.

Called by status and explain. Source: ``crm_mon --output-as=xml`` (crm_mon.rng). It
also reads a saved CIB where the environment names one in CIB_file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused, Unreachable
from vmha.heartbeat.pacemaker import answers
from vmha.heartbeat.pacemaker.cluster import ENVIRONMENT

CRM_MON = "/usr/sbin/crm_mon"
_WORDS = ["--output-as=xml", "--one-shot", "--inactive", "--include=all"]


class NodeState(NamedTuple):
    """A member as the cluster sees it; ``health`` is green, yellow or red."""

    name: str
    is_online: bool
    is_unclean: bool = False
    is_standby: bool = False
    is_in_maintenance: bool = False
    is_pending: bool = False
    health: str = "green"

    @property
    def word(self) -> str:
        """Return its state in one word, the gravest first."""
        states = (
            (self.is_unclean, "unclean"),
            (self.is_pending, "joining"),
            (not self.is_online, "offline"),
            (self.is_in_maintenance, "maintenance"),
            (self.is_standby, "standby"),
        )
        return next((word for holds, word in states if holds), "online")

    @property
    def takes_guests(self) -> bool:
        """Tell whether Pacemaker may start something there."""
        return self.word == "online"


class ResourceState(NamedTuple):
    """A primitive as the cluster sees it, and where it runs."""

    id: str
    role: str
    nodes: tuple[str, ...] = ()
    target_role: str = ""
    pending: str = ""
    is_managed: bool = True
    is_failed: bool = False
    is_blocked: bool = False


class Failure(NamedTuple):
    """A recorded failed operation."""

    resource: str
    operation: str
    node: str
    reason: str
    when: str


class Fencing(NamedTuple):
    """One fencing of a node, done, failed or under way."""

    target: str
    action: str
    status: str
    by: str
    when: str
    reason: str


class Observed(NamedTuple):
    """One look at the cluster."""

    dc: str
    version: str
    has_quorum: bool
    nodes: Mapping[str, NodeState]
    resources: Mapping[str, ResourceState]
    failures: tuple[Failure, ...]
    fencings: tuple[Fencing, ...]

    def where(self, resource: str) -> str | None:
        """Return the node on which a resource runs."""
        state = self.resources.get(resource)
        return state.nodes[0] if state and state.nodes else None


def look(deadline: Deadline, environ: Mapping[str, str]) -> Observed:
    """Ask the cluster; raises Refused, NotInstalled or Unreachable."""
    passed = {name: environ[name] for name in ENVIRONMENT if name in environ}
    result = process.run([CRM_MON, *_WORDS], deadline, passed)
    if "<pacemaker-result" not in result.stdout or result.exit_code != 0:
        raise Refused(f"the cluster does not answer here: {answers.said(result)}")
    return parse(result.stdout)


def parse(text: str) -> Observed:
    """Read crm_mon's XML; raises Unreachable for what is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise Unreachable(f"crm_mon answers no XML: {error}") from error
    dc = root.find("summary/current_dc")
    said = dict(dc.attrib) if dc is not None else {}
    nodes = [_node(e) for e in root.iterfind("nodes/node") if _is(e, "type", "member")]
    resources = [_resource(e) for e in root.iterfind("resources//resource")]
    return Observed(
        str(said.get("name", "")),
        str(said.get("version", "")),
        said.get("with_quorum") == "true",
        {node.name: node for node in sorted(nodes)},
        _merged(resources),
        tuple(_failure(e) for e in root.iterfind("failures/failure")),
        tuple(sorted(map(_fencing, root.iterfind(".//fence_event")), key=_newest)),
    )


def _newest(event: Fencing) -> tuple[bool, str]:
    return event.status in ("success", "failed"), "".join(_inverted(event.when))


def _inverted(text: str) -> list[str]:
    """Return characters that sort the other way round: the newest time comes first."""
    return [chr(0x10FFFF - ord(letter)) for letter in text]


def _merged(found: list[ResourceState]) -> dict[str, ResourceState]:
    """Return one state for each id; instances of a clone share one."""
    merged: dict[str, ResourceState] = {}
    for state in found:
        before = merged.get(state.id)
        nodes = (*(before.nodes if before else ()), *state.nodes)
        merged[state.id] = state._replace(nodes=nodes)
    return merged


def _node(element: etree._Element) -> NodeState:
    return NodeState(
        str(element.get("name")),
        _is(element, "online"),
        _is(element, "unclean"),
        _is(element, "standby") or _is(element, "standby_onfail"),
        _is(element, "maintenance"),
        _is(element, "pending"),
        str(element.get("health") or "green"),
    )


def _resource(element: etree._Element) -> ResourceState:
    return ResourceState(
        str(element.get("id")).partition(":")[0],
        str(element.get("role")),
        tuple(str(node.get("name")) for node in element.iterfind("node")),
        str(element.get("target_role") or ""),
        str(element.get("pending") or ""),
        _is(element, "managed"),
        _is(element, "failed"),
        _is(element, "blocked"),
    )


def _failure(element: etree._Element) -> Failure:
    resource, _, rest = str(element.get("op_key")).rpartition("_")
    resource, _, operation = resource.rpartition("_")
    del rest
    reason = element.get("exitreason") or element.get("exitstatus")
    when = str(element.get("last-rc-change") or "")
    return Failure(resource, operation, str(element.get("node")), str(reason), when)


def _fencing(element: etree._Element) -> Fencing:
    return Fencing(
        str(element.get("target") or ""),
        str(element.get("action") or ""),
        str(element.get("status") or ""),
        str(element.get("delegate") or ""),
        str(element.get("completed") or ""),
        str(element.get("exit-reason") or ""),
    )


def _is(element: etree._Element, name: str, wanted: str = "true") -> bool:
    return element.get(name) == wanted
