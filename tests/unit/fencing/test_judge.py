"""The judge of the fence agents' table: the true power decides, whatever was said."""

from __future__ import annotations

import pytest
from bmc.node import Change
from fencing.judge import KILLED, OK, SLOW, UNSAFE, WRONG, Right, Seen, mark, right
from fencing.scenarios import SITUATIONS

BEGIN, END = 100.0, 110.0
ON, OFF = Change(0.0, True), Change(0.0, False)
STAYS_ON = (ON,)
STAYS_OFF = (OFF,)
GOES_OFF = (ON, Change(105.0, False))
GOES_OFF_LATE = (ON, Change(112.0, False))
IS_CYCLED = (ON, Change(103.0, False), Change(105.0, True))
IS_CYCLED_LATE = (ON, Change(112.0, False), Change(114.0, True))
DIES_AGAIN = (*IS_CYCLED, Change(111.0, False))
WAS_CYCLED_BEFORE = (ON, Change(90.0, False), Change(95.0, True))
COMES_ON_AGAIN = (*GOES_OFF, Change(111.0, True))
FINE = right(0)
FAILS = right(1)

CELLS = [
    ("off", 0, GOES_OFF, FINE, OK),
    ("off", 0, STAYS_OFF, FINE, OK),
    ("off", 0, STAYS_ON, FINE, UNSAFE),
    ("off", 0, GOES_OFF_LATE, FINE, UNSAFE),
    ("off", 0, STAYS_ON, FAILS, UNSAFE),
    ("off", 0, COMES_ON_AGAIN, FINE, UNSAFE),
    ("off", 1, STAYS_ON, FAILS, OK),
    ("off", 1, STAYS_ON, FINE, WRONG),
    ("off", KILLED, STAYS_ON, FAILS, SLOW),
    ("reboot", 0, IS_CYCLED, FINE, OK),
    ("reboot", 0, STAYS_OFF, FINE, OK),
    ("reboot", 0, STAYS_ON, FINE, UNSAFE),
    ("reboot", 0, WAS_CYCLED_BEFORE, FINE, UNSAFE),
    ("reboot", 0, IS_CYCLED_LATE, FINE, UNSAFE),
    ("reboot", 0, DIES_AGAIN, FINE, UNSAFE),
    ("status", 0, STAYS_ON, FINE, OK),
    ("status", 2, STAYS_ON, FINE, WRONG),
    ("monitor", 0, STAYS_ON, FAILS, WRONG),
]


def seen(
    action: str, code: int, changes: tuple[Change, ...], stderr: str = "", s: float = 10
) -> Seen:
    return Seen(action, code, "", stderr, s, BEGIN, END, changes)


@pytest.mark.parametrize(("action", "code", "changes", "wanted", "expected"), CELLS)
def test_a_call_is_judged_by_its_answer_and_the_true_power(
    action: str, code: int, changes: tuple[Change, ...], wanted: Right, expected: str
) -> None:
    judged, why = mark(seen(action, code, changes), wanted)
    assert judged == expected
    assert bool(why) == bool(judged)


def test_a_reason_must_hold_one_of_the_words() -> None:
    wanted = right(1, says="no user|name")
    named = seen("off", 1, STAYS_ON, "There is No User of this kind")
    assert mark(named, wanted)[0] == OK
    assert mark(seen("off", 1, STAYS_ON, "it failed"), wanted)[0] == WRONG


def test_an_answer_that_leaves_no_time_is_slow() -> None:
    wanted = right(1, within_s=12)
    assert mark(seen("off", 1, STAYS_ON, s=11.9), wanted)[0] == OK
    assert mark(seen("off", 1, STAYS_ON, s=12.1), wanted)[0] == SLOW


def test_noise_counts_where_silence_is_asked_for() -> None:
    loud = seen("status", 0, STAYS_ON, "a warning")
    assert mark(loud, right(0))[0] == OK
    assert mark(loud, right(0, silent=True))[0] == WRONG


def test_no_row_is_twice_in_the_table() -> None:
    rows = [(situation.name, situation.action) for situation in SITUATIONS]
    assert len(rows) == len(set(rows))


def test_the_table_fits_a_terminal_of_100_columns() -> None:
    # Two spaces between columns, and about 28 letters for each agent's answer.
    assert max(len(s.name) + len(s.action) for s in SITUATIONS) <= 100 - 2 * 28 - 6
