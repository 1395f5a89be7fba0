"""A CIB's location constraints, spelt out: the score of each primitive on each node.

Pure. Used by ``live`` and ``terms``. Facts from Pacemaker 2.1.5 (unpacking of location
constraints): ``rsc-pattern`` is an extended regular expression over the resources at
the top, "!" turns it round; a resource set gives each of its members the score; names
of nodes match in either case; in an opt-in cluster a resource runs only on nodes that a
constraint of it names; exclusive discovery is the same for one resource.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lxml import etree

from vmha.agents.cib import INFINITY, number
from vmha.heartbeat.pacemaker import choices
from vmha.heartbeat.pacemaker.inventory import NO, Inventory, members
from vmha.heartbeat.pacemaker.pairs import is_own
from vmha.heartbeat.planning.instructions import SYMMETRIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

ROLES = ("started", "slave", "unpromoted")
EXCLUSIVE = "exclusive"


class Score(NamedTuple):
    """A primitive's score on a node.

    ``is_own``: vmha wrote the constraint. ``is_absent``: there is none, and the cluster
    is opt-in.
    """

    resource: str
    node: str
    score: int
    is_own: bool = False
    is_absent: bool = False


class Unread(NamedTuple):
    """A constraint that has no words here: whom it names, and why.

    ``is_known``: what Pacemaker makes of it today is known all the same.
    """

    resources: frozenset[str]
    sentence: str
    is_known: bool = False


class Locations(NamedTuple):
    """All scores, in the order of the configuration, and what was not understood.

    What is forbidden because nothing allows it is there too.
    """

    scores: tuple[Score, ...]
    unread: tuple[Unread, ...]


class NotUnderstood(ValueError):
    """The planner does not know what Pacemaker makes of this; the text says why."""


class NoMember(NotUnderstood):
    """It names a node that is no member of the cluster; Pacemaker passes it over."""

    def __init__(self, node: str) -> None:
        super().__init__(f"its node {node} is no member of the cluster")


def read(cib: etree._Element, held: Inventory) -> Locations:
    """Return the scores that constraints give."""
    scores: list[Score] = []
    unread: list[Unread] = []
    exclusive: dict[str, set[str]] = {}
    reading = _Reading(cib, held)
    for one in cib.iterfind("configuration/constraints/rsc_location"):
        try:
            found = list(reading.scores(one))
        except NotUnderstood as why:
            unread.append(reading.unread(one, str(why), isinstance(why, NoMember)))
            continue
        scores += found
        if one.find("rule") is not None:
            why_not = "its rule is told as what it means for the nodes of today"
            unread.append(reading.unread(one, why_not, is_known=True))
        if one.get("resource-discovery") == EXCLUSIVE:
            for score in found:
                exclusive.setdefault(score.resource, set()).add(score.node)
    scores += _shut(reading, scores, exclusive, is_opt_in(held))
    return Locations(tuple(scores), tuple(unread))


def has_patterns(cib: etree._Element) -> bool:
    """Tell whether a constraint may reach resources of any name, also new ones."""
    found = cib.iterfind("configuration/constraints/rsc_location")
    return any(one.get("rsc-pattern") for one in found)


def is_opt_in(held: Inventory) -> bool:
    """Tell whether resources run only where a constraint names a node."""
    return held.options().get(SYMMETRIC, "true").lower() in NO


def _shut(
    reading: _Reading,
    scores: list[Score],
    exclusive: dict[str, set[str]],
    is_shut: bool,
) -> Iterator[Score]:
    """Yield the nodes that are closed to a resource because nothing opens them."""
    opened: dict[str, set[str]] = {}
    for one in scores:
        opened.setdefault(one.resource, set()).add(one.node)
    for name in reading.held.primitives:
        for node in reading.nodes:
            if node not in exclusive.get(name, reading.nodes):
                yield Score(name, node, -INFINITY)
            elif is_shut and node not in opened.get(name, ()):
                yield Score(name, node, -INFINITY, is_absent=True)


class _Reading:
    """The names that a CIB's constraints speak of."""

    def __init__(self, cib: etree._Element, held: Inventory) -> None:
        self.held = held
        elements = members(cib)
        self.nodes = [str(node.get("uname")) for node in elements]
        self._spelt = {name.lower(): name for name in reversed(self.nodes)}
        self._attributes = {
            str(node.get("uname")): {
                **held.attributes(node),
                "#uname": str(node.get("uname")),
                "#id": str(node.get("id")),
                "#kind": "cluster",
            }
            for node in elements
        }

    def unread(self, one: etree._Element, why: str, is_known: bool) -> Unread:
        """Return a constraint with why it is not, or not wholly, read."""
        named = frozenset(self._named_at_least(one))
        return Unread(named, f"constraint {one.get('id')}: {why}", is_known)

    def _named_at_least(self, one: etree._Element) -> set[str]:
        if one.get("rsc-pattern"):
            return set(self.held.primitives)
        names = {str(ref.get("id")) for ref in one.iter("resource_ref")}
        return set(self.held.reached({*names, str(one.get("rsc"))}))

    def scores(self, one: etree._Element) -> Iterator[Score]:
        """Yield what a constraint says; raises NotUnderstood."""
        if one.get("lifetime") or one.find("lifetime") is not None:
            raise NotUnderstood("it holds for a time, which the planner does not know")
        of_all = one.get("score")
        role = one.get("role")
        for resource, score, its_role in self._resources(one, of_all, role):
            if str(its_role or ROLES[0]).lower() not in ROLES:
                raise NotUnderstood("it is for a role")
            for node, value in self._places(one, score):
                yield Score(resource, node, value, is_own(one))

    def _resources(
        self, one: etree._Element, score: str | None, role: str | None
    ) -> Iterator[tuple[str, str | None, str | None]]:
        """Yield each primitive with the score and the role that hold for it."""
        sets = one.findall("resource_set")
        if one.get("rsc") and not sets:
            for name in self.held.reached([str(one.get("rsc"))]):
                yield name, score, role
        if one.get("rsc-pattern") and not sets:
            for name in self._matching(str(one.get("rsc-pattern"))):
                yield name, score, role
        for part in sets:
            refs = [str(ref.get("id")) for ref in part.iterfind("resource_ref")]
            for name in self.held.reached(refs):
                yield name, part.get("score") or score, part.get("role") or role

    def _matching(self, pattern: str) -> Iterator[str]:
        is_inverted = pattern.startswith("!")
        wanted = expression(pattern[1:] if is_inverted else pattern)
        for top in self.held.tops:
            if bool(wanted.search(str(top.get("id")))) != is_inverted:
                yield from self.held.within(str(top.get("id")))

    def _places(
        self, one: etree._Element, score: str | None
    ) -> Iterator[tuple[str, int]]:
        if one.get("node") and score:
            node = self._spelt.get(str(one.get("node")).lower())
            if node is None:
                raise NoMember(str(one.get("node")))
            yield node, number(score)
            return
        for rule in one.iterfind("rule"):
            yield from self._by_rule(rule)

    def _by_rule(self, rule: etree._Element) -> Iterator[tuple[str, int]]:
        """Yield the nodes that a rule matches, with its score."""
        if str(rule.get("role") or ROLES[0]).lower() not in ROLES:
            raise NotUnderstood("it is for a role")
        if rule.get("score-attribute") or rule.get("id-ref"):
            raise NotUnderstood("it has a rule with a score from elsewhere")
        if str(rule.get("boolean-op")).lower() == "or":
            # By such a rule Pacemaker weighs nodes that are away otherwise.
            raise NotUnderstood("it has a rule of alternatives")
        for node, attributes in self._attributes.items():
            holds = choices.holds(rule, attributes)
            if holds is None:
                raise NotUnderstood("it has a rule that the planner does not know")
            if holds:
                yield node, number(str(rule.get("score") or "0"))


# What means the same in POSIX and in Python: plain characters and plain sets of them,
# groups, and one quantifier after each.
_ONE = r"(?:[A-Za-z0-9_.#@%:,;=~/ -]|\\[.*+?()|^$]|\[\^?[A-Za-z0-9_.#@%:,;=/ -]+\]|\))"
_SAFE = re.compile(rf"(?:[$^|(]|{_ONE}[*+?]?)*")


def expression(pattern: str) -> re.Pattern[str]:
    """Return what an extended regular expression of POSIX matches; or NotUnderstood."""
    try:
        if _SAFE.fullmatch(pattern):
            return re.compile(pattern)
    except re.error:
        pass
    raise NotUnderstood(f"the planner cannot read its pattern {pattern!r}")
