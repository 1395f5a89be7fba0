"""What a run shows: each tier against the budget of its stage, and the last line."""

from __future__ import annotations

import json
from pathlib import Path

from tiers import report
from tiers.declared import BUDGET_S, LEFT_OUT_BY_FAST, TIERS
from tiers.outcome import Counts, Outcome

RUN = [
    Outcome("static", "static + unit", 50.0, Counts(30, 0, 0)),
    Outcome("unit", "static + unit", 80.0, Counts(200, 1, 2), ("one remark",)),
]


def test_tiers_of_one_stage_share_its_budget() -> None:
    assert report.tier_line(RUN[:1]) == (
        "== static: 30 passed, 0 failed, 0 skipped in 0:50; static + unit 0:50 of 2:00"
    )
    assert report.tier_line(RUN) == (
        "== unit: 200 passed, 1 failed, 2 skipped in 1:20; static + unit 2:10 of 2:00, "
        "over budget; one remark"
    )


def test_the_table_names_the_budget_once_per_stage() -> None:
    lines = report.table(RUN, set_up_s=61)
    assert [line.split()[0] for line in lines] == ["tier", "set-up", "static", "unit"]
    assert "2:00" not in lines[2]
    assert lines[3].endswith("static + unit 2:10 of 2:00 OVER  (one remark)")


def test_the_last_line_adds_everything_up() -> None:
    assert report.words(report.total(RUN)) == "230 passed, 1 failed, 2 skipped"


def test_the_json_holds_the_same_numbers(tmp_path: Path) -> None:
    report.write_json(tmp_path / "run.json", RUN, seed=7, set_up_s=61)
    facts = json.loads((tmp_path / "run.json").read_text())
    assert (facts["seed"], facts["passed"], facts["failed"]) == (7, 230, 1)
    assert facts["tiers"][1]["stage_budget_s"] == 120


def test_every_tier_belongs_to_a_stage_with_a_budget() -> None:
    assert {tier.stage for tier in TIERS} == set(BUDGET_S)
    assert set(LEFT_OUT_BY_FAST) <= {tier.name for tier in TIERS}
