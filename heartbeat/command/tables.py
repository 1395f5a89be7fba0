"""Tables for people: with rich on a terminal where it is installed, else plain text.

Called by the subcommands. Both show the same cells; what is piped is always plain, so
that grep and awk see the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vmha.heartbeat.command.streams import Streams

GAP = "  "


class Table(NamedTuple):
    """Rows of texts below a title; columns that are numbers are aligned right."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[str] = frozenset()


def show(streams: Streams, table: Table) -> None:
    """Write a table and an empty line; nothing for one without rows."""
    if not table.rows:
        return
    if not (streams.out.isatty() and _rich(streams, table)):
        for line in plain(table):
            streams.line(line)
    streams.line()


def plain(table: Table) -> list[str]:
    """Return the lines of a table in plain text."""
    cells = [list(table.columns), *(list(row) for row in table.rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(table.columns))]
    rule = ["-" * width for width in widths]
    return [
        table.title,
        *("  " + _line(table, row, widths) for row in [cells[0], rule, *cells[1:]]),
    ]


def _line(table: Table, row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if column in table.numbers else cell.ljust(width)
        for column, cell, width in zip(table.columns, row, widths)
    )
    return GAP.join(padded).rstrip()


def _rich(streams: Streams, table: Table) -> bool:
    """Write the table with rich; False where it is not installed."""
    try:
        from rich import box, console, text
        from rich import table as tables
    except ImportError:
        return False
    drawn = tables.Table(box=box.SIMPLE_HEAD, show_edge=False)
    for column in table.columns:
        justify = "right" if column in table.numbers else "left"
        drawn.add_column(text.Text(column), justify=justify, overflow="fold")
    for row in table.rows:
        drawn.add_row(*(text.Text(cell) for cell in row))
    screen = console.Console(
        file=streams.out,
        width=streams.width,
        no_color=not streams.has_colour,
        highlight=False,
    )
    screen.print(text.Text(table.title, style="bold"))
    screen.print(drawn)
    return True
