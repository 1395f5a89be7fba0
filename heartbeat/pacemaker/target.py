"""The CIB as it is to be: a live one, with a Configuration worked into it.

Pure. Called by diff and apply. What vmha wrote is told by its ids ("vmha-...") and, for
resources, by their mark; only that is changed or removed. Where something of others
stands in the way, that is a Conflict, and the administrator decides.
"""

from __future__ import annotations

import bisect
import copy
from typing import NamedTuple

from lxml import etree

from vmha.heartbeat.pacemaker import cib as writing
from vmha.heartbeat.pacemaker.configuration import Order, Primitive
from vmha.heartbeat.pacemaker.options import spellings
from vmha.heartbeat.pacemaker.pairs import Pairs, is_own
from vmha.heartbeat.pacemaker.rendering import MARK, MARKED
from vmha.heartbeat.pacemaker.times import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vmha.heartbeat.pacemaker.configuration import Configuration

ADOPT, REMOVE = "--adopt", "--remove"
ADOPTABLE = ("VirtualMachine", "VirtualDomain")


class Conflict(NamedTuple):
    """What stands in the way, and the option that says that it may go: "" for none."""

    subject: str
    sentence: str
    option: str = ""


class Target(NamedTuple):
    """The CIB as it is to be, what keeps it from being so, what is left as it is."""

    cib: etree._Element
    conflicts: tuple[Conflict, ...]
    kept: tuple[str, ...]


def target(
    live: etree._Element,
    configuration: Configuration,
    adopt: bool = False,
    remove: bool = False,
) -> Target:
    """Return the live CIB with the configuration worked in.

    ``adopt``: what others have set to another value is taken over. ``remove``: guests
    of vmha's that the configuration no longer has are removed, which stops them.
    """
    work = _Work(live, adopt, remove)
    work.options(configuration)
    work.nodes(configuration)
    work.resources(configuration)
    work.constraints(configuration)
    work.levels(configuration)
    return Target(work.cib, tuple(work.conflicts), tuple(work.kept))


def is_marked(primitive: etree._Element) -> bool:
    """Tell whether vmha wrote this resource."""
    pairs = primitive.iterfind("meta_attributes/nvpair")
    return any(p.get("name") == MARK and p.get("value") == MARKED for p in pairs)


def raised(cib: etree._Element) -> etree._Element:
    """Return the CIB with the version that a change of it gets."""
    newer = copy.deepcopy(cib)
    newer.set("epoch", str(int(newer.get("epoch", "0")) + 1))
    newer.set("num_updates", "0")
    return newer


class _Work:
    """One working in; every method changes ``cib`` and notes what stands in the way."""

    def __init__(self, live: etree._Element, adopt: bool, remove: bool) -> None:
        self.cib = copy.deepcopy(live)
        self.conflicts: list[Conflict] = []
        self.kept: list[str] = []
        self._adopt = adopt
        self._remove = remove
        self._root = _part(self.cib, "configuration")

    def options(self, wanted: Configuration) -> None:
        """Set the cluster's options, whichever spelling they have there."""
        container = _part(self._root, "crm_config")
        sets = container.findall("cluster_property_set")
        found = {
            str(pair.get("name")): pair
            for one in reversed(sets)
            for pair in one.iterfind("nvpair")
            if one.find("rule") is None
        }
        for name, value in sorted(wanted.properties.items()):
            present = [found[s] for s in spellings(name) if s in found]
            if not present:
                own = _set(container, "cluster_property_set", writing.OPTIONS)
                own.append(writing.option_element(name, value))
            elif not _is_same(str(present[0].get("value")), value):
                self._take(present[0], f"option {name}", value)
        known = {s for name in wanted.properties for s in spellings(name)}
        for name, pair in found.items():
            if is_own(pair) and name not in known:
                _drop(pair)

    def _take(self, pair: etree._Element, subject: str, value: str) -> None:
        if is_own(pair) or self._adopt:
            pair.set("value", value)
            return
        said = (
            f"{subject} is {pair.get('value')!r}, which vmha did not set; the file "
            f"wants {value!r}"
        )
        self.conflicts.append(Conflict(subject, said, ADOPT))

    def nodes(self, wanted: Configuration) -> None:
        """Give each node its capacity and its rack."""
        container = _part(self._root, "nodes")
        present = {str(node.get("uname")): node for node in container}
        for node in wanted.nodes:
            element = present.get(node.name)
            if element is None:
                said = f"node {node.name} is in the file, but no member of the cluster"
                self.conflicts.append(Conflict(f"node {node.name}", said))
                continue
            for tag, values in writing.node_pairs(node).items():
                own = writing.set_id("node", node.name, tag)
                pairs = Pairs(element, tag, own, may_take=self._adopt)
                refused = pairs.become(values)
                for name, seen in refused.items():
                    said = (
                        f"node {node.name}: {name} is {seen}, which vmha did not set; "
                        f"the file wants {values[name]}"
                    )
                    subject = f"node {node.name} {name}"
                    self.conflicts.append(Conflict(subject, said, ADOPT))
        for name in sorted(set(present) - {node.name for node in wanted.nodes}):
            self.kept.append(f"node {name} is not in the file; it is left as it is")

    def resources(self, wanted: Configuration) -> None:
        """Add, change and remove guests and fence devices."""
        container = _part(self._root, "resources")
        present = {str(p.get("id")): p for p in container.iter("primitive")}
        taken = {str(e.get("id")) for e in self._root.iter() if e.get("id")}
        primitives = [r for r in wanted.resources if isinstance(r, Primitive)]
        row = _Row(container, _is_ours)
        for primitive in primitives:
            element = present.get(primitive.id)
            if element is not None:
                self._resource(element, primitive)
            elif primitive.id in taken:
                said = f"the id {primitive.id} belongs to something that is no guest"
                self.conflicts.append(Conflict(primitive.id, said))
            else:
                row.insert(writing.resource_element(primitive))
        names = {primitive.id for primitive in primitives}
        for ident, element in present.items():
            if ident not in names and is_marked(element):
                self._dropped(element)

    def _resource(self, element: etree._Element, primitive: Primitive) -> None:
        subject = f"resource {primitive.id}"
        if not is_marked(element):
            if element.get("type") not in ADOPTABLE and primitive.id[:5] != "vmha-":
                said = f"{subject} exists, of another agent: {element.get('type')}"
                self.conflicts.append(Conflict(subject, said))
                return
            if not self._adopt:
                said = f"{subject} exists and was not written by vmha"
                self.conflicts.append(Conflict(subject, said, ADOPT))
                return
        words = writing.agent_words(primitive.agent)
        for name in ("class", "provider", "type"):
            if name in words:
                element.set(name, words[name])
            elif name in element.attrib:
                del element.attrib[name]
        for tag, values in writing.primitive_pairs(primitive).items():
            own = writing.set_id("resource", primitive.id, tag)
            pairs = Pairs(element, tag, own, may_take=True)
            # A need that nodes do not offer would leave the guest without a node.
            pairs.become(values, alone=tag == "utilization")
            self.kept += [f"{subject}: {tag} {n} is not vmha's" for n in pairs.others]
        _operations(element, primitive)

    def _dropped(self, element: etree._Element) -> None:
        ident = str(element.get("id"))
        is_device = element.get("class") == "stonith"
        if not is_device and not self._remove:
            said = f"guest {ident} is no longer in the file: it would be stopped"
            self.conflicts.append(Conflict(f"resource {ident}", said, REMOVE))
            return
        names = ("rsc", "with-rsc", "first", "then")
        for one in self._root.iterfind("constraints/*"):
            named = {one.get(n) for n in names} | {r.get("id") for r in one.iter()}
            if ident in named and not is_own(one):
                said = f"{ident} cannot be removed: constraint {one.get('id')} names it"
                self.conflicts.append(Conflict(f"resource {ident}", said))
                return
        parent = element.getparent()
        is_only = parent is not None and len(parent.findall("primitive")) == 1
        if is_only and parent is not None and parent.tag in ("group", "clone"):
            element = parent
        _drop(element)

    def constraints(self, wanted: Configuration) -> None:
        """Replace vmha's constraints, and leave the others."""
        container = _part(self._root, "resources")
        known = {str(e.get("id")) for e in container.iter() if e.get("id")}
        made = []
        for one in wanted.constraints:
            if isinstance(one, Order) and one.first not in known:
                said = (
                    f"guest {one.then} is to start after {one.first}, which the "
                    "cluster does not have"
                )
                self.conflicts.append(Conflict(f"resource {one.then}", said))
                continue
            made.append(writing.constraint_element(one))
        self._replace(_part(self._root, "constraints"), made)

    def levels(self, wanted: Configuration) -> None:
        """Replace vmha's fencing levels; another's for the same node is a conflict."""
        made = [writing.level_element(one) for one in wanted.fencing_levels]
        container = self._root.find("fencing-topology")
        if container is None and not made:
            return
        container = _part(self._root, "fencing-topology", before="rsc_defaults")
        others = {
            (one.get("target"), one.get("index")): one
            for one in container
            if not is_own(one)
        }
        free = []
        for level in made:
            other = others.get((level.get("target"), level.get("index")))
            if other is None:
                free.append(level)
            elif other.get("devices") != level.get("devices"):
                self._level(container, other, level, free)
        self._replace(container, free)
        if not len(container):
            _drop(container)

    def _level(
        self,
        container: etree._Element,
        other: etree._Element,
        level: etree._Element,
        free: list[etree._Element],
    ) -> None:
        if self._adopt:
            container.remove(other)
            free.append(level)
            return
        subject = f"fencing level {level.get('index')} of {level.get('target')}"
        said = f"{subject} is {other.get('devices')}, which vmha did not set"
        self.conflicts.append(Conflict(subject, said, ADOPT))

    def _replace(
        self, container: etree._Element, made: Iterable[etree._Element]
    ) -> None:
        wanted = {str(one.get("id")): one for one in made}
        for one in list(container):
            ident = str(one.get("id"))
            if not is_own(one):
                continue
            if ident not in wanted:
                container.remove(one)
            elif canonical(one) != canonical(wanted[ident]):
                container.replace(one, wanted[ident])
        present = {str(one.get("id")) for one in container}
        row = _Row(container, is_own)
        for ident, one in sorted(wanted.items()):
            if ident not in present:
                row.insert(one)


def canonical(element: etree._Element) -> bytes:
    """Return an element's text by which two can be compared."""
    bare = copy.deepcopy(element)
    for one in bare.iter():
        one.text = one.tail = None
    return etree.tostring(bare, method="c14n")


def _operations(element: etree._Element, primitive: Primitive) -> None:
    """Set the operations; those of others, by name and interval, stay."""
    container = _part(element, "operations")
    present = {(op.get("name"), seconds(op.get("interval"))): op for op in container}
    wanted = {(op.name, op.interval_s): op for op in primitive.operations}
    for key, op in present.items():
        if key not in wanted and is_own(op):
            container.remove(op)
    for key, operation in wanted.items():
        made = writing.operation_element(primitive.id, operation)
        known = present.get(key)
        if known is None:
            container.append(made)
            continue
        for name in ("name", "timeout", *operation.options):
            value = str(made.get(name) or "")
            if value and not _is_same(known.get(name), value):
                known.set(name, value)


def _is_ours(element: etree._Element) -> bool:
    return element.tag == "primitive" and is_marked(element)


_WORDS = {"on": "true", "yes": "true", "y": "true", "1": "true"}


def _is_same(one: str | None, other: str) -> bool:
    """Tell whether two values mean the same: 120 and 120s, on and true."""
    if one == other:
        return True
    if one is None:
        return False
    times = seconds(one), seconds(other)
    if None not in times:
        return times[0] == times[1]
    return _WORDS.get(one.lower(), one.lower()) == other.lower()


def _part(parent: etree._Element, tag: str, before: str = "\0") -> etree._Element:
    """Return a child, made where it is missing, in front of a certain other."""
    found = parent.find(tag)
    if found is not None:
        return found
    made = etree.Element(tag)
    after = parent.find(before) if before != "\0" else None
    if after is not None:
        after.addprevious(made)
    else:
        parent.append(made)
    return made


def _set(parent: etree._Element, tag: str, ident: str) -> etree._Element:
    for one in parent.iterfind(tag):
        if one.get("id") == ident:
            return one
    return etree.SubElement(parent, tag, id=ident)


class _Row:
    """vmha's own elements of a container, in the order of their ids.

    New ones are put where their ids belong, because the order decides placement.
    """

    def __init__(
        self,
        container: etree._Element,
        is_ours: Callable[[etree._Element], bool],
    ) -> None:
        self._container = container
        self._elements = [one for one in container if is_ours(one)]
        self._elements.sort(key=lambda one: str(one.get("id")))
        self._ids = [str(one.get("id")) for one in self._elements]

    def insert(self, made: etree._Element) -> None:
        ident = str(made.get("id"))
        at = bisect.bisect(self._ids, ident)
        if at < len(self._ids):
            self._elements[at].addprevious(made)
        else:
            self._container.append(made)
        self._ids.insert(at, ident)
        self._elements.insert(at, made)


def _drop(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
