"""The lines of ``vmha`` in the pages: all are understood, and the answers are true.

What needs files alone is run here. ``diff``, ``apply``, ``undo`` and the rest that asks
a cluster are run on one in tests/cluster (test_apply, test_doctor).
"""

from __future__ import annotations

import io
import re
import shlex
import shutil
from importlib import import_module
from pathlib import Path

import pytest
from clusters.examples import THREE

from vmha.agents.protocol import process
from vmha.heartbeat.command import table
from vmha.heartbeat.command.main import Parser, run
from vmha.heartbeat.command.streams import Streams

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs").glob("*.md"))
SAVED = ROOT / "tests/data/doctor/cib.xml"
KNOWN = {one.name: one for group in table.GROUPS.values() for one in group}
# These ask no cluster. The codes: done, a plan or a check that is not content.
FROM_FILES = ("plan", "render", "check --list", "check --cib", "check vmha.yaml")
CODES = (0, 1)


def blocks(page: Path) -> list[str]:
    """Return the blocks of a page that hold plain commands."""
    text = page.read_text("utf-8")
    return re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def lines() -> list[str]:
    """Return every command line of all pages, without what is said beside it."""
    every = [block for page in PAGES for block in blocks(page)]
    return [line.partition("  #")[0].strip() for line in "".join(every).splitlines()]


LINES = lines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages speak of, where no other tool is."""
    (tmp_path / "vmha.yaml").write_text(THREE, "utf-8")
    shutil.copy(SAVED, tmp_path / "saved.xml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(process, "PATH", "/nowhere")
    return tmp_path


def test_plain_commands_are_lines_of_vmha() -> None:
    """Others belong into a kind of block that tests/packages runs."""
    assert [line for line in LINES if not line.startswith("vmha ")] == []
    assert len(LINES) > len(table.CONFIGURATION)


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_a_page_is_understood(line: str) -> None:
    name, *words = shlex.split(line)[1:]
    module = import_module(KNOWN[name].module)
    parser = Parser(prog=f"vmha {name}", allow_abbrev=False)
    module.add(parser)
    assert parser.parse_args(words)


@pytest.mark.parametrize(
    "line", [x for x in LINES if x.removeprefix("vmha ").startswith(FROM_FILES)]
)
def test_a_line_that_needs_files_alone_answers(folder: Path, line: str) -> None:
    assert (folder / "vmha.yaml").exists()
    code, answer, beside = answered(line)
    assert code in CODES, beside
    assert answer or "-o" in line


@pytest.mark.parametrize("name", [one.name for one in table.CONFIGURATION])
def test_every_subcommand_explains_itself(name: str) -> None:
    out = io.StringIO()
    # argparse prints its help to the process's own output.
    assert run([name, "--help"], Streams(out, out, {})) == 0
    assert any(f"vmha {name}" in line for line in LINES)


def test_the_plan_that_is_shown_is_the_plan_of_the_file_shown(folder: Path) -> None:
    text = (ROOT / "docs/planning.md").read_text("utf-8")
    (file,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (folder / "vmha.yaml").write_text(file, "utf-8")
    _, answer, beside = answered("vmha plan vmha.yaml")
    assert shown.rstrip() in answer, answer + beside


def answered(line: str) -> tuple[int, str, str]:
    """Run a line; return its code, its answer and what it says beside that."""
    out, err = io.StringIO(), io.StringIO()
    code = run(shlex.split(line)[1:], Streams(out, err, {}))
    return code, out.getvalue(), err.getvalue()
