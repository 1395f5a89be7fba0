"""Rules that have no effect: they name what is not there."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.doctor.evidence import Evidence

CAN_HOST = "vmha-can-host-"
KEEPER = "ocf:vmha:NodeCapacity"
BUILT_IN = "#"


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look at every constraint's node, and at the attributes its rules ask for."""
    cib = evidence.cib
    places = {name.lower() for name in _places(cib)}  # as Pacemaker compares them
    for location in cib.constraints("rsc_location"):
        name = f"constraint {location.get('id')}"
        node = location.get("node")
        if node and node.lower() not in places:
            yield Finding(name, f"it names node {node}, which the cluster has not")
        for attribute in _asked(location):
            text = _nobody_has(cib, attribute)
            if text:
                yield Finding(name, text)
    for first, second, name in _pairs(cib):
        if first == second:
            yield Finding(name, f"it says of {first} how it stands to itself")


def _places(cib: Cib) -> set[str]:
    """Return all names of nodes, guest and remote ones too."""
    found = {str(n.get("uname")) for n in cib.root.iter("node") if n.get("uname")}
    remote = {r.meta["remote-node"] for r in cib.resources if "remote-node" in r.meta}
    return found | remote | {r.id for r in cib.resources if r.agent.endswith(":remote")}


def _asked(location: etree._Element) -> list[str]:
    """Return the attributes whose values a location's rules compare."""
    compared = [
        str(e.get("attribute"))
        for e in location.iter("expression")
        if e.get("operation") not in ("defined", "not_defined")
    ]
    return sorted({name for name in compared if not name.startswith(BUILT_IN)})


def _nobody_has(cib: Cib, attribute: str) -> str:
    """Return the sentence for an attribute that no node has, "" for one it has."""
    if any(attribute in cib.node_attributes(node) for node in cib.nodes):
        return ""
    if attribute.startswith(CAN_HOST):
        if any(r.agent == KEEPER for r in cib.resources):
            return ""
        return f"it asks for {attribute}, which no NodeCapacity resource keeps"
    if not cib.has_status:  # an attribute of a running node may set it
        return ""
    return f"it asks for the attribute {attribute}, which no node has"


def _pairs(cib: Cib) -> Iterator[tuple[str, str, str]]:
    for tag, one, other in (
        ("rsc_colocation", "rsc", "with-rsc"),
        ("rsc_order", "first", "then"),
    ):
        for element in cib.constraints(tag):
            if element.get(one):
                name = f"constraint {element.get('id')}"
                yield str(element.get(one)), str(element.get(other)), name


CHECK = Check(
    "rule-ineffective",
    "Rules without effect",
    Severity.WARNING,
    "A rule about a node that was renamed, or an attribute that nobody sets, looks "
    "like protection and is none.",
    "Correct or remove the constraint (pcs constraint delete ID).",
    (CIB,),
    look,
)
