"""The moments of one failover and the stages between them; pure.

A moment is a time on the machine's monotonic clock in seconds, or None while it has not
been seen. The stages add up to the total: nothing hides between them.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence


@dataclasses.dataclass
class Failover:
    """When each thing was seen to happen.

    ``requested`` and ``confirmed`` are the fencer's own words, ``powered_off`` the
    instant at which the dead node's last process was gone, ``executes`` the first
    moment at which the guest's vCPU was seen running elsewhere.
    """

    suite: str
    guest: str
    dead: str
    cut: float
    lost: float | None = None
    requested: float | None = None
    powered_off: float | None = None
    confirmed: float | None = None
    start_begun: float | None = None
    executes: float | None = None
    first_tick: float | None = None

    def missing(self) -> list[str]:
        """Return the names of the moments not seen yet, in their order."""
        names = [name for name, _ in MOMENTS]
        return [name for name in names if getattr(self, name) is None]


MOMENTS = (
    ("lost", "membership lost"),
    ("requested", "fencing requested"),
    ("powered_off", "the node's last process gone"),
    ("confirmed", "power off proven"),
    ("start_begun", "start begun"),
    ("executes", "guest executes elsewhere"),
    ("first_tick", "guest's first tick"),
)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A span between two moments; ``ours`` tells whether an agent can shorten it."""

    name: str
    begin: str
    end: str
    ours: bool


STAGES = (
    Stage("membership (Corosync)", "cut", "lost", False),
    Stage("pause before fencing (Pacemaker)", "lost", "requested", False),
    Stage("fencing", "requested", "confirmed", True),
    Stage("pause before start (Pacemaker)", "confirmed", "start_begun", False),
    Stage("start", "start_begun", "executes", True),
)


def stage_s(failover: Failover, stage: Stage) -> float:
    """Return a stage's length in seconds; never negative by clock noise."""
    begin, end = getattr(failover, stage.begin), getattr(failover, stage.end)
    if begin is None or end is None:
        raise ValueError(f"{stage.name} was not seen from {stage.begin} to {stage.end}")
    return max(0.0, float(end - begin))


def total_s(failover: Failover) -> float:
    """Return the seconds from the cut until the guest executes elsewhere."""
    return stage_s(failover, Stage("total", "cut", "executes", False))


def own_s(failover: Failover) -> float:
    """Return the total without membership and Pacemaker's own pauses."""
    return sum(stage_s(failover, stage) for stage in STAGES if stage.ours)


def fencing_s(failover: Failover) -> float:
    """Return the seconds from the fencing request until its confirmation."""
    return stage_s(failover, STAGES[2])


@dataclasses.dataclass(frozen=True)
class Measure:
    """A figure that is compared, and the largest ratio at which the claim holds."""

    name: str
    of: Callable[[Failover], float]
    limit: float


MEASURES = (
    Measure("total, cut until the guest executes elsewhere", total_s, 0.65),
    Measure("total without membership and Pacemaker's pauses", own_s, 0.35),
    Measure("fencing, requested until confirmed", fencing_s, 0.25),
)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A measure's medians over the runs of two suites."""

    measure: Measure
    ours_s: float
    peers_s: float

    @property
    def ratio(self) -> float:
        """Return ours as a part of the peers'."""
        return self.ours_s / self.peers_s if self.peers_s else float("inf")

    @property
    def holds(self) -> bool:
        """Tell whether the ratio is within its limit."""
        return self.ratio <= self.measure.limit


def compare(ours: Sequence[Failover], peers: Sequence[Failover]) -> list[Comparison]:
    """Compare the medians of alternating runs."""
    return [
        Comparison(
            measure,
            statistics.median(measure.of(failover) for failover in ours),
            statistics.median(measure.of(failover) for failover in peers),
        )
        for measure in MEASURES
    ]
