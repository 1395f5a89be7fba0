"""Random fault schedules with the real agent on the real wire: no success is false."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from bmc import schedules
from bmc.calls import Outcome
from bmc.node import Change
from bmc.plan import Plan
from bmc.proxy import Trouble
from bmc.schedules import Course, Schedule, play, schedule, verdict

if TYPE_CHECKING:
    from pathlib import Path

AT_A_TIME = 6


def test_no_schedule_has_a_false_success_or_passes_its_deadline(
    root: Path, tmp_path: Path, seed: int, is_long: bool, figures: list[str]
) -> None:
    wanted = [schedule(seed * 1000 + n) for n in range(100 if is_long else 24)]
    executable = root / "sbin/fence_vmha_ipmi"
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        courses = list(pool.map(lambda w: play(executable, tmp_path, w), wanted))
    found = [f"{verdict(each)}: {each}" for each in courses if verdict(each)]
    assert not found, "\n".join(found)
    proven = sum(course.outcome.exit_code == 0 for course in courses)
    slowest = max(course.outcome.seconds for course in courses)
    dropped = sum(course.dropped for course in courses)
    packets = sum(course.packets for course in courses)
    assert proven > len(courses) / 4, (
        "hardly anything succeeds: the faults are too many"
    )
    figures.append(
        f"{len(courses)} fault schedules with the real process: {proven} proven off, "
        f"no false success, none past {schedules.DEADLINE_S:.1f} s (slowest "
        f"{slowest:.2f} s), {dropped} of {packets} packets lost; "
        f"repeat with --seed {seed}"
    )


def course(
    exit_code: int, changes: list[Change], seconds: float = 1.0, action: str = "off"
) -> Course:
    wanted = Schedule(0, action, False, Trouble(), Plan(), {}, None)
    stderr = "failed\n" if exit_code else ""
    outcome = Outcome(exit_code, "", stderr, seconds, ended_at=10.0)
    return Course(wanted, outcome, [Change(0.0, True), *changes], 1, 0)


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        (course(0, []), "never off"),
        (course(0, [Change(10.5, False)]), "never off"),
        (course(0, [Change(9.5, False), Change(9.7, True)]), "was on"),
        (
            course(
                0,
                [Change(9.5, False), Change(9.7, True), Change(11, False)],
                action="reboot",
            ),
            "second time",
        ),
        (course(1, [], seconds=9.1), "too late"),
    ],
)
def test_the_verdict_sees_what_is_wrong(bad: Course, word: str) -> None:
    assert any(word in sentence for sentence in verdict(bad))


def test_the_verdict_lets_pass_what_is_right() -> None:
    rebooted = [Change(9.5, False), Change(9.7, True)]
    assert verdict(course(0, rebooted, action="reboot")) == []
    assert verdict(course(0, [Change(9.5, False)])) == []
    assert verdict(course(1, [])) == []
