"""Nodes by name and by rack: what ``to``, ``nodes`` and ``rack:NAME`` stand for.

Called by reading, by ``planned`` and by whoever renders rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

PREFIX = "rack:"


class Places:
    """The nodes of a cluster and their racks; a node without rack is its own."""

    def __init__(self, rack_of: Mapping[str, str | None]) -> None:
        self.rack_of = {node: rack or node for node, rack in sorted(rack_of.items())}
        self._nodes_of: dict[str, list[str]] = {}
        for node, rack in self.rack_of.items():
            self._nodes_of.setdefault(rack, []).append(node)

    @property
    def nodes(self) -> frozenset[str]:
        """Return every node."""
        return frozenset(self.rack_of)

    def names(self) -> list[str]:
        """Return everything that may stand in ``to`` or ``nodes``."""
        racks = [PREFIX + rack for rack in self._nodes_of]
        return sorted([*self.rack_of, *racks])

    def knows(self, place: str) -> bool:
        """Tell whether a place is a node or a rack of this cluster."""
        if place.startswith(PREFIX):
            return place.removeprefix(PREFIX) in self._nodes_of
        return place in self.rack_of

    def resolved(self, places: Iterable[str]) -> tuple[str, ...]:
        """Return the nodes that these places stand for, sorted; unknown ones not."""
        found: set[str] = set()
        for place in places:
            if place.startswith(PREFIX):
                found.update(self._nodes_of.get(place.removeprefix(PREFIX), ()))
            elif place in self.rack_of:
                found.add(place)
        return tuple(sorted(found))
