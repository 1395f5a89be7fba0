"""One command line from its words to its exit code, whatever goes wrong on the way."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from unit.heartbeat.clusterfile.texts import BASE

from vmha.agents.protocol.errors import Unreachable
from vmha.heartbeat.clusterfile.errors import BadClusterFile, Problem
from vmha.heartbeat.command import main, table
from vmha.heartbeat.command.errors import CannotDo
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.planning import failures
from vmha.heartbeat.planning.model import Cluster, Node


class Ran:
    """What one run has written and ended with."""

    def __init__(self, *words: str) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        self.code = main.run(words, Streams(self.out, self.err, {}))


@pytest.fixture
def ends_with(monkeypatch: pytest.MonkeyPatch) -> object:
    """Return a function that makes every subcommand end with an exception."""

    def make(error: BaseException) -> None:
        def run(*_: object) -> int:
            raise error

        module = SimpleNamespace(DESCRIPTION="", EXAMPLES="", add=_accept, run=run)
        monkeypatch.setattr(main, "import_module", lambda _: module)

    return make


def _accept(parser: object) -> None:
    parser.add_argument("--json", action="store_true")  # type: ignore[attr-defined]


ENDS = [
    (CannotDo("it is so.", "--x"), 2, None, "--x", "it is so."),
    (Unreachable("nobody answers"), 2, None, "", "nobody answers"),
    (
        BadClusterFile("f", [Problem(7, "guests.a", "wrong")]),
        2,
        7,
        "guests.a",
        "wrong",
    ),
]


@pytest.mark.parametrize(("error", "code", "line", "path", "message"), ENDS)
def test_what_is_raised_is_told_as_json_with_exit_code_2(
    ends_with: object,
    error: Exception,
    code: int,
    line: int | None,
    path: str,
    message: str,
) -> None:
    ends_with(error)  # type: ignore[operator]
    ran = Ran("plan", "--json")
    assert ran.code == code
    expected = {"line": line, "path": path, "message": message}
    assert json.loads(ran.out.getvalue()) == {"errors": [expected]}


def test_a_defect_is_told_apart_from_bad_input(ends_with: object) -> None:
    ends_with(ZeroDivisionError("oops"))  # type: ignore[operator]
    ran = Ran("plan")
    assert ran.code == 3
    last = ran.err.getvalue().splitlines()[-1]
    assert (
        last
        == "vmha: unexpected ZeroDivisionError: oops; a defect of vmha, please report"
    )


def test_ctrl_c_is_no_defect(ends_with: object) -> None:
    ends_with(KeyboardInterrupt())  # type: ignore[operator]
    ran = Ran("plan")
    assert (ran.code, ran.err.getvalue()) == (130, "vmha: interrupted\n")


def test_names_of_subcommands_are_unique_and_in_one_column() -> None:
    listed = [command for group in table.GROUPS.values() for command in group]
    names = [command.name for command in (*listed, *table.INTERNAL)]
    assert len(names) == len(set(names))
    starts = {
        line.index(command.summary)
        for command in listed
        for line in main.help_text().splitlines()
        if command.summary in line
    }
    assert len(starts) == 1


def test_a_plan_tells_each_failure_and_the_last_is_the_end() -> None:
    node = Node("n1", 1, 1, "n1")
    cluster = Cluster((node, node._replace(name="n2", rack="n2")), ())
    told: list[tuple[int, int]] = []
    failures.plan(cluster, progress=lambda done, steps: told.append((done, steps)))
    assert told == [(1, 2), (2, 2)]


def test_a_plan_of_racks_does_not_hold_where_too_few_nodes_may_be_lost(
    tmp_path: Path,
) -> None:
    """Of three nodes each in a rack of its own, any one may go, and no two."""
    path = tmp_path / "vmha.yaml"
    path.write_text(BASE, encoding="utf-8")
    words = ("plan", str(path), "--no-confirm", "--failures", "rack", "--json")
    assert Ran(*words, "--tolerate", "1").code == 0
    ran = Ran(*words, "--tolerate", "2")
    answer = json.loads(ran.out.getvalue())
    assert (ran.code, answer["tolerates"]) == (1, 1)
    assert any("not that of any 2 nodes" in one for one in answer["warnings"])


def test_progress_is_for_a_person_and_goes_before_anything_else_is_said() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    piped, terminal = io.StringIO(), Terminal()
    for err in (piped, terminal):
        streams = Streams(io.StringIO(), err, {})
        streams.progress("1 of 2")
        streams.say("done")
    assert piped.getvalue() == "done\n"
    assert terminal.getvalue() == "\r\x1b[K1 of 2\r\x1b[Kdone\n"


@pytest.mark.parametrize("text", ["1e999", "inf", "nan", "-5", "0", "3601", "soon"])
@pytest.mark.parametrize(
    "words", [("import",), ("diff", "f"), ("apply", "f"), ("undo",)]
)
def test_a_time_that_cannot_be_waited_for_is_refused(
    words: tuple[str, ...], text: str
) -> None:
    """Before anything is read, and with what is accepted."""
    ran = Ran(*words, f"--timeout={text}", "--json")
    assert ran.code == 2
    (error,) = json.loads(ran.out.getvalue())["errors"]
    assert f"{text!r} is no number of seconds above 0" in error["message"]


@pytest.mark.parametrize("text", ["inf", "nan", "0", "x"])
def test_a_watch_at_intervals_that_never_end_is_refused(text: str) -> None:
    ran = Ran("status", f"--watch={text}")
    assert ran.code == 2
    assert f"{text!r} is no number of seconds above 0" in ran.err.getvalue()


def test_a_capacity_that_is_none_is_told_before_the_cluster_is_asked() -> None:
    ran = Ran("import", "--capacity", "x")
    assert ran.code == 2
    assert "'x' is no CPU,MEMORY_MIB" in ran.err.getvalue()


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGTERM, 143, "vmha: terminated\n"),
        (signal.SIGINT, 130, "vmha: interrupted\n"),
    ],
)
def test_a_run_that_is_ended_from_outside_clears_up_and_says_so(
    number: int, code: int, said: str
) -> None:
    """It waits for its standard input, which never comes."""
    script = """if True:
        import sys
        from vmha.heartbeat.command.main import main
        sys.argv = ["vmha", "plan", "-"]
        print(flush=True)
        raise SystemExit(main())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        text=True,
    )
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        wait_for_handler(process.pid)
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (code, said)


def wait_for_handler(pid: int) -> None:
    """Wait until the process sleeps, with a handler for SIGTERM set."""
    for _ in range(300):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        words = dict(line.split(":", 1) for line in lines)
        is_caught = int(words["SigCgt"], 16) >> (signal.SIGTERM - 1) & 1
        if is_caught and words["State"].strip().startswith("S"):
            return
        time.sleep(0.1)
    raise AssertionError("it never came to reading")
