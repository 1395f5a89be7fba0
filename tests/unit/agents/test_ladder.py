"""The rules for a migration under way, in virtual time against a model of a guest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmha.agents.hypervisor.progress import MIB, Progress
from vmha.agents.vm.ladder import HYPERVISOR_MS, Ladder, Step, rungs

STEP_S = 0.5
RESERVE_S = 10.0


class Guest:
    """A guest whose memory is sent while it writes to a part of it."""

    def __init__(self, rate: int, written: int, changed: int, total: int) -> None:
        self.rate, self.changed = rate, changed
        self.written, self.total = written, total
        self.remaining = float(total)
        self.passes = 1
        self.in_pass_s = 0.0
        self.arrived_at_s: float | None = None
        self.postcopy = False

    def runs(self, allowed_ms: int, now_s: float) -> bool:
        """Let half a second pass; tell whether it has arrived."""
        self.in_pass_s += STEP_S
        self.remaining -= self.rate * STEP_S
        if self.remaining > 0:
            return False
        self.passes += 1
        dirty = 0 if self.postcopy else min(self.written, self.changed * self.in_pass_s)
        self.remaining, self.in_pass_s = dirty, 0.0
        if dirty / self.rate * 1000 <= (allowed_ms or HYPERVISOR_MS):
            self.arrived_at_s = now_s
        return self.arrived_at_s is not None

    def progress(self) -> Progress:
        return Progress(
            int(max(0, self.remaining)), self.total, self.rate, 0, self.passes
        )


def migrate(guest: Guest, ladder: Ladder, timeout_s: float) -> list[tuple[float, Step]]:
    """Return what was done, and when, until the guest has arrived or is given up."""
    done: list[tuple[float, Step]] = []
    now_s = 0.0
    while now_s < timeout_s:
        now_s += STEP_S
        if guest.runs(ladder.allowed_ms, now_s):
            break
        free_s = timeout_s - RESERVE_S - now_s
        step = ladder.step(guest.progress(), now_s, free_s, RESERVE_S)
        if step is not Step.GO_ON:
            done.append((now_s, step))
        guest.postcopy = guest.postcopy or step is Step.POSTCOPY
        if step is Step.ABORT:
            break
    return done


def busy(rate_mib_s: int, written_mib: int) -> Guest:
    """Return a guest that writes the same part again and again, faster than sent."""
    return Guest(rate_mib_s * MIB, written_mib * MIB, 1000 * MIB, 128 * MIB)


def test_a_quiet_guest_crosses_without_a_longer_pause() -> None:
    guest = Guest(100 * MIB, 1 * MIB, 1 * MIB, 1024 * MIB)
    assert migrate(guest, Ladder(0, 2000), 120) == []
    assert guest.arrived_at_s is not None


def test_a_guest_that_writes_faster_than_it_is_sent_crosses_by_the_ladder() -> None:
    guest = busy(16, 16)
    ladder = Ladder(0, 2000)
    done = migrate(guest, ladder, 120)
    assert guest.arrived_at_s is not None
    assert {step for _, step in done} == {Step.ALLOW}
    assert 1000 <= ladder.allowed_ms <= 2000


def test_what_cannot_cross_is_aborted_before_the_reserve_is_touched() -> None:
    guest = busy(2, 100)
    done = migrate(guest, Ladder(0, 2000), 120)
    assert guest.arrived_at_s is None
    assert done[-1] == (110.0, Step.ABORT)


def test_the_top_is_reached_in_half_of_the_time_after_the_first_pass() -> None:
    done = migrate(busy(16, 100), Ladder(0, 2000), 120)
    rises = [now_s for now_s, step in done if step is Step.ALLOW]
    assert len(rises) == 3
    assert rises[-1] < 70


def test_post_copy_is_the_last_resort_and_only_where_it_was_asked_for() -> None:
    guest = busy(16, 64)
    done = migrate(guest, Ladder(0, 2000, postcopy=True), 120)
    assert guest.arrived_at_s is not None
    assert [step for _, step in done[-1:]] == [Step.POSTCOPY]
    assert done[-1][0] > 90, "not before the ladder had its time"


def test_post_copy_that_could_not_end_in_time_is_not_begun() -> None:
    done = migrate(busy(2, 120), Ladder(0, 2000, postcopy=True), 120)
    assert done[-1][1] is Step.ABORT


def test_virshs_timeout_pauses_the_guest_once() -> None:
    done = migrate(busy(2, 100), Ladder(0, 0, timeout_s=20), 60)
    assert done[0] == (20.0, Step.SUSPEND)
    assert [step for _, step in done].count(Step.SUSPEND) == 1


def test_virshs_switch_after_the_first_pass_is_made() -> None:
    guest = busy(16, 64)
    done = migrate(guest, Ladder(0, 0, postcopy=True, after_first_pass=True), 60)
    assert done[0][1] is Step.POSTCOPY
    assert done[0][0] < 10


def test_post_copy_that_is_declined_is_not_tried_again_and_the_job_is_aborted() -> None:
    ladder = Ladder(0, 0, postcopy=True, after_first_pass=True)
    figures = Progress(64 * MIB, 128 * MIB, 16 * MIB, 0, passes=2)
    assert ladder.step(figures, 5, 20, RESERVE_S) is Step.POSTCOPY

    ladder.refuse_postcopy()

    assert ladder.step(figures, 6, 19, RESERVE_S) is Step.GO_ON
    assert ladder.step(figures, 25, 0, RESERVE_S) is Step.ABORT


def test_without_figures_the_job_goes_on_until_its_time_is_over() -> None:
    ladder = Ladder(0, 2000, postcopy=True)
    assert ladder.step(None, 5, 1, RESERVE_S) is Step.GO_ON
    assert ladder.step(None, 6, 0, RESERVE_S) is Step.ABORT


def test_disks_that_are_still_copied_are_not_blamed_on_the_memory() -> None:
    ladder = Ladder(0, 2000, postcopy=True)
    copying = Progress(passes=3, remaining=MIB, rate=1, disk_left=MIB)
    assert ladder.step(copying, 5, 1, RESERVE_S) is Step.GO_ON


@pytest.mark.parametrize(
    ("first_ms", "most_ms", "expected"),
    [
        (0, 2000, [600, 1200, 2000]),
        (300, 2000, [600, 1200, 2000]),
        (500, 0, []),
        (500, 500, []),
        (3000, 2000, []),
        (1, 5, [2, 4, 5]),
    ],
)
def test_the_rungs(first_ms: int, most_ms: int, expected: list[int]) -> None:
    assert rungs(first_ms, most_ms) == expected


readings = st.builds(
    Progress,
    remaining=st.integers(0, 1 << 40),
    total=st.integers(0, 1 << 40),
    rate=st.integers(0, 1 << 34),
    passes=st.integers(0, 50),
)


@given(
    st.integers(0, 5000),
    st.integers(0, 5000),
    st.booleans(),
    st.lists(st.none() | readings, max_size=60),
    st.floats(10, 200),
)
def test_never_above_the_most_and_always_given_up_in_time(
    first_ms: int,
    most_ms: int,
    postcopy: bool,
    seen: list[Progress | None],
    timeout_s: float,
) -> None:
    ladder = Ladder(first_ms, most_ms, postcopy)
    last_ms = ladder.allowed_ms
    for number, progress in enumerate(seen):
        free_s = timeout_s - RESERVE_S - number * 5
        was_switched = ladder.switched
        step = ladder.step(progress, number * 5.0, free_s, RESERVE_S)
        assert ladder.allowed_ms <= max(first_ms, most_ms)
        assert ladder.allowed_ms >= last_ms
        last_ms = ladder.allowed_ms
        if free_s <= 0 and not was_switched:
            assert step is Step.ABORT
        if step is Step.ABORT:
            assert not was_switched, "post-copy cannot be aborted"
        assert step is not Step.POSTCOPY or postcopy
        assert step is not Step.SUSPEND
