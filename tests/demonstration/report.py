"""What the demo prints at its end, and the JSON it writes."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from lab.stages import STAGES

from .comparison import column, verdicts
from .settings import OURS, PEERS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .acts import Run

ROWS = (*STAGES, "total", "agents' share", "blackout", "back")
WHOSE = {
    "membership": "Corosync's: the node is given up",
    "pause before fencing": "Pacemaker's own",
    "fencing": "requested to confirmed",
    "pause before start": "Pacemaker's own",
    "start": "begun to the guest executing",
    "boot": "the guest's own, up to its first tick",
    "total": "cable cut to the guest executing",
    "agents' share": "fencing + start",
    "blackout": "of the guest in a live migration",
    "back": "cable in to member again (10 s self-test)",
}


def table(runs: Sequence[Run]) -> list[str]:
    """Medians in seconds, a row for each stage; with peers two columns and a ratio."""
    ours, peers = column(OURS.name, runs), column(PEERS.name, runs)
    if not ours.runs:
        return ["no run came to its end"]
    head = f"{'median, seconds':22}{f'vmha ({ours.runs})':>10}"
    if peers.runs:
        head += f"{f'peers ({peers.runs})':>12}{'ratio':>8}"
    lines = [head]
    for row in ROWS:
        line = f"{row:22}{ours.medians[row]:10.2f}"
        if peers.runs:
            theirs = peers.medians[row]
            ratio = f"{ours.medians[row] / theirs:8.2f}" if theirs > 0 else f"{'-':>8}"
            line += f"{theirs:12.2f}{ratio}"
        lines.append(f"{line}  {WHOSE[row]}")
    for verdict in verdicts(ours, peers):
        word = "held" if verdict.holds else "NOT HELD"
        lines.append(
            f"{verdict.what}: {verdict.ratio:.2f} of the peers', "
            f"at most {verdict.limit:.2f}: {word}"
        )
    return lines


def failures(runs: Sequence[Run]) -> list[str]:
    """What did not hold, in sentences; the peers' own failures do not count."""
    ours, peers = column(OURS.name, runs), column(PEERS.name, runs)
    found = [
        f"run {run.number}: {sentence}"
        for run in runs
        if run.agents == OURS.name
        for sentence in run.broken
    ]
    found += [
        f"{verdict.what} is {verdict.ratio:.2f} of the peers', more than "
        f"{verdict.limit:.2f}"
        for verdict in verdicts(ours, peers)
        if not verdict.holds
    ]
    return found


def write_json(file: Path, runs: Sequence[Run], suite: str, held: bool) -> None:
    """All runs and their medians, for programs; times in seconds."""
    ours, peers = column(OURS.name, runs), column(PEERS.name, runs)
    found = {
        "suite": suite,
        "held": held,
        "failures": failures(runs),
        "medians": {one.agents: one.medians for one in (ours, peers) if one.runs},
        "ratios": {
            verdict.what: {"ratio": verdict.ratio, "limit": verdict.limit}
            for verdict in verdicts(ours, peers)
        },
        "runs": [asdict(run) for run in runs],
    }
    file.write_text(json.dumps(found, indent=2) + "\n")
