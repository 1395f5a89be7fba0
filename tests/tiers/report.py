"""What a run of the tiers looks like in the end: table, last line, JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .declared import BUDGET_S
from .outcome import Counts, Outcome


def total(outcomes: Sequence[Outcome]) -> Counts:
    """Add all tiers up."""
    result = Counts()
    for outcome in outcomes:
        result = result.plus(outcome.counts)
    return result


def minutes(seconds: float) -> str:
    """Write a time as m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def spent(outcomes: Sequence[Outcome], stage: str) -> float:
    """Add up the seconds that the tiers of one stage have used."""
    return sum(outcome.seconds for outcome in outcomes if outcome.stage == stage)


def tier_line(outcomes: Sequence[Outcome]) -> str:
    """Sum up the tier that has just ended, against the budget of its stage."""
    last = outcomes[-1]
    used, budget = spent(outcomes, last.stage), BUDGET_S[last.stage]
    over = ", over budget" if used > budget else ""
    return (
        f"== {last.name}: {words(last.counts)} in {minutes(last.seconds)}; {last.stage}"
        f" {minutes(used)} of {minutes(budget)}{over}"
        + "".join(f"; {remark}" for remark in last.remarks)
    )


def words(counts: Counts) -> str:
    """Name the three numbers; the last line of every run has this form."""
    return f"{counts.passed} passed, {counts.failed} failed, {counts.skipped} skipped"


def table(outcomes: Sequence[Outcome], set_up_s: float) -> list[str]:
    """Lay out one line per tier, with its stage's budget beside the stage's last."""
    lines = [f"{'tier':<10}{'passed':>8}{'failed':>8}{'skipped':>9}{'time':>8}  budget"]
    lines.append(f"{'set-up':<10}{'':>25}{minutes(set_up_s):>8}")
    for place, outcome in enumerate(outcomes):
        counts = outcome.counts
        line = (
            f"{outcome.name:<10}{counts.passed:>8}{counts.failed:>8}"
            f"{counts.skipped:>9}{minutes(outcome.seconds):>8}"
        )
        later = {other.stage for other in outcomes[place + 1 :]}
        if outcome.stage not in later:
            line += f"  {_against_budget(outcomes, outcome.stage)}"
        lines.append(line + "".join(f"  ({remark})" for remark in outcome.remarks))
    return lines


def _against_budget(outcomes: Sequence[Outcome], stage: str) -> str:
    used, budget = spent(outcomes, stage), BUDGET_S[stage]
    shown = f"{stage} {minutes(used)} of {minutes(budget)}"
    return f"{shown} OVER" if used > budget else shown


def write_json(
    path: Path, outcomes: Sequence[Outcome], seed: int, set_up_s: float
) -> None:
    """Write the same facts for machines; times in seconds."""
    facts = {
        "seed": seed,
        "set_up_s": round(set_up_s, 1),
        "tiers": [
            {
                "name": outcome.name,
                "seconds": round(outcome.seconds, 1),
                **outcome.counts._asdict(),
                "stage": outcome.stage,
                "stage_budget_s": BUDGET_S[outcome.stage],
                "remarks": list(outcome.remarks),
            }
            for outcome in outcomes
        ],
        **total(outcomes)._asdict(),
    }
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
