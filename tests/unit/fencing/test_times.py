"""The table of fencing times: medians, shares, and promises that are kept or not."""

from __future__ import annotations

import pytest
from benchmarks.fencing import (
    INSTANT,
    LOSSY,
    OURS,
    SLOW,
    THEIRS,
    THEIRS_AT_ONCE,
    Key,
    Measured,
    after_off,
    promises,
    rows,
)


def found(*measured: Measured) -> dict[Key, Measured]:
    return {(row.condition, row.action, row.contender): row for row in measured}


def off(contender: str, *seconds: float, failed: int = 0) -> Measured:
    return Measured(INSTANT, "off", contender, list(seconds), failed=failed)


def test_a_row_has_medians_failures_and_shares() -> None:
    table = rows(
        found(off(THEIRS, 2, 9, 2), off(THEIRS_AT_ONCE, 1, failed=1), off(OURS, 0.5))
    )
    assert table[1][:2] == (INSTANT, "off")
    assert table[1][2:] == ("2.00 s", "1 of 1 failed, 1.00 s", "0.50 s", "0.25", "0.50")


def test_a_row_that_was_interrupted_is_left_out() -> None:
    assert len(rows(found(off(THEIRS, 2), off(OURS, 0.5)))) == 1


@pytest.mark.parametrize(("ours_s", "is_kept"), [(0.29, True), (0.31, False)])
def test_off_is_promised_in_15_percent(ours_s: float, is_kept: bool) -> None:
    (promise,) = promises(found(off(THEIRS, 2), off(OURS, ours_s)))
    assert promise.is_kept == is_kept
    assert ("NOT KEPT" in str(promise)) != is_kept


@pytest.mark.parametrize(("failed", "is_kept"), [(0, True), (1, False)])
def test_no_failure_is_promised_with_5_percent_loss(failed: int, is_kept: bool) -> None:
    row = Measured(LOSSY, "off", OURS, [1.0], failed=failed)
    assert all(promise.is_kept for promise in promises(found(row))) == is_kept


def test_the_time_after_the_true_off_is_told_of_each_that_went_off() -> None:
    slow = Measured(SLOW, "off", OURS, [2.2], [0.1, 0.2, 0.3])
    told = after_off(found(slow, Measured(SLOW, "off", THEIRS, [2.2])))
    assert [line for line in told if OURS in line] == [f"  {OURS}: 0.20 s, 3 runs"]
    assert not any(THEIRS in line for line in told)
