"""A CIB, live or saved, as the planner's cluster.

Called by plan, whatif, status, the doctor, apply and import. Guests are the primitives
of VirtualMachine and its like, whoever configured them; where they run is Pacemaker's
own word, computed by its tools from the status section. What decides over places is
read twice: as rules in the words of a cluster file, for people and for import, and as
the very numbers that Pacemaker is told (``terms``), for the plan. What neither says is
returned as sentences.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from lxml import etree

from vmha.agents import cib as reading
from vmha.heartbeat.pacemaker import (
    doubts,
    inventory,
    locations,
    simulate,
    terms,
    wishes,
)
from vmha.heartbeat.pacemaker.configuration import INFINITY
from vmha.heartbeat.pacemaker.inventory import Inventory, members
from vmha.heartbeat.pacemaker.terms import CPU_NAME, MEMORY_NAMES, RACKS
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
from vmha.heartbeat.planning.prediction import WHOLE
from vmha.heartbeat.planning.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker.locations import Locations

NO = inventory.NO
GUEST_AGENTS = ("VirtualMachine", "VirtualDomain")
CPU_NAMES = (CPU_NAME,)


class Live(NamedTuple):
    """The planner's cluster, what runs where, and what could not be taken over.

    ``running`` has every resource, also those that are no guests. ``state`` is what is
    not as in a whole cluster, and what Pacemaker is told. ``unread`` are constraints
    that are in no rule of ``cluster``; ``doubts`` is what is not in the plan.
    """

    cluster: Cluster
    running: Mapping[str, str]
    unread: tuple[str, ...]
    state: State = WHOLE
    doubts: tuple[str, ...] = ()


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
    state = State(now.gone, now.standby, now.frozen)
    return of_document(cib, now.running, two_node, qdevice, tolerate, state)


def of_document(
    cib: etree._Element,
    running: Mapping[str, str],
    two_node: bool = False,
    qdevice: bool = False,
    tolerate: int = 1,
    state: State = WHOLE,
) -> Live:
    """Read a CIB, with what runs where, and which nodes hold no guest, given; pure."""
    held = Inventory(cib)
    names = sorted(name for name, kind in held.kinds.items() if kind in GUEST_AGENTS)
    memory = (terms.reckoned(held).memory, *MEMORY_NAMES)
    nodes = tuple(_node(node, held, memory) for node in members(cib))
    found = locations.read(cib, held)
    told = terms.told(cib, held, found, running, state.frozen, names)
    rules, prefers, unread = _rules(cib, set(names), {n.name for n in nodes}, found)
    guests = tuple(
        _guest(name, held.metas[name], held, running.get(name), prefers.get(name, ()))
        for name in names
    )
    return Live(
        Cluster(nodes, guests, rules, tolerate, two_node, qdevice),
        dict(running),
        tuple(unread),
        state._replace(told=told),
        doubts.of(cib, held, found, told, names),
    )


def _node(element: etree._Element, held: Inventory, memory: tuple[str, ...]) -> Node:
    offers = reading.numbers(held.offers(element))
    attributes = held.attributes(element)
    name = str(element.get("uname"))
    rack = next((attributes[key] for key in RACKS if attributes.get(key)), name)
    return Node(name, _first(offers, CPU_NAMES), _first(offers, memory), rack)


def _guest(
    name: str,
    meta: Mapping[str, str],
    held: Inventory,
    runs_on: str | None,
    prefer: tuple[str, ...],
) -> Guest:
    needs = reading.numbers(held.sizes[name])
    own_size = meta.get(SIZE, "").split(",")
    if len(own_size) == 2:  # one of a set: its leader carries the size of them all
        needs = {"cpu": reading.number(own_size[0])}
        needs["hv_memory"] = reading.number(own_size[1])
    return Guest(
        name,
        _first(needs, CPU_NAMES),
        _first(needs, MEMORY_NAMES),
        reading.number(meta.get("priority", "0")),
        inventory.is_true(meta.get("is-managed", "true")),
        runs_on,
        prefer,
    )


def metas(cib: etree._Element) -> dict[str, dict[str, str]]:
    """Return each primitive's meta attributes, with its group's and the defaults.

    Sets that a rule makes conditional are left out.
    """
    return Inventory(cib).metas


def _first(values: Mapping[str, int], names: tuple[str, ...]) -> int:
    return next((values[name] for name in names if name in values), 0)


def _rules(
    cib: etree._Element, guests: set[str], nodes: set[str], found: Locations
) -> tuple[tuple[Rule, ...], dict[str, tuple[str, ...]], list[str]]:
    """Return rules, each guest's preferred nodes, and what could not be read."""
    rules: list[Rule] = []
    unread = [one.sentence for one in found.unread if one.resources & guests]
    own: defaultdict[str, dict[str, int]] = defaultdict(dict)
    others: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for one in found.scores:
        if one.resource not in guests:
            continue
        wished = (own if one.is_own else others)[one.resource]
        if one.score <= -INFINITY:
            rules.append(Avoid((one.resource,), (one.node,)))
        elif one.score:
            wished[one.node] = wished.get(one.node, 0) + one.score
    for element in cib.iterfind("configuration/constraints/*"):
        if not _names(element) & guests or element.tag in ("rsc_order", "rsc_location"):
            continue
        if not _is_plain(element, guests):
            unread.append(f"constraint {element.get('id')}: {_why(element)}")
        else:
            rules += _colocation(element)
    read: list[tuple[str, wishes.Wishes]] = []
    banned = {(r.guests[0], r.nodes[0]) for r in rules if isinstance(r, Avoid)}
    for guest, scores in own.items():
        allowed = {node for node in nodes if (guest, node) not in banned}
        read.append((guest, wishes.of_vmha(guest, scores, allowed)))
    read += [(guest, wishes.of_others(guest, s)) for guest, s in others.items()]
    prefers: dict[str, tuple[str, ...]] = {}
    for guest, wish in read:
        rules += wish.rules
        nodes_of = [*wish.prefer, *prefers.get(guest, ())]
        prefers[guest] = tuple(dict.fromkeys(nodes_of))
    return tuple(sorted(set(rules), key=repr)), prefers, unread


def _names(constraint: etree._Element) -> set[str]:
    words = {constraint.get(name) for name in ("rsc", "with-rsc", "first", "then")}
    words |= {ref.get("id") for ref in constraint.iter("resource_ref")}
    return {str(word) for word in words if word}


def _is_plain(one: etree._Element, guests: set[str]) -> bool:
    ends = {one.get("rsc"), one.get("with-rsc")}
    return one.tag == "rsc_colocation" and not len(one) and ends <= guests


def _why(one: etree._Element) -> str:
    if one.tag == "rsc_ticket":
        return "it makes a guest depend on a ticket"
    if one.get("with-rsc"):
        return "it names a resource that is no guest"
    return "it has a set of resources"


def _colocation(one: etree._Element) -> Iterable[Rule]:
    first, second = str(one.get("with-rsc")), str(one.get("rsc"))
    score = reading.number(str(one.get("score", "INFINITY")))
    across = RACK if one.get("node-attribute") in RACKS else HOST
    if score < 0:
        yield Spread(tuple(sorted((first, second))), across, score <= -INFINITY)
    elif score > 0:
        yield Together((first, second), score >= INFINITY)
