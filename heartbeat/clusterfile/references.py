"""Names that a cluster file uses: each is one that it declares, and once in a list.

Called by ``reading`` on the document as written, also where other parts of it are
wrong, so that one reading finds everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from vmha.heartbeat.clusterfile.document import Path, Section, line_of, path_text
from vmha.heartbeat.clusterfile.errors import Problem
from vmha.heartbeat.clusterfile.guesses import Guesser, listed
from vmha.heartbeat.clusterfile.places import Places
from vmha.heartbeat.clusterfile.schema import RULES


def places_of(root: Section) -> Places:
    """Return the nodes and racks that a document declares."""
    racks: dict[str, str | None] = {}
    for name, node in root.section("nodes").sections():
        rack = node.get("rack")
        racks[name] = rack if isinstance(rack, str) else None
    return Places(racks)


def problems(root: Section, places: Places, guesser: Guesser) -> list[Problem]:
    """Return every name that means nothing, and every one that is listed twice."""
    check = _Check(root, places, guesser)
    return [
        *check.names(),
        *check.racks(),
        *check.addresses(),
        *check.guests(),
        *check.rules(),
    ]


class _Check:
    """The checks of one document."""

    def __init__(self, root: Section, places: Places, guesser: Guesser) -> None:
        self._root = root
        self._places = places
        self._guesser = guesser
        self._guests = root.section("guests")

    def _at(self, path: Path, sentence: str) -> Problem:
        return Problem(line_of(self._root, path), path_text(path), sentence)

    def names(self) -> Iterator[Problem]:
        """Two nodes are not told apart by case: host names have none (RFC 4343).

        Pacemaker compares them so: with N1 beside n1, crm_simulate 2.1.5 plays a start
        on the one as done on the other, and ends with a failed assertion.
        """
        seen: dict[str, str] = {}
        for name in self._root.section("nodes"):
            first = seen.setdefault(name.lower(), name)
            if first != name:
                sentence = (
                    f"node {name} differs from node {first} only in case, "
                    "which does not count in host names; rename one of them"
                )
                yield self._at(("nodes", name), sentence)

    def racks(self) -> Iterator[Problem]:
        """A node without rack is its own rack, so that name is taken."""
        for name, node in self._root.section("nodes").sections():
            rack = node.get("rack")
            if isinstance(rack, str) and rack != name and self._is_own_rack(rack):
                sentence = (
                    f"rack {rack} has the name of node {rack}, which is its own rack; "
                    "rename the rack, or give that node one"
                )
                yield self._at(("nodes", name, "rack"), sentence)

    def _is_own_rack(self, name: str) -> bool:
        nodes = self._root.section("nodes")
        return name in nodes and nodes.section(name).get("rack") is None

    def addresses(self) -> Iterator[Problem]:
        """An address belongs to one node, once."""
        seen: dict[str, str] = {}
        for name, node in self._root.section("nodes").sections():
            for at, address in node.texts("addresses"):
                if address in seen:
                    path = ("nodes", name, "addresses", at)
                    sentence = f"address {address} is already that of {seen[address]}"
                    yield self._at(path, f"{sentence}; give each its own")
                seen.setdefault(address, name)

    def guests(self) -> Iterator[Problem]:
        """What guests name: classes, nodes, what they start after."""
        classes = self._root.section("classes")
        for name, guest in self._guests.sections():
            path: Path = ("guests", name)
            given = guest.get("class")
            if isinstance(given, str) and given not in classes:
                yield self._unknown((*path, "class"), "class", given, classes)
            node = guest.get("runs_on")
            if isinstance(node, str) and node not in self._places.rack_of:
                known = self._places.rack_of
                yield self._unknown((*path, "runs_on"), "node", node, known)
            yield from self._nodes(guest, (*path, "prefer"), with_racks=False)
            yield from self._twice(guest, (*path, "after"))

    def rules(self) -> Iterator[Problem]:
        """What rules name: guests, nodes, racks."""
        rules = self._root.get("rules")
        for at, rule in enumerate(rules if isinstance(rules, list) else ()):
            if not isinstance(rule, Section):
                continue
            for kind in RULES:
                path: Path = ("rules", at, kind)
                for place, guest in rule.texts(kind):
                    if guest not in self._guests:
                        where = (*path, place)
                        yield self._unknown(where, "guest", guest, self._guests)
                yield from self._twice(rule, path)
            for key in ("to", "nodes"):
                yield from self._nodes(rule, ("rules", at, key), with_racks=True)

    def _nodes(
        self, owner: Section, path: Path, *, with_racks: bool
    ) -> Iterator[Problem]:
        key = str(path[-1])
        known = self._places.names() if with_racks else list(self._places.rack_of)
        for at, name in owner.texts(key):
            if with_racks and self._places.knows(name):
                continue
            if name not in known:
                kind = "node or rack" if with_racks else "node"
                yield self._unknown((*path, at), kind, name, known)
        yield from self._twice(owner, path)

    def _unknown(
        self, path: Path, kind: str, name: str, known: Collection[str]
    ) -> Problem:
        guess = self._guesser.meant(name, known)
        sentence = f"there is no {kind} {name!r}{guess}; known: {listed(known)}"
        return self._at(path, sentence)

    def _twice(self, owner: Section, path: Path) -> Iterator[Problem]:
        seen: set[str] = set()
        for at, name in owner.texts(str(path[-1])):
            if name in seen:
                yield self._at((*path, at), f"{name} is listed twice; name it once")
            seen.add(name)
