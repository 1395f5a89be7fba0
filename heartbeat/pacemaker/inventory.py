"""The resources of a CIB, whoever made it: what there is, in what, and how it is set.

Pure. Used by ``live`` and what reads for it. Source of the format and of what counts
over what: Pacemaker Explained ("Resource Meta-Attributes", "Rules", "Tagging").
"""

from __future__ import annotations

from functools import cached_property

from lxml import etree

from vmha.agents.cib import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NO = ("false", "no", "off", "n", "0")
YES = ("true", "yes", "on", "y", "1")
OPTIONS = "cluster_property_set"
COLLECTIVE = ("group", "clone", "master", "bundle")


class Inventory:
    """One reading of a CIB's resources.

    ``tops`` are the elements of resources that stand in no other, ``primitives`` all
    primitives by id, both in the order of the configuration; ``metas`` are their meta
    attributes with their template's, their group's and the defaults. ``ruled`` are
    primitives of which a rule decides over meta attributes or sizes.
    """

    def __init__(self, cib: etree._Element) -> None:
        self._cib = cib
        self._by_id = {
            str(one.get("id")): one
            for one in cib.iterfind("configuration//*")
            if one.get("id") and one.tag not in ("resource_ref", "obj_ref", "role")
        }
        self.tops = [
            one
            for one in cib.iterfind("configuration/resources/*")
            if one.tag in ("primitive", *COLLECTIVE)
        ]
        self.primitives = {
            str(one.get("id")): one
            for one in cib.iterfind("configuration/resources//primitive")
        }
        self.tags = {
            str(tag.get("id")): [str(ref.get("id")) for ref in tag.iter("obj_ref")]
            for tag in cib.iterfind("configuration/tags/tag")
        }
        self._made_from: dict[str, list[str]] = {}
        for name, one in self.primitives.items():
            self._made_from.setdefault(str(one.get("template")), []).append(name)
        defaults = cib.find("configuration/rsc_defaults")
        self.has_ruled_defaults = self._has_rule(defaults, "meta_attributes")
        self.metas = {
            name: {
                **self._pairs(defaults, "meta_attributes"),
                **self._pairs(one.getparent(), "meta_attributes"),
                **self._pairs(self.template(one), "meta_attributes"),
                **self._pairs(one, "meta_attributes"),
            }
            for name, one in self.primitives.items()
        }
        self.ruled = {name for name in self.primitives if self._is_ruled(name)}

    @property
    def kinds(self) -> dict[str, str]:
        """Return the agent's type of each primitive, whoever provides it."""
        found = {}
        for name, one in self.primitives.items():
            template = self.template(one)
            source = one if template is None else template
            found[name] = str(source.get("type"))
        return found

    def template(self, one: etree._Element) -> etree._Element | None:
        """Return the template that a primitive is made from, None without one."""
        return self._by_id.get(str(one.get("template") or ""))

    def top(self, name: str) -> etree._Element:
        """Return the resource at the top that holds a primitive: itself, or a group."""
        one = self.primitives[name]
        parent = one.getparent()
        while parent is not None and parent.tag in COLLECTIVE:
            one, parent = parent, parent.getparent()
        return one

    def is_alone(self, name: str) -> bool:
        """Tell whether a primitive is placed by itself, also as all of a group."""
        top = self.top(name)
        if top.tag == "group":
            return len(top.findall("primitive")) == 1
        return top is self.primitives[name]

    def named(self, name: str) -> tuple[str, ...]:
        """Return the resources that a constraint's name stands for.

        It is a resource's own, a tag's, or that of a template, which stands for all
        that are made from it.
        """
        if name in self.tags:
            return tuple(self.tags[name])
        one = self._by_id.get(name)
        if one is not None and one.tag == "template":
            return tuple(self._made_from.get(name, ()))
        return (name,)

    def within(self, name: str) -> tuple[str, ...]:
        """Return the primitives that a resource is, or holds."""
        one = self._by_id.get(name)
        if one is None or one.tag not in ("primitive", *COLLECTIVE):
            return ()
        return tuple(str(e.get("id")) for e in one.iter("primitive"))

    def reached(self, names: Iterable[str]) -> list[str]:
        """Return the primitives that names in a constraint reach."""
        return [
            primitive
            for name in names
            for resource in self.named(name)
            for primitive in self.within(resource)
        ]

    def collective(self, name: str) -> etree._Element | None:
        """Return a group, clone or bundle of this name, None if there is none."""
        one = self._by_id.get(name)
        return one if one is not None and one.tag in COLLECTIVE else None

    def options(self) -> dict[str, str]:
        """Return the cluster's options; the set with the higher score counts."""
        return self._pairs(self._cib.find("configuration/crm_config"), OPTIONS)

    @cached_property
    def sizes(self) -> dict[str, dict[str, str]]:
        """Return what each primitive is said to need."""
        return {
            name: {
                **self._pairs(self.template(one), "utilization"),
                **self._pairs(one, "utilization"),
            }
            for name, one in self.primitives.items()
        }

    def offers(self, node: etree._Element) -> dict[str, str]:
        """Return what a node is said to have."""
        return self._pairs(node, "utilization")

    def settings(self, one: etree._Element) -> dict[str, str]:
        """Return the meta attributes that an element itself has."""
        return self._pairs(one, "meta_attributes")

    def attributes(self, node: etree._Element) -> dict[str, str]:
        """Return a node's attributes, transient ones over permanent ones."""
        found = self._pairs(node, "instance_attributes")
        for state in self._cib.iterfind("status/node_state"):
            if state.get("id") == node.get("id"):
                transient = state.find("transient_attributes")
                found.update(self._pairs(transient, "instance_attributes"))
        return found

    def _is_ruled(self, name: str) -> bool:
        one = self.primitives[name]
        owners = (one, self.template(one), one.getparent())
        tags = ("meta_attributes", "utilization")
        return any(self._has_rule(owner, tag) for owner in owners for tag in tags)

    def _has_rule(self, owner: etree._Element | None, tag: str) -> bool:
        return any(one.find("rule") is not None for one in self._sets(owner, tag))

    def _pairs(self, owner: etree._Element | None, tag: str) -> dict[str, str]:
        """Return names and values of an owner's sets, those with a rule left out."""
        found: dict[str, str] = {}
        for one in sorted(self._sets(owner, tag), key=_rank):
            if one.find("rule") is None:
                for pair in one.iterfind("nvpair"):
                    target = self._by_id.get(str(pair.get("id-ref")), pair)
                    name = str(pair.get("name") or target.get("name"))
                    found.setdefault(name, str(target.get("value") or ""))
        return found

    def _sets(self, owner: etree._Element | None, tag: str) -> Iterator[etree._Element]:
        for one in owner.iterfind(tag) if owner is not None else ():
            yield self._by_id.get(str(one.get("id-ref")), one)


def _rank(one: etree._Element) -> tuple[bool, int]:
    """Return which set counts over which: Pacemaker's own, then by score."""
    is_first = one.get("id") == "cib-bootstrap-options"
    return not is_first, -number(str(one.get("score", "0")))


def members(cib: etree._Element) -> list[etree._Element]:
    """Return the cluster's members by name; guest nodes and remotes are none."""
    found = [
        node
        for node in cib.iterfind("configuration/nodes/node")
        if node.get("type", "member") in ("member", "normal")
    ]
    return sorted(found, key=lambda node: str(node.get("uname")))


def is_true(text: str | None) -> bool:
    """Tell whether Pacemaker reads a text as true."""
    return str(text).lower() in YES
