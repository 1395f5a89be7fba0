"""What differs between two CIBs, told to a person: their meaning, not their ids.

Pure. Called by diff, apply and the tests, which compare what pcs and crm made of a
configuration with what ``cib`` writes. Status and versions are not looked at.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from vmha.agents import cib as reading
from vmha.heartbeat.clusterfile.secrets import is_secret, may_tell
from vmha.heartbeat.pacemaker.options import spellings
from vmha.heartbeat.pacemaker.times import seconds

Facts = dict[str, str]
ADDED, REMOVED, CHANGED = "added", "removed", "changed"

# Written by Pacemaker and the tools themselves; no configuration of anybody's.
_BY_PACEMAKER = (
    "have-watchdog",
    "dc-version",
    "cluster-infrastructure",
    "cluster-name",
    "last-lrm-refresh",
)


# What an order means where it says nothing.
_ORDERS = {"symmetrical": "true", "first-action": "start", "then-action": "start"}


class Change(NamedTuple):
    """One thing that differs; ``details`` has a line for each fact of it."""

    kind: str
    subject: str
    details: tuple[str, ...] = ()


def changes(before: etree._Element, after: etree._Element) -> tuple[Change, ...]:
    """Return what differs, sorted by subject."""
    old, new = meaning(before), meaning(after)
    found = []
    for subject in sorted(old.keys() | new.keys()):
        if subject not in old:
            found.append(Change(ADDED, subject, _lines({}, new[subject])))
        elif subject not in new:
            found.append(Change(REMOVED, subject))
        elif old[subject] != new[subject]:
            lines = _lines(old[subject], new[subject])
            found.append(Change(CHANGED, subject, lines))
    return tuple(found)


def _is_secret(name: str, *values: str) -> bool:
    """Tell whether a parameter's values are shown to nobody."""
    return is_secret(name) or any(may_tell(name, value) for value in values)


def _lines(old: Facts, new: Facts) -> tuple[str, ...]:
    lines = []
    for name in sorted(old.keys() | new.keys()):
        was, becomes = old.get(name), new.get(name)
        if was == becomes:
            continue
        if _is_secret(name.rpartition(" ")[2], was or "", becomes or ""):
            lines.append(f"{name} (another secret)")
        elif was is None:
            lines.append(f"{name} {becomes}")
        elif becomes is None:
            lines.append(f"{name} {was} -> (none)")
        else:
            lines.append(f"{name} {was} -> {becomes}")
    return tuple(lines)


def meaning(cib: etree._Element) -> dict[str, Facts]:
    """Return everything that a CIB configures, as facts by subject."""
    root = cib.find("configuration")
    found: dict[str, Facts] = {}
    if root is None:
        return found
    found.update(_options(root))
    for node in root.iterfind("nodes/node"):
        facts = {
            **_pairs(node, "instance_attributes", "attribute"),
            **_pairs(node, "utilization", "utilization"),
        }
        if facts:
            found[f"node {node.get('uname')}"] = facts
    for one in root.iterfind("resources/*"):
        found.update(_resource(one, {}))
    for one in root.iterfind("constraints/*"):
        found[f"constraint {one.get('id')}"] = _constraint(one)
    for one in root.iterfind("fencing-topology/fencing-level"):
        place = f"{one.get('target') or one.get('target-pattern')} {one.get('index')}"
        devices = str(one.get("devices"))
        found[f"fencing level {place}"] = {"devices": devices}
    for tag in ("rsc_defaults", "op_defaults"):
        facts = {}
        for owner in root.iterfind(tag):
            facts.update(_pairs(owner, "meta_attributes", "default"))
        if facts:
            found[tag] = facts
    return found


def _options(root: etree._Element) -> dict[str, Facts]:
    found: dict[str, Facts] = {}
    for one in reversed(root.findall("crm_config/cluster_property_set")):
        for pair in one.iterfind("nvpair"):
            name = str(pair.get("name"))
            if name not in _BY_PACEMAKER:
                subject = f"option {spellings(name)[-1]}"
                found[subject] = {"value": str(pair.get("value"))}
    return found


def _resource(element: etree._Element, within: Facts) -> dict[str, Facts]:
    ident = str(element.get("id"))
    facts = dict(within)
    facts.update(_pairs(element, "meta_attributes", "meta"))
    if element.tag != "primitive":
        found = {f"{element.tag} {ident}": facts}
        for child in element:
            if child.tag in ("primitive", "group"):
                found.update(_resource(child, {"in": f"{element.tag} {ident}"}))
        return found
    words = (element.get(name) for name in ("class", "provider", "type"))
    facts["agent"] = ":".join(word for word in words if word)
    facts.update(_pairs(element, "instance_attributes", "parameter"))
    facts.update(_pairs(element, "utilization", "utilization"))
    facts.update(_operations(element))
    return {f"resource {ident}": facts}


def _operations(element: etree._Element) -> Facts:
    facts: Facts = {}
    for op in element.iterfind("operations/op"):
        interval = seconds(op.get("interval")) or 0
        name = f"operation {op.get('name')}"
        if interval:
            facts[f"{name} interval"] = f"{interval:g} s"
        for key, value in op.attrib.items():
            if key not in ("id", "name", "interval"):
                facts[f"{name} {key!s}"] = _time(str(value))
    return facts


def _time(text: str) -> str:
    length = seconds(text)
    return text if length is None else f"{length:g} s"


def _constraint(element: etree._Element) -> Facts:
    """Return a constraint's facts; sets and rules are told as their text."""
    facts = {str(n): str(v) for n, v in element.attrib.items() if n != "id"}
    if element.tag == "rsc_order":
        for name, default in _ORDERS.items():
            if facts.get(name) == default:
                del facts[name]
    if facts.get("score"):
        facts["score"] = str(reading.number(facts["score"]))
    for number, child in enumerate(element, 1):
        said = {str(n): str(v) for n, v in child.attrib.items() if n != "id"}
        inner = [_said(one) for one in child]
        shown = " ".join(f"{n}={v}" for n, v in sorted(said.items()))
        facts[f"{child.tag} {number}"] = f"{shown}: {', '.join(inner)}"
    return {"kind of constraint": element.tag, **facts}


def _said(element: etree._Element) -> str:
    if element.tag == "resource_ref":
        return str(element.get("id"))
    words = {str(n): str(v) for n, v in element.attrib.items() if n != "id"}
    return " ".join(f"{n}={v}" for n, v in sorted(words.items()))


def _pairs(owner: etree._Element, tag: str, kind: str) -> Facts:
    return {
        f"{kind} {pair.get('name')}": str(pair.get("value") or "")
        for one in reversed(owner.findall(tag))
        for pair in one.iterfind("nvpair")
    }


def version(cib: etree._Element) -> str:
    """Return a CIB's version, as its three numbers with points."""
    names = ("admin_epoch", "epoch", "num_updates")
    return ".".join(str(cib.get(name, "0")) for name in names)
