"""The witness counts copies that execute together, and only those."""

from __future__ import annotations

import os
import subprocess

from lab.guest import Tick
from lab.watch import Sighting, by_counter, is_exiting, together


def ticks(node: str, boot: str, first: int, last: int) -> list[Sighting]:
    return [
        Sighting(float(count), node, Tick(boot, count, 0.0))
        for count in range(first, last + 1)
    ]


def test_a_migration_there_and_back_is_one_copy() -> None:
    seen = ticks("n1", "a", 1, 5) + ticks("n2", "a", 6, 9) + ticks("n1", "a", 10, 12)
    assert by_counter(seen) == 1


def test_a_source_that_goes_on_after_its_migration_is_a_second_copy() -> None:
    seen = ticks("n1", "a", 1, 7) + ticks("n2", "a", 6, 9)
    assert by_counter(seen) == 2


def test_two_boots_at_once_are_two_copies_and_one_after_the_other_is_one() -> None:
    assert by_counter(ticks("n1", "a", 1, 7) + ticks("n2", "b", 5, 9)) == 2
    assert by_counter(ticks("n1", "a", 1, 4) + ticks("n2", "b", 5, 9)) == 1
    assert by_counter([]) == 0


def test_one_after_the_other_is_one_copy() -> None:
    assert together([(0.0, 5.0), (5.2, 9.0)]) == 1


def test_a_hand_over_inside_one_sample_is_one_copy() -> None:
    assert together([(0.0, 5.0), (5.0, 9.0)]) == 1


def test_one_that_goes_on_after_the_other_began_is_two_copies() -> None:
    assert together([(0.0, 5.02), (5.0, 9.0)]) == 2


def test_three_at_once_are_three() -> None:
    assert together([(0.0, 9.0), (1.0, 4.0), (2.0, 3.0), (5.0, 6.0)]) == 3


def test_a_copy_seen_once_is_a_copy_and_none_is_none() -> None:
    assert together([(1.0, 1.0)]) == 1
    assert together([]) == 0


def test_a_short_second_copy_within_the_first_counts() -> None:
    assert together([(0.0, 5.0), (2.0, 2.0)]) == 2


def test_two_that_begin_in_one_sample_and_go_on_are_two() -> None:
    assert together([(2.0, 5.0), (2.0, 9.0)]) == 2


def test_a_thread_that_has_been_killed_is_told_from_one_that_lives() -> None:
    child = subprocess.Popen(["sleep", "60"])
    thread = f"/proc/{child.pid}/task/{child.pid}"
    assert not is_exiting(thread)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and not reaped
    assert is_exiting(thread)
    child.wait()
