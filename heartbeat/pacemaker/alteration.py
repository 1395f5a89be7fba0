"""A CIB as it would be after one change of ``vmha whatif``: for predictions only.

Pure. What is made here is never given to a cluster: it is what the planner is told of,
and what crm_simulate is asked about.
"""

from __future__ import annotations

import copy

from lxml import etree

from vmha.heartbeat.pacemaker import terms
from vmha.heartbeat.pacemaker.inventory import Inventory
from vmha.heartbeat.planning.changes import Add, Remove, Standby

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.heartbeat.planning.changes import Change
    from vmha.heartbeat.planning.instructions import Instructions

MADE_UP = "vmha-whatif"


def altered(
    cib: etree._Element, change: Change, old: Instructions, new: Instructions
) -> etree._Element:
    """Return a CIB with a change made in it.

    ``old`` and ``new`` are what Pacemaker is told before and after it: sizes are taken
    from there, since of guests that go together one carries what all need.
    """
    made = copy.deepcopy(cib)
    held = Inventory(made)
    if isinstance(change, Standby):
        _rest(made, set(change.nodes))
    elif isinstance(change, Remove):
        _remove(made, held, change.guest)
    elif isinstance(change, Add):
        _add(made, change.guest.name, change.guest.priority)
    was = {one.name: (one.cpu, one.memory_mib) for one in old.guests}
    names = terms.reckoned(held)
    for one in new.guests:
        size = (one.cpu, one.memory_mib)
        if was.get(one.name) != size:
            _resize(made, one.name, dict(zip(names, map(str, size))))
    return made


def _rest(cib: etree._Element, nodes: set[str]) -> None:
    for node in cib.iterfind("configuration/nodes/node"):
        if node.get("uname") in nodes:
            ident = f"{MADE_UP}-standby-{node.get('id')}"
            _put(node, "instance_attributes", ident, {"standby": "on"})


def _remove(cib: etree._Element, held: Inventory, name: str) -> None:
    """Take a resource out, and all that names it alone."""
    gone = [held.top(name) if held.is_alone(name) else held.primitives[name]]
    for one in cib.iterfind("configuration/constraints/*"):
        if name in (one.get(end) for end in ("rsc", "with-rsc", "first", "then")):
            gone.append(one)
    for kind in ("resource_ref", "obj_ref"):
        gone += [ref for ref in cib.iter(kind) if ref.get("id") == name]
    for one in gone:
        parent = one.getparent()
        if parent is not None:
            parent.remove(one)


def _add(cib: etree._Element, name: str, priority: int) -> None:
    resources = cib.find("configuration/resources")
    if resources is None:
        return
    words = {"class": "ocf", "provider": "vmha", "type": "VirtualMachine"}
    made = etree.SubElement(resources, "primitive", id=name)
    for key, value in words.items():
        made.set(key, value)
    _put(made, "meta_attributes", f"{MADE_UP}-meta", {"priority": str(priority)})


def _resize(cib: etree._Element, name: str, sizes: Mapping[str, str]) -> None:
    """Give a resource other sizes: where they stand, else in a set of its own."""
    for one in cib.iterfind("configuration/resources//primitive"):
        if one.get("id") != name:
            continue
        left = dict(sizes)
        for pair in one.iterfind("utilization/nvpair"):
            value = left.pop(str(pair.get("name")), None)
            if value is not None:
                pair.set("value", value)
        _put(one, "utilization", f"{MADE_UP}-{name}", left)


def _put(owner: etree._Element, tag: str, ident: str, pairs: Mapping[str, str]) -> None:
    """Add pairs that come before those that are there; sets with a higher score do."""
    if not pairs:
        return
    made = etree.Element(tag, id=ident)
    made.set("score", "INFINITY")
    for name, value in pairs.items():
        etree.SubElement(made, "nvpair", id=f"{ident}-{name}", name=name, value=value)
    operations = owner.find("operations")
    if operations is None:
        owner.append(made)
    else:
        operations.addprevious(made)
