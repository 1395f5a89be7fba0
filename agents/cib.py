"""The cluster's configuration (CIB) as vmha's agents read it.

Pure: text in, questions answered; ``pacemaker`` fetches the text. Source of the format:
Pacemaker Explained (nodes, utilization, resource templates, transient node attributes)
and pacemaker's schemas. ElementTree, because an agent that reads the CIB needs no more.
"""

from __future__ import annotations

from xml.etree import ElementTree

from vmha.agents.protocol.errors import Unreachable
from vmha.agents.protocol.parameters import YES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    Element = ElementTree.Element

INFINITY = 1_000_000  # Pacemaker's own


class Configuration:
    """One reading of the CIB."""

    __slots__ = ("_ids", "_root")

    def __init__(self, root: Element) -> None:
        self._root = root
        # The status section has elements of the same ids.
        configured = [e for part in root.iterfind("configuration") for e in part.iter()]
        # A resource set names its members by elements that bear their ids.
        own = [
            e for e in configured if e.tag not in ("resource_ref", "obj_ref", "role")
        ]
        self._ids = {e.get("id"): e for e in own if e.get("id")}

    @property
    def utilization_counts(self) -> bool:
        """Tell whether the placement strategy heeds utilization.

        Of several values, which rules may choose from, one that does is enough.
        """
        sets = self._root.iterfind("configuration/crm_config/cluster_property_set")
        strategies = {
            self._resolved(pair).get("value")
            for one in sets
            for pair in one.iterfind("nvpair")
            if pair.get("name") == "placement-strategy"
        }
        return bool(strategies - {None, "default"})

    def capacity(self, node: str) -> dict[str, str]:
        """Return what a node advertises, as text; empty for an unknown node."""
        found = {}
        for element in self._root.iterfind("configuration/nodes/node"):
            if element.get("uname") == node:
                found = self.pairs(element, "utilization")
        return found

    def largest(self) -> dict[str, int]:
        """Return, for each capacity, the most that any one node advertises."""
        most: dict[str, int] = {}
        for element in self._root.iterfind("configuration/nodes/node"):
            for name, text in self.pairs(element, "utilization").items():
                most[name] = max(most.get(name, 0), number(text))
        return most

    def utilization(self, resource: str) -> dict[str, str] | None:
        """Return what a primitive is said to need, None where there is no such one."""
        element = self._primitive(resource)
        if element is None:
            return None
        return self.pairs(element, "utilization")

    def guests(self, provider: str, kind: str) -> list[str]:
        """Return the ids of the primitives of an OCF agent, in their order."""
        found = self._root.iterfind("configuration/resources//primitive")
        return [str(p.get("id")) for p in found if self._is_of(p, provider, kind)]

    def parameters(self, resource: str) -> dict[str, str] | None:
        """Return a primitive's parameters; None where rules decide over them.

        The set with the higher score wins, then the earlier one, and a resource's own
        over its template's.
        """
        element = self._primitive(resource)
        found: dict[str, str] = {}
        for owner in (element, self.template(element)):
            sets = [self._resolved(s) for s in _children(owner, "instance_attributes")]
            for one in sorted(sets, key=lambda s: -number(s.get("score", "0"))):
                if one.find("rule") is not None:
                    return None
                for name, value in self.nvpairs(one):
                    found.setdefault(name, value)
        return found

    def of_agents(self, kinds: Container[str]) -> list[str]:
        """Return the ids of the primitives of these agents, whoever provides them."""
        found = self._root.iterfind("configuration/resources//primitive")
        return [str(p.get("id")) for p in found if self._source(p).get("type") in kinds]

    def every_value(self, resource: str, name: str) -> set[str]:
        """Return each value that a parameter may have, whichever rules decide."""
        element = self._primitive(resource)
        owners = (element, self.template(element))
        sets = [s for o in owners for s in _children(o, "instance_attributes")]
        pairs = (pair for one in sets for pair in self.nvpairs(self._resolved(one)))
        return {value for key, value in pairs if key == name and value}

    def has_bringers(self, resource: str) -> bool:
        """Tell whether resources that are not everywhere are started before it.

        It stands in a group, or is ordered after or placed with such a resource; a
        plain clone, which runs on every node alike, does not count, nor do guests.
        """
        group = self._group_of(resource)
        own = {resource}
        if group is not None:
            if len(group.findall("primitive")) > 1:
                return True
            own.add(str(group.get("id")))
        return any(self._may_bring(name) for name in self._leaders(own))

    def _leaders(self, own: set[str]) -> set[str]:
        """Return the resources that constraints put before these, or beside."""
        found: set[str] = set()
        for constraint in self._root.iterfind("configuration/constraints/*"):
            listed = {str(ref.get("id")) for ref in constraint.iter("resource_ref")}
            if listed & own:
                found |= listed - own
            if constraint.get("then") in own:
                found.add(str(constraint.get("first")))
            together = number(constraint.get("score", "INFINITY")) > 0
            is_own = constraint.tag == "rsc_colocation" and constraint.get("rsc") in own
            if together and is_own:
                found.add(str(constraint.get("with-rsc")))
        return found

    def _may_bring(self, resource: str) -> bool:
        element = self._ids.get(resource)
        if element is None:
            return True
        if element.tag != "clone":
            return not self._is_of(element, "vmha", "VirtualMachine")
        promotable = self.pairs(element, "meta_attributes").get("promotable", "no")
        return promotable.lower() in YES

    def _group_of(self, resource: str) -> Element | None:
        for group in self._root.iterfind("configuration/resources//group"):
            if any(p.get("id") == resource for p in group.iterfind("primitive")):
                return group
        return None

    def attributes(self, node: str) -> dict[str, str]:
        """Return a node's transient attributes."""
        for state in self._root.iterfind("status/node_state"):
            if state.get("uname") == node:
                sets = state.iterfind("transient_attributes/instance_attributes")
                return {n: v for one in sets for n, v in self.nvpairs(one)}
        return {}

    def _primitive(self, resource: str) -> Element | None:
        found = self._ids.get(resource)
        return found if found is not None and found.tag == "primitive" else None

    def template(self, element: Element | None) -> Element | None:
        """Return the template that a primitive is made from, None without one."""
        name = element.get("template") if element is not None else None
        return self._ids.get(name) if name else None

    def _is_of(self, primitive: Element, provider: str, kind: str) -> bool:
        source = self._source(primitive)
        return (source.get("provider"), source.get("type")) == (provider, kind)

    def _source(self, primitive: Element) -> Element:
        """Return what says of which agent a primitive is."""
        template = self.template(primitive)
        return template if template is not None else primitive

    def pairs(self, owner: Element, tag: str) -> dict[str, str]:
        """Return the names and values in an element's sets of a kind."""
        sets = [self._resolved(one) for one in _children(owner, tag)]
        return {name: value for one in sets for name, value in self.nvpairs(one)}

    def nvpairs(self, one: Element) -> Iterator[tuple[str, str]]:
        """Yield the names and values of one set, references followed."""
        for pair in one.iterfind("nvpair"):
            target = self._resolved(pair)
            name = pair.get("name") or target.get("name")
            if name:
                yield name, str(target.get("value") or "")

    def _resolved(self, element: Element) -> Element:
        """Follow a reference (id-ref) to another set or pair."""
        return self._ids.get(element.get("id-ref"), element)


def parse(text: str) -> Configuration:
    """Parse a CIB; raises Unreachable for what is none.

    Declarations of entities are refused: no CIB has them.
    """
    if "<!DOCTYPE" in text:
        raise Unreachable("the cluster's configuration declares a document type")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - the cluster's own, no DTD
    except ElementTree.ParseError as error:
        raise Unreachable(f"the cluster's configuration is no XML: {error}") from error
    return Configuration(root)


def number(text: str) -> int:
    """Read a score or a capacity as Pacemaker does: what is no number counts as 0."""
    sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if digits == "INFINITY":
        return sign * INFINITY
    return sign * int(digits) if digits.isascii() and digits.isdigit() else 0


def numbers(capacities: Mapping[str, str]) -> dict[str, int]:
    """Read a node's capacities."""
    return {name: number(text) for name, text in capacities.items()}


def _children(owner: Element | None, tag: str) -> list[Element]:
    return [] if owner is None else owner.findall(tag)
