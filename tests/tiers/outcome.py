"""How many tests passed, failed and were skipped: the numbers of one tier."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET


class Counts(NamedTuple):
    """Numbers of tests; a test that broke in its set-up or clean-up has failed."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def plus(self, other: Counts) -> Counts:
        """Add up."""
        return Counts(*(mine + its for mine, its in zip(self, other)))

    @property
    def total(self) -> int:
        """All tests that were found."""
        return sum(self)


class Outcome(NamedTuple):
    """What one tier came to."""

    name: str
    stage: str
    seconds: float
    counts: Counts
    remarks: tuple[str, ...] = ()


def of_pytest(report: Path, exit_code: int) -> tuple[Counts, tuple[str, ...]]:
    """Read pytest's JUnit report; an exit code it does not explain is a failure."""
    try:
        counts = _count(ET.parse(report).getroot())  # noqa: S314 — our own pytest wrote it
    except (OSError, ET.ParseError):
        return Counts(failed=1), ("pytest left no report",)
    if not counts.total:
        return Counts(failed=1), ("no test found",)
    if exit_code and not counts.failed:
        return counts.plus(Counts(failed=1)), (f"pytest exit code {exit_code}",)
    return counts, ()


def _count(root: ET.Element) -> Counts:
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    # A test that fails and then fails to clean up is two <testcase> of one name.
    results: dict[tuple[str, str], str] = {}
    for case in root.iter("testcase"):
        key = (case.get("classname", ""), case.get("name", ""))
        if results.get(key) != "failed":
            results[key] = _result(case)
    for result in results.values():
        counts[result] += 1
    return Counts(**counts)


def _result(case: ET.Element) -> str:
    found = {child.tag for child in case}
    if found & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in found else "passed"
