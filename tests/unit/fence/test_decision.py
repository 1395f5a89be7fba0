"""The fencing decision, cell by cell."""

from __future__ import annotations

import itertools

import pytest
from unit.fence.devices import NONSENSE, SILENCE, Clock

from vmha.fence.protocol.sequence import (
    GIVE_UP,
    OFF,
    ON,
    ORDER,
    REACHED,
    READ,
    UNKNOWN,
    Facts,
    Reading,
    Receipt,
    next_step,
    rest_s,
)


def facts(**known: object) -> Facts:
    """Return facts that could have come about, with the given ones set."""
    made = Facts()
    for name, value in known.items():
        assert hasattr(made, name)
        setattr(made, name, value)
    return made


def every_cell() -> list[Facts]:
    """Return all combinations of facts about the way to off."""
    cells = []
    for state, row, since_order, tries, taken, since_s, silent in itertools.product(
        (None, ON, OFF, UNKNOWN),
        (0, 1, 2),
        (False, True),
        (0, 1, 3),
        (False, True),
        (0.0, 0.6, 5.0),
        (False, True),
    ):
        possible = (
            (row == 0) != (state == OFF)
            and (tries > 0 or not (since_order or taken or since_s))
            and (not silent or state == UNKNOWN)
        )
        if possible:
            cells.append(
                facts(
                    state=state,
                    off_in_a_row=row,
                    off_since_order=since_order,
                    tries=tries,
                    orders=tries,
                    taken=taken,
                    since_try_s=since_s,
                    silent=silent,
                )
            )
    return cells


def off_expected(cell: Facts) -> str:
    """Say in other words what must happen in a cell on the way to off."""
    if cell.state == OFF:
        return REACHED if cell.off_in_a_row == 2 else READ
    if cell.state != ON:
        return GIVE_UP if cell.silent and cell.tries == 0 else READ
    if cell.tries == 0:
        return ORDER
    may_repeat = cell.since_try_s > (4 if cell.taken else 0.5)
    return ORDER if may_repeat and not cell.off_since_order else READ


def test_every_cell_of_the_way_to_off() -> None:
    cells = every_cell()
    assert len(cells) > 100
    for cell in cells:
        shown = {name: getattr(cell, name) for name in Facts.__slots__}
        assert next_step(OFF, cell) == off_expected(cell), shown


def test_only_two_reads_of_off_in_a_row_are_proof() -> None:
    for cell in every_cell():
        if next_step(OFF, cell) == REACHED:
            assert (cell.state, cell.off_in_a_row) == (OFF, 2)


def test_an_off_is_never_repeated_once_off_was_read() -> None:
    for cell in every_cell():
        if cell.off_since_order:
            assert next_step(OFF, cell) != ORDER


def test_unknown_is_never_answered_with_an_order() -> None:
    for cell in every_cell():
        if cell.state in (UNKNOWN, None):
            assert next_step(OFF, cell) in (READ, GIVE_UP)


@pytest.mark.parametrize(
    ("cell", "step"),
    [
        (facts(), ORDER),
        (facts(tries=1, orders=1, taken=True, since_try_s=9.0), READ),
        (facts(tries=1, since_try_s=0.4), READ),
        (facts(tries=1, since_try_s=0.6), ORDER),
        (facts(tries=1, orders=1, off_since_order=True, since_try_s=9.0), READ),
    ],
)
def test_a_node_in_between_is_powered_off_until_that_was_taken(
    cell: Facts, step: str
) -> None:
    cell.read(Reading(UNKNOWN, failure=NONSENSE, answered=True))
    assert next_step(OFF, cell) == step
    assert next_step(ON, cell) == READ


@pytest.mark.parametrize(
    ("cell", "step"),
    [
        (facts(), READ),
        (facts(state=ON), REACHED),
        (facts(state=OFF, off_in_a_row=1), ORDER),
        (facts(state=UNKNOWN), READ),
        (facts(state=UNKNOWN, silent=True), GIVE_UP),
        (facts(state=UNKNOWN, silent=True, tries=1, orders=1), READ),
        (facts(state=OFF, tries=1, orders=1, taken=True, since_try_s=3.9), READ),
        (facts(state=OFF, tries=1, orders=1, taken=True, since_try_s=4.1), ORDER),
        (facts(state=OFF, tries=1, orders=0, since_try_s=0.6), ORDER),
        (facts(state=OFF, tries=2, orders=2, taken=True, since_try_s=9.0), READ),
        (facts(state=ON, tries=1, orders=1), REACHED),
    ],
)
def test_the_way_to_on(cell: Facts, step: str) -> None:
    assert next_step(ON, cell, most_orders=2) == step


def test_readings_become_facts() -> None:
    known = Facts()
    for reading in (Reading(OFF), Reading(OFF), Reading(UNKNOWN, failure=NONSENSE)):
        known.read(reading)
    assert (known.state, known.off_in_a_row, known.silent) == (UNKNOWN, 0, False)
    known.read(Reading(UNKNOWN, failure=SILENCE))
    assert known.silent
    assert known.failure is NONSENSE, "an answer says more than a later silence"
    known.read(Reading(ON))
    assert not any((known.silent, known.failure))
    assert next_step(OFF, known) == ORDER


def test_what_was_read_before_an_order_proves_nothing_after_it() -> None:
    known = Facts()
    known.read(Reading(OFF))
    known.ordered(Receipt(True))
    assert (known.state, known.off_in_a_row, known.off_since_order) == (None, 0, False)
    known.read(Reading(OFF))
    assert (known.off_in_a_row, known.off_since_order) == (1, True)


def test_an_order_that_was_not_taken_does_not_count() -> None:
    known = Facts()
    known.ordered(Receipt(False, NONSENSE))
    assert (known.tries, known.orders, known.taken) == (1, 0, False)
    known.ordered(Receipt(True, SILENCE))
    assert (known.tries, known.orders, known.taken) == (2, 1, False)


@pytest.mark.parametrize(
    ("wanted_s", "left_s", "rests_s"), [(2.0, 30.0, 2.0), (36.0, 34.0, 31.0), (9, 2, 0)]
)
def test_a_rest_after_an_order_never_takes_the_time_of_the_proof(
    wanted_s: float, left_s: float, rests_s: float
) -> None:
    assert rest_s(wanted_s, Clock().deadline(left_s)) == rests_s
