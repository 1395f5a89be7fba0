"""The table as it is printed: a column for each agent, totals, reasons."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import table
from hosts import installed
from hosts.operation import PEER
from hosts.pair import Pair, bring_up

from behaviour.judge import SLOW, UNSAFE, WRONG
from behaviour.play import Cell, play
from behaviour.scenarios import SITUATIONS

COLUMNS = ("VirtualDomain", "vmha")
KILLED = -9


def run(only: str | None, as_json: Path | None) -> int:
    """Play the table with both agents and print it; 1 when ours has an unsafe cell."""
    columns: dict[str, list[Cell]] = {name: [] for name in COLUMNS}
    chosen = [s for s in SITUATIONS if not only or only.lower() in s.name.lower()]
    with tempfile.TemporaryDirectory() as folder:
        pair = bring_up(Path(folder))
        try:
            agents = _agents(pair)
            for number, situation in enumerate(chosen, 1):
                place = f"{number}/{len(chosen)} {situation.name}"
                print(place, file=sys.stderr, flush=True)
                for name in COLUMNS:
                    columns[name] += play(pair, agents[name], situation)
        finally:
            pair.end()
    for line in shown(columns):
        print(line)
    if as_json:
        told = {
            name: [asdict(cell) for cell in cells] for name, cells in columns.items()
        }
        as_json.write_text(json.dumps(told, indent=2) + "\n")
    return int(any(cell.mark == UNSAFE for cell in columns["vmha"]))


def _agents(pair: Pair) -> dict[str, Path]:
    installed.install(pair.beta)
    return {"VirtualDomain": PEER, "vmha": installed.install(pair.alpha)}


def shown(columns: dict[str, list[Cell]]) -> list[str]:
    """Return the table, the totals and the reasons."""
    wants = {s.name: s.allowed for s in SITUATIONS}
    rows = [("situation", "action", "OCF wants", *COLUMNS)]
    last = ""
    for cells in zip(*(columns[name] for name in COLUMNS)):
        first = cells[0]
        wanted = "|".join(map(str, sorted(wants[first.situation][first.action])))
        name = "" if first.situation == last else first.situation
        rows.append((name, first.action, wanted, *map(_words, cells)))
        last = first.situation
    lines = table.lines(rows, numbers_from=len(rows[0]))
    for name in COLUMNS:
        lines += ["", f"{name}: {_totals(columns[name])}"]
        lines += [
            f"  {cell.mark} {cell.situation}, {cell.action}: {cell.why}"
            for cell in columns[name]
            if cell.mark
        ]
    return lines


def _totals(cells: Sequence[Cell]) -> str:
    marks = Counter(cell.mark for cell in cells)
    counted = ", ".join(
        f"{marks[kind]} {kind.lower()}" for kind in (UNSAFE, SLOW, WRONG)
    )
    return f"{len(cells)} cells, {counted}"


def _words(cell: Cell) -> str:
    codes = ",".join("killed" if c == KILLED else str(c) for c in cell.codes)
    return f"{codes} {cell.mark}".strip()
