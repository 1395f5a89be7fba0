"""Tables in plain text: what a terminal, a log and an issue show alike."""

from __future__ import annotations

from collections.abc import Sequence


def lines(rows: Sequence[Sequence[str]], numbers_from: int) -> list[str]:
    """Lay out rows, the heading first; later columns hold numbers, aligned right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    laid = []
    for row in rows:
        cells = [
            cell.rjust(width) if column >= numbers_from else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        laid.append("  ".join(cells).rstrip())
    return laid
