"""Medians of several runs, and the ratios between the suite and its peers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .acts import Run

# At most these shares of the peers' time; membership and Pacemaker's own pauses are the
# same for both.
LIMITS = {"total": 0.65, "agents' share": 0.35, "fencing": 0.25}


@dataclass(frozen=True)
class Column:
    """The medians of one set of agents, in seconds, by what was measured."""

    agents: str
    runs: int
    medians: dict[str, float]


@dataclass(frozen=True)
class Verdict:
    """One ratio, and the limit it was to keep."""

    what: str
    ratio: float
    limit: float

    @property
    def holds(self) -> bool:
        return self.ratio <= self.limit


def column(agents: str, runs: Sequence[Run]) -> Column:
    """The medians of the runs that came to their end."""
    whole = [run for run in runs if run.agents == agents and run.stages]
    measured: dict[str, list[float]] = {}
    for run in whole:
        values = {
            **run.stages,
            "total": run.total_s,
            "agents' share": run.ours_s,
            "blackout": run.migration.get("blackout_s", 0.0),
            "back": run.back_s,
        }
        for name, value in values.items():
            measured.setdefault(name, []).append(value)
    medians = {name: median(values) for name, values in measured.items()}
    return Column(agents, len(whole), medians)


def verdicts(ours: Column, peers: Column) -> list[Verdict]:
    """Whether the suite keeps its limits against the peers."""
    return [
        Verdict(what, ours.medians[what] / peers.medians[what], limit)
        for what, limit in LIMITS.items()
        if ours.medians.get(what) and peers.medians.get(what)
    ]
