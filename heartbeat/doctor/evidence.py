"""What the checks are given: a cluster file, a CIB, facts of nodes; each may be absent.

Made by ``command.check`` from files, from the cluster and from ``asking``; read by the
checks. It holds what was seen and, for all else, why it was not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vmha.heartbeat.doctor.cib import Cib, nothing
from vmha.heartbeat.doctor.reading import Reading

if TYPE_CHECKING:
    from vmha.heartbeat.clusterfile.content import ClusterFile
    from vmha.heartbeat.planning.outcome import Plan


@dataclass(frozen=True)
class Facts:
    """What ``vmha node-facts`` said on one node.

    ``offset_s`` is how far its clock is ahead of the asker's, give or take
    ``within_s``; None for facts from a file, which were asked some other day.
    """

    node: str
    told: Reading
    offset_s: float | None = None
    within_s: float = 0.0

    def part(self, name: str) -> Reading | None:
        """Return a part, None where the node could not tell it."""
        return self.told.part(name)

    def reason(self, name: str) -> str:
        """Return why a part was not told."""
        unknown = self.told.part("unknown")
        said = unknown.text(name) if unknown is not None else ""
        return said or "the node's answer has no such part"


@dataclass(frozen=True)
class Evidence:
    """All that is known.

    ``unasked`` holds the nodes that gave no facts and why. ``was_asked`` tells that
    nodes were to be asked: then what is missing is a failure and not a choice. ``cib``
    without nodes and resources stands for one that is not known (``has_cib``). ``plan``
    is the planner's answer to the failures that are to be survived, None with the
    reason where it could not be asked.
    """

    file: ClusterFile | None = None
    cib: Cib = field(default_factory=nothing)
    has_cib: bool = False
    facts: Mapping[str, Facts] = field(default_factory=dict)
    unasked: Mapping[str, str] = field(default_factory=dict)
    was_asked: bool = False
    plan: Plan | None = None
    why_no_plan: str = ""

    @property
    def wanted(self) -> int:
        """Return how many failures are to be survived."""
        return self.file.policy.tolerate if self.file is not None else 1

    @property
    def nodes(self) -> list[str]:
        """Return the names of all nodes that anything speaks of as the cluster's."""
        of_file = [n.name for n in self.file.nodes] if self.file else []
        known = set(self.cib.nodes) | set(of_file)
        return sorted(known or set(self.facts) | set(self.unasked))

    def parts(self, name: str) -> Iterator[tuple[str, Reading]]:
        """Yield each node that told a part of its facts, and that part."""
        for node in sorted(self.facts):
            part = self.facts[node].part(name)
            if part is not None:
                yield node, part

    def silent(self, name: str) -> Iterator[tuple[str, str]]:
        """Yield each node of which a part is not known, and why."""
        for node in self.nodes:
            if node in self.facts:
                if self.facts[node].part(name) is None:
                    yield node, self.facts[node].reason(name)
            else:
                yield node, self.unasked.get(node, "it was not asked")
