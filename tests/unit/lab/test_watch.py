"""The witness counts copies that execute together, and only those."""

from __future__ import annotations

from lab.watch import together


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
