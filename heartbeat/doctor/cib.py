"""A CIB as the checks ask it: live or saved, by whatever tool it was written.

Unlike ``pacemaker.live``, which reads what vmha can write, this reads anything and
answers what it can. Source of the format: Pacemaker Explained and Pacemaker's schemas.
It is made for reading only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from lxml import etree

from vmha.agents.cib import Configuration, number
from vmha.agents.protocol.errors import Unreachable
from vmha.heartbeat.doctor import located
from vmha.heartbeat.pacemaker import times
from vmha.heartbeat.pacemaker.inventory import Inventory, is_true

GUESTS = {("vmha", "VirtualMachine"), ("heartbeat", "VirtualDomain")}
WATCHDOG = "stonith:fence_watchdog"
_EMPTY = "<cib><configuration/></cib>"


class Resource(NamedTuple):
    """A primitive with its template's and its own settings.

    ``agent`` is as in ``ocf:vmha:VirtualMachine`` or ``stonith:fence_ipmilan``. The
    operations are as written, keyed by attribute name. ``has_rules`` tells that rules
    choose among several values, of which these are some.
    """

    id: str
    agent: str
    parameters: Mapping[str, str]
    meta: Mapping[str, str]
    utilization: Mapping[str, str]
    operations: tuple[Mapping[str, str], ...]
    is_clone: bool = False
    has_rules: bool = False

    @property
    def is_guest(self) -> bool:
        """Tell whether it is a virtual machine, ours or VirtualDomain's."""
        kind = tuple(self.agent.split(":")[1:])
        return self.agent.startswith("ocf:") and kind in GUESTS

    @property
    def is_device(self) -> bool:
        """Tell whether it is a fence device."""
        return self.agent.startswith("stonith:")

    def interval_s(self, operation: str) -> float | None:
        """Return the shortest interval of an operation that recurs, None without."""
        times = (seconds(op.get("interval", "0")) for op in self.named(operation))
        recurring = [time for time in times if time]
        return min(recurring) if recurring else None

    def named(self, operation: str) -> list[Mapping[str, str]]:
        """Return the configured operations of a name."""
        return [op for op in self.operations if op.get("name") == operation]


class Cib:
    """One reading of a cluster's configuration and status.

    What is asked of it again and again is worked out once: clusters have thousands of
    guests.
    """

    def __init__(self, root: etree._Element, is_rendered: bool = False) -> None:
        self.root = root
        self.is_rendered = is_rendered
        """It is what a cluster file would become; nothing runs by it."""
        # ElementTree's interface, which lxml's elements have too.
        self._asked: Any = Configuration(root)  # type: ignore[arg-type]

    @property
    def has_status(self) -> bool:
        """Tell whether a cluster that runs has written what it sees."""
        return self.root.find("status/node_state") is not None

    @cached_property
    def nodes(self) -> list[str]:
        """Return the names of the full members, sorted."""
        found = self.root.iterfind("configuration/nodes/node")
        members = [n for n in found if n.get("type", "member") in ("member", "normal")]
        return sorted(str(n.get("uname")) for n in members if n.get("uname"))

    @cached_property
    def down(self) -> list[str]:
        """Return the members that are not in the cluster now; none without a status.

        A member is in when Corosync and Pacemaker's controller both have it: "true" and
        "online", since Pacemaker 2.1.7 the times since when, 0 for not.
        """
        states = list(self.root.iterfind("status/node_state"))
        inside = {
            str(state.get("uname"))
            for state in states
            if _is_in(state.get("in_ccm"), "true")
            and _is_in(state.get("crmd"), "online")
        }
        return [node for node in self.nodes if states and node not in inside]

    @cached_property
    def standing_by(self) -> list[str]:
        """Return the members that are in standby: they vote and take no guest."""
        told = {node: self.node_attributes(node).get("standby") for node in self.nodes}
        return [n for n, text in told.items() if is_true(text) or text == "reboot"]

    @cached_property
    def in_maintenance(self) -> list[str]:
        """Return the members in maintenance: they keep their guests, and get none."""
        told = {n: self.node_attributes(n).get("maintenance") for n in self.nodes}
        return [node for node, text in told.items() if is_true(text)]

    @cached_property
    def properties(self) -> dict[str, str]:
        """Return the cluster's options; of several values the first set's."""
        sets = self.root.findall("configuration/crm_config/cluster_property_set")
        found: dict[str, str] = {}
        for one in sorted(sets, key=lambda s: -number(s.get("score", "0"))):
            for name, value in self._asked.nvpairs(one):
                found.setdefault(name, value)
        return found

    def option(self, *names: str) -> str | None:
        """Return an option under any of its spellings, None where it is not set."""
        properties = self.properties
        return next((properties[n] for n in names if n in properties), None)

    @property
    def operation_defaults(self) -> dict[str, str]:
        """Return the defaults of operations that hold for all resources."""
        sets = reversed(self.operation_default_sets)
        plain = [pairs for one, pairs in sets if one.find("rule") is None]
        return {n: v for pairs in plain for n, v in pairs.items()}

    @cached_property
    def operation_default_sets(self) -> list[tuple[etree._Element, dict[str, str]]]:
        """Return the sets of defaults of operations; of two the first one counts."""
        found = self.root.iterfind("configuration/op_defaults/meta_attributes")
        sets = sorted(found, key=lambda s: -number(s.get("score", "0")))
        return [(one, dict(self._asked.nvpairs(one))) for one in sets]

    @cached_property
    def resource_defaults(self) -> dict[str, str]:
        """Return the meta attributes that hold where a resource sets none itself."""
        sets = self.root.iterfind("configuration/rsc_defaults/meta_attributes")
        plain = [one for one in sets if one.find("rule") is None]
        return {n: v for one in reversed(plain) for n, v in self._asked.nvpairs(one)}

    @cached_property
    def resources(self) -> list[Resource]:
        """Return all primitives, sorted by id."""
        found = self.root.iterfind("configuration/resources//primitive")
        return sorted(self._resource(element) for element in found)

    @cached_property
    def guests(self) -> list[Resource]:
        """Return the virtual machines."""
        return [r for r in self.resources if r.is_guest]

    @cached_property
    def devices(self) -> list[Resource]:
        """Return the fence devices."""
        return [r for r in self.resources if r.is_device]

    def capacity(self, node: str) -> dict[str, str]:
        """Return what a node offers: its utilization attributes."""
        return self._capacities.get(node, {})

    def node_attributes(self, node: str) -> dict[str, str]:
        """Return a node's attributes, transient ones over permanent ones."""
        return self._attributes.get(node, {})

    def has_bringers(self, resource: str) -> bool:
        """Tell whether resources that are not everywhere are started before it."""
        return bool(self._asked.has_bringers(resource))

    def constraints(self, tag: str) -> Iterator[etree._Element]:
        """Yield the constraints of a kind, such as rsc_location."""
        return self.root.iterfind(f"configuration/constraints/{tag}")

    def levels(self) -> dict[str, list[list[str]]]:
        """Return the devices of each fencing level of each node, in their order.

        Only levels for a node by its name; those for a pattern or an attribute are
        under that text.
        """
        return self._levels

    @cached_property
    def _levels(self) -> dict[str, list[list[str]]]:
        found: dict[str, list[tuple[int, list[str]]]] = {}
        for level in self.root.iterfind("configuration/fencing-topology/*"):
            target = level.get("target") or level.get("target-pattern") or ""
            target = target or f"{level.get('target-attribute')}"
            devices = [d.strip() for d in str(level.get("devices")).split(",")]
            index = number(level.get("index", "0"))
            found.setdefault(target, []).append((index, devices))
        return {t: [d for _, d in sorted(levels)] for t, levels in found.items()}

    @cached_property
    def held(self) -> Inventory:
        """Return the resources as the planner reads them."""
        return Inventory(self.root)

    def inside(self, name: str) -> list[str]:
        """Return the primitives of a resource: its own id, or a group's or clone's."""
        return list(self.held.within(name))

    def locations(self, resource: str) -> list[etree._Element]:
        """Return the location constraints that reach a resource, however."""
        return self._locations.get(resource, [])

    def banned(self, resource: str) -> set[str]:
        """Return the nodes from which plain location constraints keep a resource."""
        mine = [e for e in self.locations(resource) if e.get("node")]
        return {
            str(e.get("node"))
            for e in mine
            if number(e.get("score", "0")) <= number("-INFINITY")
        }

    def history(self, resource: str) -> list[tuple[str, Mapping[str, str]]]:
        """Return nodes with the last results of a resource's operations there."""
        return self._history.get(resource, [])

    @cached_property
    def _history(self) -> dict[str, list[tuple[str, Mapping[str, str]]]]:
        found: dict[str, list[tuple[str, Mapping[str, str]]]] = defaultdict(list)
        for state in self.root.iterfind("status/node_state"):
            node = str(state.get("uname"))
            for rsc in state.iterfind("lrm/lrm_resources/lrm_resource"):
                name = str(rsc.get("id")).partition(":")[0]
                for op in rsc.iterfind("lrm_rsc_op"):
                    words = {str(k): str(v) for k, v in op.attrib.items()}
                    found[name].append((node, words))
        return found

    @cached_property
    def _capacities(self) -> dict[str, dict[str, str]]:
        return {node: dict(self._asked.capacity(node)) for node in self.nodes}

    @cached_property
    def _locations(self) -> dict[str, list[etree._Element]]:
        found: dict[str, list[etree._Element]] = defaultdict(list)
        for name, element in located.spelt_out(self.root, self.held, self.nodes):
            found[name].append(element)
        return found

    @cached_property
    def _attributes(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for element in self.root.iterfind("configuration/nodes/node"):
            own = found.setdefault(str(element.get("uname")), {})
            for one in element.iterfind("instance_attributes"):
                own.update(self._asked.nvpairs(one))
        return {n: {**own, **self._asked.attributes(n)} for n, own in found.items()}

    def _resource(self, element: etree._Element) -> Resource:
        name = str(element.get("id"))
        template = self._asked.template(element)
        owners = [o for o in (template, element) if o is not None]
        source = owners[0] if template is not None else element
        words = [source.get("class"), source.get("provider"), source.get("type")]
        sets = [s for o in owners for s in o.iterfind("instance_attributes")]
        has_rules = any(s.find("rule") is not None for s in sets)
        parameters = self._asked.parameters(name)
        if parameters is None:
            parameters = {k: v for s in sets for k, v in self._asked.nvpairs(s)}
        operations: dict[tuple[str, str], dict[str, str]] = {}
        for op in (op for o in owners for op in o.iterfind("operations/op")):
            key = str(op.get("name")), str(op.get("interval", "0"))
            # What stands at the operation itself counts over its sets.
            own = {str(k): str(v) for k, v in op.attrib.items()}
            operations[key] = {**self._asked.pairs(op, "meta_attributes"), **own}
        ancestors = {str(a.tag) for a in element.iterancestors()}
        return Resource(
            name,
            ":".join(str(word) for word in words if word),
            parameters,
            self._inherited(element, "meta_attributes"),
            self._inherited(element, "utilization"),
            tuple(operations.values()),
            bool(ancestors & {"clone", "master"}),
            has_rules,
        )

    def _inherited(self, element: etree._Element, tag: str) -> dict[str, str]:
        """Return a primitive's settings over its groups', clones' and template's."""
        outer = list(element.iterancestors("group", "clone", "master", "bundle"))
        template = self._asked.template(element)
        owners = [*reversed(outer), *([template] if template is not None else [])]
        found: dict[str, str] = {}
        for owner in (*owners, element):
            found.update(self._asked.pairs(owner, tag))
        return found


def parse(text: str, is_rendered: bool = False) -> Cib:
    """Parse a CIB; raises Unreachable for what is none."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreachable(f"the CIB is no XML: {error}") from error
    if root.tag != "cib":
        raise Unreachable(f"a CIB begins with <cib>, and this begins with <{root.tag}>")
    return Cib(root, is_rendered)


def nothing() -> Cib:
    """Return the CIB of a cluster that has not been asked: it has nothing in it."""
    return parse(_EMPTY)


def seconds(text: str) -> float:
    """Read a time as Pacemaker does, 0 for what is none."""
    return times.seconds(text) or 0.0


def _is_in(text: str | None, word: str) -> bool:
    return text == word or ((text or "").isdigit() and int(text or "0") > 0)
