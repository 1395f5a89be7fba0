"""What counts as unsafe, slow or wrong in the behaviour table."""

from __future__ import annotations

import pytest
from behaviour.judge import OK, SLOW, UNSAFE, WRONG, Seen, mark
from behaviour.scenarios import SITUATIONS

HERE, GONE = (True, 1, 0), (True, 0, 0)
MOVED, TWICE, NEVER = (True, 0, 1), (True, 1, 1), (False, 0, 0)
CELLS = [
    ("probe", (0,), HERE, {0}, OK),
    ("probe", (1,), HERE, {0}, WRONG),
    ("probe", (7,), HERE, {0, 7}, UNSAFE),
    ("probe", (5,), HERE, {0, 5}, UNSAFE),
    ("probe", (7,), NEVER, {7}, OK),
    ("monitor", (7,), HERE, {0}, UNSAFE),
    ("monitor", (-9,), HERE, {0}, SLOW),
    ("stop", (0,), HERE, {0}, UNSAFE),
    ("stop", (0,), GONE, {0}, OK),
    ("stop", (6,), HERE, {0, 1}, WRONG),
    ("start", (0,), TWICE, {0}, UNSAFE),
    ("migrate", (0, 0, 0), MOVED, {0}, OK),
    ("migrate", (0, 0, 0), GONE, {0}, UNSAFE),
    ("migrate", (0, 5), TWICE, {0}, UNSAFE),
    ("migrate", (1,), HERE, {1}, OK),
    ("migrate", (1, 1), HERE, {1}, WRONG),
    ("migrate", (1, -9), HERE, {1}, SLOW),
]


@pytest.mark.parametrize(("action", "codes", "truth", "wanted", "expected"), CELLS)
def test_a_cell_is_judged_by_its_answer_and_the_truth(
    action: str,
    codes: tuple[int, ...],
    truth: tuple[bool, int, int],
    wanted: set[int],
    expected: str,
) -> None:
    assert mark(Seen(action, codes, *truth), frozenset(wanted))[0] == expected


@pytest.mark.parametrize(("action", "code"), [("stop", 0), ("start", 0), ("start", 1)])
def test_to_end_or_to_claim_a_stranger_is_unsafe(action: str, code: int) -> None:
    ended = Seen(action, (code,), False, 0, 0, stranger_lived=True)
    left = Seen(action, (code,), False, 0, 0, True, stranger_lives=True)
    assert mark(ended, frozenset({code}))[0] == UNSAFE
    claimed = action == "start" and code == 0
    assert mark(left, frozenset({code}))[0] == (UNSAFE if claimed else OK)


def test_no_situation_allows_what_is_unsafe() -> None:
    for situation in SITUATIONS:
        assert not situation.allowed.get("stop", frozenset()) & {5, 6, 7}
        if any(step.__name__ in ("runs", "boots") for step in situation.steps):
            assert not situation.allowed.get("probe", frozenset()) & {5, 7}
            assert 7 not in situation.allowed.get("monitor", ())
