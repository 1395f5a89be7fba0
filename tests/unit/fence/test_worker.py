"""The worker is heard, outlived by its word, and killed when it hangs."""

from __future__ import annotations

import itertools
import os
import time

from vmha.agents.protocol.deadline import Deadline
from vmha.fence.protocol.worker import Conclusion, Report, supervise


def ignore(_kind: str, _text: str) -> None:
    """Hear nothing."""


def hang() -> None:
    for _ in itertools.count():
        pass


def conclude(work: object, seconds: float = 10.0) -> tuple[Conclusion, float]:
    assert callable(work)
    begin = time.monotonic()
    (conclusion,) = supervise([work], Deadline(seconds), ignore)
    return conclusion, time.monotonic() - begin


def test_what_the_worker_says_is_heard_in_order() -> None:
    heard = []

    def work(report: Report) -> None:
        report.say("one\n two")
        report.warn("careful")
        report.result(2, "Status: OFF")

    (conclusion,) = supervise(
        [work], Deadline(10), lambda kind, text: heard.append((kind, text))
    )
    assert heard[0] == ("say", "one two")
    assert (conclusion.exit_code, conclusion.stdout) == (2, "Status: OFF")
    assert (conclusion.warnings, conclusion.last_word) == (["careful"], "one two")
    assert not conclusion.killed


def test_a_result_may_be_silent() -> None:
    conclusion, _ = conclude(lambda report: report.result(0, ""))
    assert (conclusion.exit_code, conclusion.stdout) == (0, "")


def test_a_failure_is_no_result() -> None:
    conclusion, _ = conclude(lambda report: report.fail("no way"))
    assert (conclusion.exit_code, conclusion.failure) == (None, "no way")


def test_a_worker_that_hangs_is_killed_at_the_deadline() -> None:
    def work(report: Report) -> None:
        report.say("here I am")
        hang()

    conclusion, seconds = conclude(work, 0.3)
    assert conclusion.killed
    assert (conclusion.exit_code, conclusion.last_word) == (None, "here I am")
    assert 0.3 <= seconds < 2


def test_a_result_holds_though_the_worker_hangs_and_is_not_waited_for_long() -> None:
    def work(report: Report) -> None:
        report.result(0, "Success: Powered OFF", rest_s=0.2)
        hang()

    conclusion, seconds = conclude(work, 30.0)
    assert (conclusion.exit_code, conclusion.stdout) == (0, "Success: Powered OFF")
    assert seconds < 5


def test_a_worker_that_dies_says_nothing() -> None:
    conclusion, seconds = conclude(lambda _report: os._exit(9))
    assert (conclusion.exit_code, conclusion.failure) == (None, "")
    assert not conclusion.killed
    assert seconds < 5


def test_what_libraries_print_goes_nowhere(capfd: object) -> None:
    def work(report: Report) -> None:
        os.write(1, b"chatter")
        os.write(2, b"secret")
        report.result(0, "Status: ON")

    conclusion, _ = conclude(work)
    assert conclusion.stdout == "Status: ON"
    assert hasattr(capfd, "readouterr")
    assert capfd.readouterr() == ("", "")


def test_workers_are_heard_side_by_side_and_each_has_the_whole_time() -> None:
    def quick(report: Report) -> None:
        report.result(0, "Status: ON")

    def slow(report: Report) -> None:
        time.sleep(0.3)
        report.result(2, "Status: OFF")

    def hanging(report: Report) -> None:
        report.say("here I am")
        hang()

    begin = time.monotonic()
    ends = supervise([hanging, slow, quick, slow], Deadline(1.0), ignore)
    assert time.monotonic() - begin < 3
    assert [end.exit_code for end in ends] == [None, 2, 0, 2]
    assert [end.killed for end in ends] == [True, False, False, False]
    assert ends[0].last_word == "here I am"


def test_a_worker_that_never_stops_talking_is_ended_all_the_same() -> None:
    def work(report: Report) -> None:
        for _ in itertools.count():
            report.say("still here")

    conclusion, seconds = conclude(work, 0.3)
    assert conclusion.killed
    assert seconds < 2
