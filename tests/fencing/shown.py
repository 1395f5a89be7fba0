"""The table as it is printed: a column for each agent, totals, reasons."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from benchmarks import table
from contract import ocf_root

from fencing.judge import KILLED, SLOW, UNSAFE, WRONG
from fencing.play import Agent, Cell, ours, play, theirs
from fencing.scenarios import FENCING_S, SITUATIONS, Situation

AT_ONCE = 3
EXECUTABLE = "sbin/fence_vmha_ipmi"
INTRODUCTION = f"""\
Each call: exit code, answer, seconds, and the mark by the node's true power.
fence_ipmilan runs with lanplus=1 cipher=3. With the fencer, the fencing time is
{FENCING_S} s: an agent should end in 0.6 of it, and is killed at 1.2. With lost packets
each of five seeds is a run: the worst is shown, and how many were right. Several
situations are played at once: for times to compare, see tests/bench fencing.
"""


def run(only: str | None, as_json: Path | None) -> int:
    """Play the table with both agents and print it; 1 when ours has a bad cell.

    An interrupted run prints what it has, and fails.
    """
    chosen = [s for s in SITUATIONS if not only or only.lower() in s.name.lower()]
    pairs: list[tuple[Cell, Cell]] = []
    was_interrupted = False
    with tempfile.TemporaryDirectory() as folder:
        root = ocf_root.build(Path(folder))
        agents = (theirs(), ours(root / EXECUTABLE))
        try:
            for pair in _played(agents, chosen):
                pairs.append(pair)
        except KeyboardInterrupt:
            was_interrupted = True
    for line in shown(pairs):
        print(line)
    if as_json:
        names = [agent.name for agent in agents]
        told = {n: [asdict(pair[i]) for pair in pairs] for i, n in enumerate(names)}
        as_json.write_text(json.dumps(told, indent=2) + "\n")
    is_bad = any(own.mark for _, own in pairs)
    return int(is_bad or was_interrupted or not pairs)


def _played(
    agents: tuple[Agent, Agent], chosen: Sequence[Situation]
) -> Iterator[tuple[Cell, Cell]]:
    """Play each situation with both agents at once, some at a time; in order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [
            tuple(pool.submit(play, agent, situation) for agent in agents)
            for situation in chosen
        ]
        try:
            for number, (peer, own) in enumerate(waiting, 1):
                pair = peer.result(), own.result()
                told = ", ".join(cell.mark.lower() or "ok" for cell in pair)
                place = f"{number}/{len(chosen)} {pair[0].situation}"
                print(f"{place}: {told}", file=sys.stderr, flush=True)
                yield pair
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def shown(pairs: Sequence[tuple[Cell, Cell]]) -> list[str]:
    """Return the table, the totals and the reasons."""
    names = ("fence_ipmilan", "fence_vmha_ipmi")
    rows = [("situation", "action", *names)]
    rows += [
        (own.situation, own.action, _words(peer), _words(own)) for peer, own in pairs
    ]
    lines = [INTRODUCTION, *table.lines(rows, numbers_from=len(rows[0]))]
    for name, cells in zip(names, zip(*pairs)):
        lines += ["", f"{name}: {_totals(cells)}"]
        lines += [
            f"  {cell.mark} {cell.situation}, {cell.action}: {cell.why}"
            for cell in cells
            if cell.mark
        ]
    return lines


def _totals(cells: Sequence[Cell]) -> str:
    marks = Counter(cell.mark for cell in cells)
    kinds = (UNSAFE, SLOW, WRONG)
    counted = ", ".join(f"{marks[kind]} {kind.lower()}" for kind in kinds)
    return f"{len(cells)} situations, {counted}"


def _words(cell: Cell) -> str:
    code = "killed" if cell.exit_code == KILLED else str(cell.exit_code)
    answer = cell.stdout.removeprefix("Success: ").removeprefix("Status: ")
    many = f"{cell.runs - cell.bad}/{cell.runs}" if cell.runs > 1 else ""
    parts = (code, answer, f"{cell.seconds:.1f} s", cell.mark, many)
    return " ".join(part for part in parts if part)
