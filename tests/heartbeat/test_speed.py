"""All failures are planned while crm_simulate decides about one of them."""

from __future__ import annotations

import shutil

import pytest
from benchmarks import planning

SIZE, WHOLE_SIZE = (16, 600), (32, 2000)


@pytest.mark.timeout(600)
def test_all_failures_take_less_than_crm_simulate_takes_for_one(
    figures: list[str], *, is_long: bool
) -> None:
    """Processor time of both, in one run; what is decided is the same."""
    if shutil.which("crm_simulate") is None:
        pytest.skip("needs crm_simulate")
    found = planning.measured(*(WHOLE_SIZE if is_long else SIZE))
    figures.append(
        f"{found.nodes} nodes, {found.guests} guests, {found.rules} rules: all "
        f"{found.failures} failures planned in {found.planner_s:.1f} s, crm_simulate "
        f"{found.simulator_s:.1f} s for one"
    )
    assert found.failures == found.nodes
    assert found.differences == 0
    assert found.planner_s < found.simulator_s
