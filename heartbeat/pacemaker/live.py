"""A CIB, live or saved, as the planner's cluster.

Called by plan, whatif, status, the doctor, apply and import. Guests are the primitives
of VirtualMachine and its like, whoever configured them; where they run is Pacemaker's
own word, computed by its tools from the status section. Rules are read from plain
constraints; what cannot be said in the planner's words is returned as a sentence.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from lxml import etree

from vmha.agents import cib as reading
from vmha.heartbeat.pacemaker import simulate, wishes
from vmha.heartbeat.pacemaker.configuration import INFINITY
from vmha.heartbeat.pacemaker.pairs import is_own
from vmha.heartbeat.planning.instructions import SIZE
from vmha.heartbeat.planning.model import (
    HOST,
    RACK,
    Avoid,
    Cluster,
    Guest,
    Node,
    Rule,
    Spread,
    Together,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vmha.agents.protocol.deadline import Deadline

GUEST_AGENTS = ("VirtualMachine", "VirtualDomain")
RACKS = ("vmha-rack", "rack")
MEMORY_NAMES = ("hv_memory", "host_memory", "memory")
CPU_NAMES = ("cpu",)
NO = ("false", "no", "off", "n", "0")


class Live(NamedTuple):
    """The planner's cluster, what runs where, and what could not be taken over.

    ``running`` has every resource, also those that are no guests. ``gone`` are members
    that are not online.
    """

    cluster: Cluster
    running: Mapping[str, str]
    unread: tuple[str, ...]
    gone: tuple[str, ...] = ()
    standby: tuple[str, ...] = ()


def read(
    cib: etree._Element,
    deadline: Deadline,
    two_node: bool = False,
    qdevice: bool = False,
    tolerate: int = 1,
) -> Live:
    """Read a CIB with its status; raises Refused, NotInstalled or Unreachable.

    ``two_node`` and ``qdevice`` are Corosync's and stand in no CIB.
    """
    now = simulate.present(cib, deadline)
    made = of_document(cib, now.running, two_node, qdevice, tolerate)
    return made._replace(gone=now.gone, standby=now.standby)


def of_document(
    cib: etree._Element,
    running: Mapping[str, str],
    two_node: bool = False,
    qdevice: bool = False,
    tolerate: int = 1,
) -> Live:
    """Read a CIB, with what runs where given; pure."""
    asked = reading.parse(etree.tostring(cib, encoding="unicode"))
    names = sorted(asked.of_agents(GUEST_AGENTS))
    nodes = tuple(_node(node, asked) for node in _node_elements(cib))
    known = {node.name for node in nodes}
    rules, prefers, unread = _rules(cib, set(names), known)
    meta = metas(cib)
    guests = tuple(
        _guest(name, meta[name], asked, running.get(name), prefers.get(name, ()))
        for name in names
    )
    cluster = Cluster(nodes, guests, rules, tolerate, two_node, qdevice)
    return Live(cluster, dict(running), tuple(unread))


def _node_elements(cib: etree._Element) -> list[etree._Element]:
    """Return the cluster's members by name; guest nodes and remotes are none."""
    found = [
        node
        for node in cib.iterfind("configuration/nodes/node")
        if node.get("type", "member") in ("member", "normal")
    ]
    return sorted(found, key=lambda node: str(node.get("uname")))


def _node(element: etree._Element, asked: reading.Configuration) -> Node:
    name = str(element.get("uname"))
    offers = reading.numbers(asked.capacity(name))
    attributes = {
        str(pair.get("name")): str(pair.get("value") or "")
        for pair in element.iterfind("instance_attributes/nvpair")
    }
    rack = next((attributes[key] for key in RACKS if attributes.get(key)), name)
    return Node(name, _first(offers, CPU_NAMES), _first(offers, MEMORY_NAMES), rack)


def _guest(
    name: str,
    meta: Mapping[str, str],
    asked: reading.Configuration,
    runs_on: str | None,
    prefer: tuple[str, ...],
) -> Guest:
    needs = reading.numbers(asked.utilization(name) or {})
    own_size = meta.get(SIZE, "").split(",")
    if len(own_size) == 2:  # one of a set: its leader carries the size of them all
        needs = {"cpu": reading.number(own_size[0])}
        needs["hv_memory"] = reading.number(own_size[1])
    return Guest(
        name,
        _first(needs, CPU_NAMES),
        _first(needs, MEMORY_NAMES),
        reading.number(meta.get("priority", "0")),
        meta.get("is-managed", "true").lower() not in NO,
        runs_on,
        prefer,
    )


def metas(cib: etree._Element) -> dict[str, dict[str, str]]:
    """Return each primitive's meta attributes, with its group's and the defaults.

    Sets that a rule makes conditional are left out.
    """
    defaults = _metas(cib.find("configuration/rsc_defaults"))
    return {
        str(one.get("id")): {**defaults, **_metas(one.getparent()), **_metas(one)}
        for one in cib.iterfind("configuration/resources//primitive")
    }


def _metas(owner: etree._Element | None) -> dict[str, str]:
    sets = owner.findall("meta_attributes") if owner is not None else []
    return {
        str(pair.get("name")): str(pair.get("value") or "")
        for one in sets
        if one.find("rule") is None
        for pair in one.iterfind("nvpair")
    }


def _first(values: Mapping[str, int], names: tuple[str, ...]) -> int:
    return next((values[name] for name in names if name in values), 0)


def _rules(
    cib: etree._Element, guests: set[str], nodes: set[str]
) -> tuple[tuple[Rule, ...], dict[str, tuple[str, ...]], list[str]]:
    """Return rules, each guest's preferred nodes, and what could not be read."""
    rules: list[Rule] = []
    own: defaultdict[str, dict[str, int]] = defaultdict(dict)
    others: defaultdict[str, dict[str, int]] = defaultdict(dict)
    unread: list[str] = []
    for one in cib.iterfind("configuration/constraints/*"):
        if not _names(one) & guests or one.tag == "rsc_order":
            continue
        if not _is_plain(one, guests, nodes):
            unread.append(f"constraint {one.get('id')}: {_why(one)}")
        elif one.tag == "rsc_location":
            rules += _location(one, own if is_own(one) else others)
        elif one.tag == "rsc_colocation":
            rules += _colocation(one)
    prefers: dict[str, tuple[str, ...]] = {}
    banned = {(r.guests[0], r.nodes[0]) for r in rules if isinstance(r, Avoid)}
    read: list[tuple[str, wishes.Wishes]] = []
    for guest, scores in own.items():
        allowed = {node for node in nodes if (guest, node) not in banned}
        read.append((guest, wishes.of_vmha(guest, scores, allowed)))
    read += [(guest, wishes.of_others(guest, s)) for guest, s in others.items()]
    for guest, wish in read:
        rules += wish.rules
        nodes_of = [*wish.prefer, *prefers.get(guest, ())]
        prefers[guest] = tuple(dict.fromkeys(nodes_of))
    return tuple(sorted(set(rules), key=repr)), prefers, unread


def _names(constraint: etree._Element) -> set[str]:
    words = {constraint.get(name) for name in ("rsc", "with-rsc", "first", "then")}
    words |= {ref.get("id") for ref in constraint.iter("resource_ref")}
    return {str(word) for word in words if word}


def _is_plain(one: etree._Element, guests: set[str], nodes: set[str]) -> bool:
    if len(one):
        return False
    if one.tag == "rsc_location":
        return one.get("node") in nodes and one.get("rsc") in guests
    return (
        one.tag == "rsc_colocation" and {one.get("rsc"), one.get("with-rsc")} <= guests
    )


def _why(one: etree._Element) -> str:
    if one.tag == "rsc_location" and one.get("node"):
        return f"its node {one.get('node')} is no member of the cluster"
    if one.tag == "rsc_colocation" and one.get("with-rsc"):
        return "it names a resource that is no guest"
    return "it has a rule or a set, which the planner does not reckon with"


def _location(
    one: etree._Element, wished: Mapping[str, dict[str, int]]
) -> Iterator[Rule]:
    guest, node = str(one.get("rsc")), str(one.get("node"))
    score = reading.number(str(one.get("score", "0")))
    if score <= -INFINITY:
        yield Avoid((guest,), (node,))
    elif score:
        wished[guest][node] = wished[guest].get(node, 0) + score


def _colocation(one: etree._Element) -> Iterator[Rule]:
    first, second = str(one.get("with-rsc")), str(one.get("rsc"))
    score = reading.number(str(one.get("score", "INFINITY")))
    across = RACK if one.get("node-attribute") in RACKS else HOST
    if score < 0:
        yield Spread(tuple(sorted((first, second))), across, score <= -INFINITY)
    elif score > 0:
        yield Together((first, second), score >= INFINITY)
