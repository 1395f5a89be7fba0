"""What one failure does, in names: which guests run where, which stay down and why.

The shape is the one that ``vmha plan --json`` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Unplaced(NamedTuple):
    """A guest that does not run afterwards; ``reason`` is a code of ``reasons``."""

    guest: str
    reason: str
    text: str


class Preempted(NamedTuple):
    """A guest that is stopped on a node that survives.

    ``for_guest`` is the guest that has its place; None if no single guest has it.
    """

    guest: str
    from_node: str
    to: str | None
    for_guest: str | None


class Moved(NamedTuple):
    """A guest that leaves a node that survives, for another one."""

    guest: str
    from_node: str
    to: str


class Free(NamedTuple):
    """What is free on a node; less than nothing where it is over-full today."""

    cpu: int
    memory_mib: int


class Outcome(NamedTuple):
    """What Pacemaker does when these nodes are lost together.

    ``could_place`` are guests that a better packing would start besides, with every
    survivor left where it is.
    """

    lost: tuple[str, ...]
    placed: Mapping[str, str]
    unplaced: tuple[Unplaced, ...] = ()
    preempted: tuple[Preempted, ...] = ()
    moved: tuple[Moved, ...] = ()
    could_place: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as the command prints it."""
        return {
            "lost": list(self.lost),
            "placed": dict(self.placed),
            "unplaced": [entry._asdict() for entry in self.unplaced],
            "preempted": [
                {"guest": guest, "from": source, "to": to, "for": cause}
                for guest, source, to, cause in self.preempted
            ],
            "moved": [
                {"guest": guest, "from": source, "to": to}
                for guest, source, to in self.moved
            ],
            "could_place": list(self.could_place),
        }


class Plan(NamedTuple):
    """The answer for all failures that were examined.

    ``exact`` is whether the search for better packings came to its end.
    ``reservation`` is the most that the guests of any one failure take on each node.
    ``is_certain`` is whether all that ``tolerates`` claims, and more that it does not,
    is known: where it is false, only what Pacemaker has confirmed is claimed.
    """

    tolerates: int
    exact: bool
    warnings: tuple[str, ...]
    failures: tuple[Outcome, ...]
    headroom: Mapping[str, Free]
    reservation: Mapping[str, Free]
    is_certain: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return it as ``vmha plan --json`` prints it."""
        return {
            "tolerates": self.tolerates,
            "exact": self.exact,
            "warnings": list(self.warnings),
            "failures": [outcome.as_json() for outcome in self.failures],
            "headroom": {name: free._asdict() for name, free in self.headroom.items()},
        }
