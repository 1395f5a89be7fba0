"""The protocol: deadlines in virtual time, watchdog, metadata, run()."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from unit.agents.world import Clock

from vmha.agents.protocol import exitcodes, files, metadata, process
from vmha.agents.protocol.agent import Action, Agent, Operation, Outcome, run
from vmha.agents.protocol.deadline import Deadline, Watchdog
from vmha.agents.protocol.errors import (
    AgentError,
    BadOnThisNode,
    BadParameter,
    NotInstalled,
    PermissionRefused,
    Unreachable,
)
from vmha.agents.protocol.parameters import SELECT, STRING, Parameter


def deadline(clock: Clock, seconds: float) -> Deadline:
    return Deadline(seconds, clock, clock.sleep)


def test_a_deadline_counts_down() -> None:
    clock = Clock()
    end = deadline(clock, 10)
    clock.sleep(4)
    assert (end.remaining_s(), end.elapsed_s(), end.expired()) == (6, 4, False)
    clock.sleep(7)
    assert (end.remaining_s(), end.expired()) == (0, True)


def test_a_sleep_never_passes_the_end() -> None:
    clock = Clock()
    end = deadline(clock, 3)
    end.sleep(60)
    assert clock.now_s == pytest.approx(3)
    assert end.expired()


@given(
    total=st.floats(0, 1000),
    gone=st.floats(0, 2000),
    wanted=st.floats(0, 2000),
)
def test_a_part_ends_no_later_than_the_whole(
    total: float, gone: float, wanted: float
) -> None:
    clock = Clock()
    whole = deadline(clock, total)
    clock.sleep(gone)
    part = whole.part(wanted)
    assert part.remaining_s() <= max(0.0, whole.remaining_s()) + 1e-6
    assert part.remaining_s() <= wanted + 1e-6


def test_the_watchdog_leaves_with_the_last_sentence() -> None:
    said: list[str] = []
    watchdog = Watchdog(Deadline(0.05), said.append)
    watchdog.start()
    watchdog.say("it waited for a disk")
    end = time.monotonic() + 5
    while not said and time.monotonic() < end:
        time.sleep(0.01)
    assert said == ["it waited for a disk"]


def test_a_cancelled_watchdog_is_silent() -> None:
    said: list[str] = []
    watchdog = Watchdog(Deadline(0.05), said.append)
    watchdog.start()
    watchdog.cancel()
    time.sleep(0.15)
    assert said == []


XML_TEXT = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", codec="utf-8")
)


@given(text=XML_TEXT)
def test_any_text_survives_the_metadata(text: str) -> None:
    parameter = Parameter("p", STRING, text, text, default=text, deprecated=text)
    choice = Parameter("q", SELECT, text, choices=(text,))
    actions = (Action("start", 10), Action("meta-data", 5))
    agent = Agent("Test", text, text, (parameter, choice), actions)

    root = etree.fromstring(metadata.ocf_xml(agent).encode())

    assert root.findtext("shortdesc") == text
    assert (root.findtext("longdesc") or "").strip("\n") == text
    content = root.find("parameters/parameter/content")
    assert content is not None
    assert content.get("default") == text
    option = root.find("parameters/parameter[@name='q']/content/option")
    assert option is not None
    assert option.get("value") == text


def agent_of(handler: Callable[[Operation], Outcome], timeout_s: int = 10) -> Agent:
    actions = (
        Action("start", timeout_s, handler),
        Action("monitor", timeout_s, handler, interval_s=10, depth=0),
        Action("meta-data", 5),
    )
    parameter = Parameter("p", STRING, "p", "The p.", check=lambda text: "another")
    return Agent("Test", "A test", "A test.", (parameter,), actions)


def called(
    handler: Callable[[Operation], Outcome],
    capfd: pytest.CaptureFixture[str],
    action: str = "start",
    **environ: str,
) -> tuple[int, str]:
    folder = Path.cwd()
    mask = os.umask(0o022)
    try:
        code = run(
            agent_of(handler), ["test", action], {"HA_LOGFACILITY": "none", **environ}
        )
    finally:
        os.chdir(folder)
        os.umask(mask)
    return code, capfd.readouterr().err


def _raise(error: Exception) -> Callable[[Operation], Outcome]:
    def handler(_operation: Operation) -> Outcome:
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AgentError("It is so."), 1),
        (BadOnThisNode("It is so."), 2),
        (PermissionRefused("It is so."), 4),
        (NotInstalled("It is so."), 5),
        (BadParameter("p", "v", "It is so."), 6),
        (Unreachable("It is so."), 1),
        (ValueError("It is so."), 1),
    ],
)
def test_an_error_becomes_its_exit_code_and_one_reason(
    error: Exception, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    given, stderr = called(_raise(error), capfd)
    assert given == code
    assert stderr.startswith("ocf-exit-reason:")
    assert "It is so." in stderr
    assert stderr.count("\n") == 1


def test_a_reason_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    _, stderr = called(_raise(AgentError("two\nlines\r\n and more")), capfd)
    assert stderr == "ocf-exit-reason:two lines and more\n"


@pytest.mark.parametrize(
    ("action", "interval", "code", "quiet"),
    [
        ("start", "0", 0, True),
        ("monitor", "0", 7, True),
        ("monitor", "", 7, True),
        ("monitor", "10000", 7, False),
        ("monitor", "10000", 0, True),
        ("start", "0", 7, False),
    ],
)
def test_a_reason_is_given_unless_all_is_as_it_was_asked(
    action: str,
    interval: str,
    code: int,
    quiet: bool,
    capfd: pytest.CaptureFixture[str],
) -> None:
    environ = {"OCF_RESKEY_CRM_meta_interval": interval}
    given, stderr = called(
        lambda _: Outcome(code, "It is so."), capfd, action, **environ
    )
    assert given == code
    assert (stderr == "") is quiet


@pytest.mark.parametrize("action", ["promote", "", "Start"])
def test_an_unknown_action_is_3(action: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, stderr = called(lambda _: Outcome(0, ""), capfd, action)
    assert code == exitcodes.UNIMPLEMENTED
    assert "start|monitor|meta-data" in stderr


def test_a_newer_ocf_major_version_is_refused(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, stderr = called(lambda _: Outcome(0, ""), capfd, OCF_RA_VERSION_MAJOR="2")
    assert code == exitcodes.GENERIC
    assert "version 2" in stderr


@pytest.mark.parametrize("timeout_ms", [2000, 5000, 20000, 90000, 600000])
def test_an_operation_ends_before_pacemakers_timeout(
    timeout_ms: int, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[float] = []

    def handler(operation: Operation) -> Outcome:
        seen.append(operation.deadline.remaining_s())
        return Outcome(0, "")

    called(handler, capfd, OCF_RESKEY_CRM_meta_timeout=str(timeout_ms))
    margin_s = timeout_ms / 1000 - seen[0]
    assert margin_s >= 0.6
    assert margin_s <= max(6.1, timeout_ms / 1000 * 0.5)


@pytest.mark.parametrize("nonsense", ["", "-1", "fast", "1.5", "٣"])
def test_without_a_timeout_the_advertised_one_counts(
    nonsense: str, capfd: pytest.CaptureFixture[str]
) -> None:
    seen: list[float] = []

    def handler(operation: Operation) -> Outcome:
        seen.append(operation.deadline.remaining_s())
        return Outcome(0, "")

    called(handler, capfd, OCF_RESKEY_CRM_meta_timeout=nonsense)
    assert 5 < seen[0] < 10


def test_a_file_is_read_through_a_child(tmp_path: Path) -> None:
    path = tmp_path / "-n"
    path.write_text("grüße\n")
    assert files.read_text(str(path), Deadline(5)) == "grüße\n"


def test_a_file_that_never_answers_is_left_behind(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    started = time.monotonic()
    with pytest.raises(Unreachable, match="does not answer"):
        files.read_text(str(fifo), Deadline(0.3))
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("kind", ["missing", "directory", "io error", "bytes"])
def test_an_unreadable_file_says_why(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    if kind == "directory":
        path.mkdir()
    elif kind == "io error":
        path.symlink_to("/proc/self/mem")
    elif kind == "bytes":
        path.write_bytes(b"\xff\xff")
    with pytest.raises(files.Unreadable) as caught:
        files.read_text(str(path), Deadline(5))
    assert caught.value.path == str(path)
    assert caught.value.reason


def test_a_path_that_no_file_can_have_is_refused_in_words() -> None:
    with pytest.raises(files.Unreadable, match="no file has a NUL in its name"):
        files.read_text("/a\0b", Deadline(5))


def test_reading_leaves_no_descriptor_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x" * 200_000)
    files.read_text(str(path), Deadline(5))
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        files.read_text(str(path), Deadline(5))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_program_ends_with_the_one_that_waits_for_it(tmp_path: Path) -> None:
    """It has a session of its own, so that no signal to the caller's reaches it."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    note = tmp_path / "pid"
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            process.run(
                ["/bin/sh", "-c", f"echo $$ > {note}; exec sleep 60"], Deadline(60)
            )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not Path(f"/proc/{int(note.read_text())}").exists()


def test_a_program_that_hangs_is_killed_with_all_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {note}; wait"
    with pytest.raises(Unreachable, match="did not end"):
        process.run(["/bin/sh", "-c", script], Deadline(0.5))
    left = Path(f"/proc/{int(note.read_text())}/cmdline")
    end = time.monotonic() + 5
    while _says(left) and time.monotonic() < end:
        time.sleep(0.01)
    assert not _says(left)


def _says(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_program_gets_a_clean_environment() -> None:
    result = process.run(["/usr/bin/env"], Deadline(5), {"GIVEN": "yes"})
    names = {line.split("=")[0] for line in result.stdout.splitlines()}
    assert names == {"PATH", "LC_ALL", "GIVEN"}
    assert result.exit_code == 0


def test_a_script_without_a_first_line_is_the_shells(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text('echo "given $1"; exit 3\n')
    script.chmod(0o755)
    result = process.run([str(script), "word"], Deadline(5))
    assert (result.exit_code, result.stdout) == (3, "given word\n")


def test_a_missing_program_is_5() -> None:
    with pytest.raises(NotInstalled):
        process.run(["/nonexistent/program"], Deadline(5))


def test_a_program_that_a_library_left_behind_ends_with_the_action(
    capfd: pytest.CaptureFixture[str],
) -> None:
    left: list[subprocess.Popen[bytes]] = []

    def handler(operation: Operation) -> Outcome:
        left.append(subprocess.Popen(["/bin/sleep", "60"]))
        return Outcome(exitcodes.OK, "done")

    code, _ = called(handler, capfd)
    assert code == exitcodes.OK
    assert left[0].wait(5) == -signal.SIGKILL
