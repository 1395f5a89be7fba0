"""Tables show the same cells with rich and without, and plain ones are aligned."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping

import pytest

from vmha.heartbeat.command import tables
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.command.tables import Table

TABLE = Table(
    "What is where",
    ["guest", "MiB", "why"],
    [
        ["web1", "4096", "[bold]not markup[/bold]"],
        ["a-longer-name", "1", "it is: :smile: 10.0.0.1"],
    ],
    frozenset({"MiB"}),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def streams(out: io.StringIO, environ: Mapping[str, str] | None = None) -> Streams:
    return Streams(out, io.StringIO(), environ or {})


def shown(out: io.StringIO, environ: Mapping[str, str] | None = None) -> str:
    tables.show(streams(out, environ), TABLE)
    return out.getvalue()


def test_numbers_are_aligned_right_and_texts_left() -> None:
    assert tables.plain(TABLE) == [
        "What is where",
        "  guest           MiB  why",
        "  -------------  ----  -----------------------",
        "  web1           4096  [bold]not markup[/bold]",
        "  a-longer-name     1  it is: :smile: 10.0.0.1",
    ]


def test_what_is_piped_is_plain_even_where_rich_is_installed() -> None:
    assert shown(io.StringIO()).splitlines()[:-1] == tables.plain(TABLE)


def test_a_terminal_gets_the_same_words_from_rich() -> None:
    drawn = shown(Terminal())
    plain = re.sub(r"\x1b\[[0-9;]*m", "", drawn)
    assert drawn != plain, "no escape sequences: rich was not used"
    for cell in [*TABLE.columns, *TABLE.rows[0], *TABLE.rows[1], TABLE.title]:
        assert cell in plain


def test_no_color_is_heeded() -> None:
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown(Terminal(), {"NO_COLOR": "1"}))


def test_without_rich_a_terminal_gets_the_plain_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    assert shown(Terminal()).splitlines()[:-1] == tables.plain(TABLE)


def test_a_table_without_rows_is_not_shown() -> None:
    out = io.StringIO()
    tables.show(streams(out), TABLE._replace(rows=[]))
    assert out.getvalue() == ""
