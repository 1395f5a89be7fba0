"""Whatever goes wrong, no false success, no second power off, no missed deadline.

The real actions, sequence, session code and cryptography run against the scripted BMC
through a network in memory, with a virtual clock. Fault model: looks at the node may be
false, but never two in a row (see ``schedules``).
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.fence.virtual.schedules import Schedule, schedules, violations

COUNTS = {"off": 700, "reboot": 800, "cycle": 300, "on": 100, "status": 100}


@pytest.mark.parametrize("action", COUNTS)
def test_no_schedule_of_faults_breaks_a_promise(
    action: str, figures: list[str]
) -> None:
    played = 0

    @settings(
        max_examples=COUNTS[action],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(schedules(action))
    def no_promise_is_broken(schedule: Schedule) -> None:
        nonlocal played
        played += 1
        assert violations(schedule) == []

    no_promise_is_broken()
    assert played >= COUNTS[action]
    figures.append(f"{action}: {played} schedules of faults, no promise broken")
