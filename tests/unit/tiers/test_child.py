"""A command of a tier is streamed, and ends at its limit with all that it started."""

from __future__ import annotations

import os
import time
from io import BytesIO
from pathlib import Path

import pytest
from tiers.child import Console, Ended, run


def _run(script: str, limit_s: float | None = 30) -> tuple[Ended, str]:
    log = BytesIO()
    ended = run(
        ["sh", "-c", script], Console(log), Path("/"), dict(os.environ), limit_s
    )
    return ended, log.getvalue().decode()


@pytest.mark.parametrize("limit_s", [30, None])
def test_output_and_exit_code_of_a_command_are_passed_on(limit_s: float | None) -> None:
    ended, shown = _run("echo one; echo two >&2; exit 3", limit_s)
    assert ended == Ended(3, at_limit=False)
    assert shown == "one\ntwo\n"


def test_a_command_at_its_limit_may_clean_up() -> None:
    script = "trap 'echo cleaned up; exit 0' INT; echo begun; sleep 30 & wait"
    ended, shown = _run(script, limit_s=0.6)
    assert ended == Ended(1, at_limit=True)
    assert "begun" in shown
    assert shown.endswith("cleaned up\n")


def test_what_a_command_left_running_in_its_group_is_ended(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    ended, _ = _run(f"sleep 300 >/dev/null 2>&1 & echo $! > {mark}")
    assert ended.exit_code == 0
    assert _is_gone(int(mark.read_text()))


def test_a_daemon_that_holds_the_output_open_does_not_hold_the_run() -> None:
    started = time.monotonic()
    ended, shown = _run("sleep 300 & echo done")
    assert ended == Ended(0, at_limit=False)
    assert shown == "done\n"
    assert time.monotonic() - started < 10


def _is_gone(pid: int) -> bool:
    """Tell whether a process has ended; init may take a moment to reap it."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
