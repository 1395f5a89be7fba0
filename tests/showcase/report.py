"""Timelines and comparisons as text for people and as JSON for programs; pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from showcase.timeline import (
    MOMENTS,
    STAGES,
    Comparison,
    Failover,
    Measure,
    fencing_s,
    own_s,
    stage_s,
    total_s,
)

WIDTH = 50


def moment_line(failover: Failover, name: str) -> str:
    """Return the line that is printed when a moment has been seen."""
    words = dict(MOMENTS)[name]
    at_s = getattr(failover, name) - failover.cut
    return f"  {at_s:6.2f} s  {words}"


def stages_table(failover: Failover) -> str:
    """Return one failover's stages, seconds for each, and the total."""
    rows = [(stage.name, stage_s(failover, stage)) for stage in STAGES]
    lines = [f"  {name:<{WIDTH}} {seconds:6.2f} s" for name, seconds in rows]
    lines.append(
        f"  {'total until the guest executes':<{WIDTH}} {total_s(failover):6.2f} s"
    )
    return "\n".join(lines)


def columns(ours: Sequence[Failover], peers: Sequence[Failover]) -> str:
    """Return the stages' medians of both suites side by side, with their ratio."""
    head = f"  {'medians':<{WIDTH}} {ours[0].suite:>8} {peers[0].suite:>8} {'ratio':>6}"
    rows = [
        _row(stage.name, _of_stage(index), ours, peers) for index, stage in _indexed()
    ]
    rows.append(_row("total, cut until executing elsewhere", total_s, ours, peers))
    rows.append(_row("of it ours: fencing and start", own_s, ours, peers))
    return "\n".join([head, *rows])


def verdict_line(comparison: Comparison) -> str:
    """Return the sentence for one claim."""
    word = "holds" if comparison.holds else "FAILS"
    return (
        f"  {word}: {comparison.measure.name}: {comparison.ours_s:.2f} s against "
        f"{comparison.peers_s:.2f} s, ratio {comparison.ratio:.2f}, at most "
        f"{comparison.measure.limit:.2f}"
    )


def failover_json(failover: Failover) -> dict[str, Any]:
    """Return one failover for JSON: seconds since the cut, and the stages."""
    moments = {
        name: round(getattr(failover, name) - failover.cut, 3)
        for name, _ in MOMENTS
        if getattr(failover, name) is not None
    }
    return {
        "suite": failover.suite,
        "guest": failover.guest,
        "dead_node": failover.dead,
        "seconds_after_cut": moments,
        "stages_s": {s.name: round(stage_s(failover, s), 3) for s in STAGES},
        "total_s": round(total_s(failover), 3),
        "own_s": round(own_s(failover), 3),
        "fencing_s": round(fencing_s(failover), 3),
    }


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Return one comparison for JSON."""
    measure: Measure = comparison.measure
    return {
        "measure": measure.name,
        "ours_median_s": round(comparison.ours_s, 3),
        "peers_median_s": round(comparison.peers_s, 3),
        "ratio": round(comparison.ratio, 3),
        "limit": measure.limit,
        "holds": comparison.holds,
    }


def document(
    failovers: Sequence[Failover],
    comparisons: Sequence[Comparison],
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the whole story for JSON."""
    return {
        **more,
        "failovers": [failover_json(failover) for failover in failovers],
        "comparisons": [comparison_json(comparison) for comparison in comparisons],
    }


def _indexed() -> list[tuple[int, Any]]:
    return list(enumerate(STAGES))


def _of_stage(index: int) -> Callable[[Failover], float]:
    return lambda failover: stage_s(failover, STAGES[index])


def _row(
    name: str,
    measure: Callable[[Failover], float],
    ours: Sequence[Failover],
    peers: Sequence[Failover],
) -> str:
    left = statistics.median(measure(failover) for failover in ours)
    right = statistics.median(measure(failover) for failover in peers)
    ratio = f"{left / right:6.2f}" if right > 0.05 else "     -"
    return f"  {name:<{WIDTH}} {left:6.2f} s {right:6.2f} s {ratio}"
