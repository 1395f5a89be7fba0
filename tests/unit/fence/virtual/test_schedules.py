"""Whatever goes wrong, no false success, no second power off, no missed deadline.

The real actions, sequence, session code and cryptography run against the scripted BMC
through a network in memory, with a virtual clock. Fault model: looks at the node may be
false, but never two in a row (see ``faults``).

That the promises can be broken is shown by breaking the code: each of the changes at
the end must be found out by schedules of some kinds of fault.
"""

from __future__ import annotations

from random import Random
from statistics import median
from typing import TYPE_CHECKING, Callable

import pytest
from bmc.proxy import Trouble
from hypothesis import HealthCheck, given, settings
from unit.fence.virtual.faults import Schedule, schedules
from unit.fence.virtual.play import play, violations

from vmha.fence.ipmi import power
from vmha.fence.ipmi.power import Bmc
from vmha.fence.ipmi.session import Session
from vmha.fence.protocol import sequence
from vmha.fence.protocol.sequence import OFF, UNKNOWN

if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.protocol.sequence import Reading

COUNTS = {
    "off": 700,
    "reboot": 900,
    "cycle": 500,
    "on": 150,
    "status": 150,
    "monitor": 150,
    "diag": 100,
}
LEAST_SUCCESSES = 0.3  # else the faults would be too many to show anything
MOST_TRIES = 3000


@pytest.mark.parametrize("action", COUNTS)
def test_no_schedule_of_faults_breaks_a_promise(
    action: str, figures: list[str]
) -> None:
    ended: list[int | None] = []

    @settings(
        max_examples=COUNTS[action],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(schedules(action))
    def no_promise_is_broken(schedule: Schedule) -> None:
        outcome = play(schedule)
        ended.append(outcome.exit_code)
        assert violations(schedule, outcome) == []

    no_promise_is_broken()
    assert len(ended) >= COUNTS[action]
    succeeded = len(ended) - ended.count(None)
    assert succeeded >= LEAST_SUCCESSES * len(ended)
    figures.append(
        f"{action}: {len(ended)} schedules of faults in virtual time, {succeeded} "
        "succeeded, no promise broken"
    )


@pytest.mark.parametrize("action", ["off", "reboot"])
def test_a_bmc_that_lies_twice_in_a_row_fools_a_single_channel(action: str) -> None:
    liar = Schedule(action, frozenset(), seed=1)
    liar.lies = frozenset({0, 1})
    assert violations(liar, play(liar)) == [
        f"{play(liar).sentence} though the node was never off"
    ]
    honest_in_between = Schedule(action, frozenset(), seed=1)
    honest_in_between.lies = frozenset({0, 2, 4, 6})
    assert violations(honest_in_between, play(honest_in_between)) == []


@pytest.mark.parametrize(
    ("loss", "at_least", "median_s"), [(0.05, 99, 1.0), (0.1, 96, 1.5)]
)
@pytest.mark.parametrize("action", ["off", "reboot"])
def test_a_network_that_loses_packets_hinders_nothing(
    action: str, loss: float, at_least: int, median_s: float, figures: list[str]
) -> None:
    took: list[float] = []
    for seed in range(100):
        schedule = Schedule(action, frozenset(), seed)
        schedule.trouble = Trouble(loss=loss, delay_s=0.001, seed=seed)
        outcome = play(schedule)
        if outcome.exit_code == 0:
            took.append(outcome.result_at - outcome.begin)
    figures.append(
        f"{action}, {loss:.0%} loss: {len(took)} of 100, {median(took):.2f} s"
    )
    assert len(took) >= at_least
    assert median(took) < median_s


# Broken on purpose.


def _one_read_is_proof(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sequence, "PROOF_READS", 1)


def _unknown_is_off(patch: pytest.MonkeyPatch) -> None:
    look = Bmc.power

    def power(self: Bmc, deadline: Deadline) -> Reading:
        reading = look(self, deadline)
        reading.state = OFF if reading.state == UNKNOWN else reading.state
        return reading

    patch.setattr(Bmc, "power", power)


def _on_in_the_same_session(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Bmc, "renew", lambda *_: True)
    patch.setattr(Bmc, "_is_past", lambda _: True)


def _the_end_is_not_confirmed(patch: pytest.MonkeyPatch) -> None:
    close = Session.close
    patch.setattr(Session, "close", lambda s, deadline: close(s, deadline) or True)


def _silent_sessions_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Session, "close_other", lambda *_: True)


def _refused_offs_count_for_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Bmc, "_is_past", lambda _: True)


def _a_cycle_is_sent_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(power, "SENT_ONCE", ())


@pytest.mark.parametrize(
    ("breaks", "action", "kinds"),
    [
        (_one_read_is_proof, "off", ("lies", "ignores")),
        (_unknown_is_off, "off", ("silence", "short answers")),
        (_on_in_the_same_session, "reboot", ("echo", "loss")),
        (_the_end_is_not_confirmed, "reboot", ("echo", "refusals")),
        (_silent_sessions_are_forgotten, "reboot", ("echo", "silent sessions", "loss")),
        (_refused_offs_count_for_nothing, "reboot", ("echo", "refusals", "ignores")),
        (_a_cycle_is_sent_again, "cycle", ("silence", "silent sessions", "loss")),
    ],
)
def test_the_promises_break_with_the_code(
    breaks: Callable[[pytest.MonkeyPatch], None],
    action: str,
    kinds: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    figures: list[str],
) -> None:
    tries = _tries_until_found(action, kinds, MOST_TRIES, monkeypatch, breaks)
    assert tries < MOST_TRIES, "no schedule has found it out"
    figures.append(f"{breaks.__name__[1:]}: found out by schedule {tries} of {kinds}")


def _tries_until_found(
    action: str,
    kinds: tuple[str, ...],
    most: int,
    patch: pytest.MonkeyPatch,
    breaks: Callable[[pytest.MonkeyPatch], None],
) -> int:
    """Return how many schedules it took; the whole code keeps its promise in that."""
    chance = Random(1)
    for number in range(most):
        some = frozenset(chance.sample(kinds, chance.randint(1, len(kinds))))
        schedule = Schedule(action, some, chance.randrange(2**32))
        with patch.context() as broken:
            breaks(broken)
            outcome = play(schedule)
        if violations(schedule, outcome):
            assert violations(schedule, play(schedule)) == []
            return number + 1
    return most
