"""The numbers of a tier are those of pytest's report, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiers.outcome import Counts, of_pytest


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return tmp_path / "report.xml"


def _write(report: Path, *cases: str) -> None:
    report.write_text(
        f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"
    )


def _case(name: str, inside: str = "") -> str:
    return f'<testcase classname="m" name="{name}">{inside}</testcase>'


def test_each_test_counts_once(report: Path) -> None:
    _write(
        report,
        _case("fine"),
        _case("bad", "<failure/>"),
        _case("broken set-up", "<error/>"),
        _case("elsewhere", "<skipped/>"),
    )
    assert of_pytest(report, 1) == (Counts(1, 2, 1), ())


def test_a_test_that_fails_and_cannot_clean_up_is_one_failure(report: Path) -> None:
    _write(report, _case("bad", "<failure/>"), _case("bad", "<error/>"))
    assert of_pytest(report, 1) == (Counts(failed=1), ())


def test_a_failure_to_clean_up_is_a_failure(report: Path) -> None:
    _write(report, _case("fine"), _case("fine", "<error/>"))
    assert of_pytest(report, 1) == (Counts(failed=1), ())


def test_a_tier_without_tests_has_failed(report: Path) -> None:
    _write(report)
    assert of_pytest(report, 5) == (Counts(failed=1), ("no test found",))


def test_a_crash_of_pytest_is_a_failure(report: Path) -> None:
    assert of_pytest(report, 3) == (Counts(failed=1), ("pytest left no report",))
    report.write_text("<testsuites>")
    assert of_pytest(report, 3) == (Counts(failed=1), ("pytest left no report",))


def test_an_exit_code_that_the_report_does_not_explain_is_a_failure(
    report: Path,
) -> None:
    _write(report, _case("fine"))
    assert of_pytest(report, 2) == (Counts(1, 1, 0), ("pytest exit code 2",))
