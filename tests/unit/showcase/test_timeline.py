from __future__ import annotations

import pytest
from showcase import report
from showcase.timeline import (
    MEASURES,
    STAGES,
    Failover,
    compare,
    own_s,
    stage_s,
    total_s,
)


def a_failover(suite: str = "vmha", fencing: float = 0.4) -> Failover:
    lost, requested = 103.5, 104.0
    confirmed = requested + fencing
    return Failover(
        suite,
        "web1",
        "node1",
        cut=100.0,
        lost=lost,
        requested=requested,
        powered_off=requested + fencing / 2,
        confirmed=confirmed,
        start_begun=confirmed + 0.1,
        executes=confirmed + 0.6,
        first_tick=confirmed + 3.0,
    )


def test_the_stages_add_up_to_the_total() -> None:
    failover = a_failover()
    stages = sum(stage_s(failover, stage) for stage in STAGES)
    assert stages == pytest.approx(total_s(failover)) == pytest.approx(5.0)


def test_our_part_is_fencing_and_start_without_membership_and_pauses() -> None:
    assert own_s(a_failover()) == pytest.approx(0.4 + 0.5)


def test_moments_not_seen_yet_are_named_in_their_order() -> None:
    failover = Failover("vmha", "web1", "node1", cut=0.0, lost=1.0)
    assert failover.missing()[0] == "requested"
    assert failover.missing()[-1] == "first_tick"
    assert not a_failover().missing()


def test_a_stage_that_was_not_seen_is_an_error_and_not_zero() -> None:
    with pytest.raises(ValueError, match="fencing was not seen"):
        stage_s(Failover("vmha", "web1", "node1", cut=0.0, requested=1.0), STAGES[2])


def test_medians_are_compared_and_one_bad_run_does_not_decide() -> None:
    ours = [a_failover(fencing=f) for f in (0.4, 0.4, 9.0)]
    peers = [a_failover("peers", fencing=f) for f in (4.2, 4.3, 4.4)]
    fencing = compare(ours, peers)[2]
    assert fencing.ratio == pytest.approx(0.4 / 4.3)
    assert fencing.holds


def test_a_ratio_over_its_limit_does_not_hold() -> None:
    same = [a_failover()]
    assert [comparison.holds for comparison in compare(same, same)] == [False] * 3
    assert [measure.limit for measure in MEASURES] == [0.65, 0.35, 0.25]


def test_the_json_tells_every_moment_in_seconds_after_the_cut() -> None:
    told = report.failover_json(a_failover())
    assert told["seconds_after_cut"]["executes"] == 5.0
    assert told["stages_s"]["fencing"] == 0.4
    assert told["dead_node"] == "node1"


def test_the_columns_show_both_sides_and_the_ratio() -> None:
    text = report.columns([a_failover()], [a_failover("peers", 4.0)])
    row = next(line for line in text.splitlines() if line.strip().startswith("fencing"))
    assert row.split()[1:] == ["0.40", "s", "4.00", "s", "0.10"]
