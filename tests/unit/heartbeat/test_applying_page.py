"""The commands of docs/applying.md are commands that there are."""

from __future__ import annotations

import io
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from vmha.heartbeat.command import table
from vmha.heartbeat.command.main import Parser, run
from vmha.heartbeat.command.streams import Streams

PAGE = Path(__file__).parents[3] / "docs/applying.md"
LINES = [
    line.partition("  #")[0].strip()
    for line in PAGE.read_text("utf-8").splitlines()
    if line.startswith("vmha ")
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_page_is_understood(line: str) -> None:
    name, *words = shlex.split(line)[1:]
    known = {one.name: one for one in table.CONFIGURATION}
    module = import_module(known[name].module)
    parser = Parser(prog=f"vmha {name}", allow_abbrev=False)
    module.add(parser)
    assert parser.parse_args(words)


@pytest.mark.parametrize("name", [one.name for one in table.CONFIGURATION])
def test_every_subcommand_explains_itself(name: str) -> None:
    out = io.StringIO()
    # argparse prints its help to the process's own output.
    assert run([name, "--help"], Streams(out, out, {})) == 0
    assert any(f"vmha {name}" in line for line in LINES)
