"""A failover in stages: how long each took, and whose time it was.

Made from a Story and a Watch, after the fact or while it happens. The instants follow
one another; a stage is the time between two of them. ``membership`` is Corosync's,
``pause before fencing`` and ``pause before start`` are Pacemaker's, ``fencing`` and
``start`` are the agents', ``boot`` is the guest's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .events import Story
    from .watch import Watch

INSTANTS = (
    "membership lost",
    "fencing requested",
    "power off proven",
    "start begun",
    "guest executes",
    "first tick",
)
STAGES = {
    "membership": "membership lost",
    "pause before fencing": "fencing requested",
    "fencing": "power off proven",
    "pause before start": "start begun",
    "start": "guest executes",
    "boot": "first tick",
}
OURS = ("fencing", "start")


@dataclass
class Failover:
    """A guest's way from a lost node to another one, from ``began_s`` (monotonic)."""

    guest: str
    node: str
    began_s: float
    reached_s: dict[str, float] = field(default_factory=dict)

    def look(self, story: Story, watch: Watch) -> list[str]:
        """Take in what is known by now; returns the instants that are new."""
        survivors = [
            event
            for event in story.since(self.began_s)
            if event.by not in (self.node, f"{self.node}-bmc")
        ]
        wanted = {
            ("lost", self.node): "membership lost",
            ("fencing requested", self.node): "fencing requested",
            ("fencing confirmed", self.node): "power off proven",
            ("start begun", self.guest): "start begun",
        }
        found: dict[str, float] = {}
        for event in survivors:
            name = wanted.get((event.kind, event.subject))
            if name is not None and event.result in ("", "OK"):
                found.setdefault(name, event.time_s)
        executes = watch.first_execution(self.guest, self.began_s, not_on=self.node)
        tick = watch.first_tick(self.guest, self.began_s, not_on=self.node)
        if executes is not None:
            found["guest executes"] = executes
        if tick is not None:
            found["first tick"] = tick.time_s
        new = [
            name for name in INSTANTS if name in found and name not in self.reached_s
        ]
        self.reached_s.update({name: found[name] for name in new})
        return new

    def complete(self) -> bool:
        """Whether the guest ticks elsewhere and every instant before is known."""
        return all(name in self.reached_s for name in INSTANTS)

    def after_s(self, instant: str) -> float:
        """Seconds from the beginning to an instant."""
        return self.reached_s[instant] - self.began_s

    def stages(self) -> dict[str, float]:
        """The length of each stage in seconds."""
        found: dict[str, float] = {}
        last = self.began_s
        for stage, end in STAGES.items():
            found[stage] = self.reached_s[end] - last
            last = self.reached_s[end]
        return found

    def total_s(self) -> float:
        """From the loss to the guest executing elsewhere."""
        return self.after_s("guest executes")

    def ours_s(self) -> float:
        """What the agents took: without membership and Pacemaker's own pauses."""
        stages = self.stages()
        return sum(stages[name] for name in OURS)
