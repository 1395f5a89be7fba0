"""A report as text for a person and as JSON for a program. Pure.

The JSON is documented in docs/doctor.md and stable.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from vmha.heartbeat.doctor import catalogue
from vmha.heartbeat.doctor.check import Check, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.examination import Report, Result

WORDS = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "HINT"}
MARGIN = 9


def text(report: Report, evidence: Evidence, width: int) -> Iterator[str]:
    """Yield the lines: what was looked at, findings by group, gaps, a last line."""
    yield _sources(evidence)
    by_id = {result.check.id: result for result in report.results}
    for group, checks in catalogue.GROUPS.items():
        found = [by_id[c.id] for c in checks if c.id in by_id and by_id[c.id].findings]
        if found:
            yield ""
            yield group
            for result in found:
                yield from _finding_lines(result, width)
    gaps = list(_gap_lines(report, width))
    if gaps:
        yield ""
        yield "Not known"
        yield from gaps
    yield ""
    yield _last(report)


def listed(width: int) -> Iterator[str]:
    """Yield the whole catalogue with its explanations."""
    for group, checks in catalogue.GROUPS.items():
        yield group
        for check in checks:
            yield f"  {check.id} ({check.severity.value}): {check.title}"
            yield from _wrapped(check.explanation, width, "      ")
            yield from _wrapped(f"Remedy: {check.remedy}", width, "      ")
        yield ""


def catalogue_json() -> list[dict[str, str]]:
    """Return the catalogue for programs."""
    return [
        {
            "id": check.id,
            "group": group,
            "title": check.title,
            "severity": check.severity.value,
            "explanation": check.explanation,
            "remedy": check.remedy,
        }
        for group, checks in catalogue.GROUPS.items()
        for check in checks
    ]


def as_json(report: Report) -> dict[str, object]:
    """Return the report for programs."""
    return {
        "exit_code": report.exit_code,
        "findings": [
            {
                "check": result.check.id,
                "severity": result.severity(finding).value,
                "subject": finding.subject,
                "text": finding.text,
                "remedy": result.check.remedy,
            }
            for result in report.results
            for finding in result.findings
        ],
        "unknown": [
            {"check": result.check.id, "subject": gap.subject, "reason": gap.reason}
            for result in report.results
            for gap in result.unknown
        ],
        "unasked": {gap.subject[len("node ") :]: gap.reason for gap in report.unasked},
        "passed_over": [
            {"check": result.check.id, "reason": result.passed_over}
            for result in report.results
            if result.passed_over
        ],
        "checks": len(report.results),
    }


def _sources(evidence: Evidence) -> str:
    parts = []
    if evidence.file is not None:
        parts.append(f"the file {evidence.file.path}")
    if evidence.has_cib and not evidence.cib.is_rendered:
        kind = "a running cluster" if evidence.cib.has_status else "a configuration"
        parts.append(f"{kind} of {_counted(len(evidence.cib.nodes), 'node')}")
    if evidence.facts:
        parts.append(f"facts of {', '.join(sorted(evidence.facts))}")
    return f"Looked at {' and '.join(parts) or 'nothing'}."


def _finding_lines(result: Result, width: int) -> Iterator[str]:
    for finding in result.findings:
        word = WORDS[result.severity(finding)]
        body = f"{finding.subject}: {finding.text}"
        first, *rest = _wrapped(body, width, " " * (MARGIN + 2))
        yield f"  {word:{MARGIN}}{first.strip()}"
        yield from rest
    note = f"{result.check.id}: {result.check.remedy}"
    yield from _wrapped(note, width, " " * (MARGIN + 4))


def _gap_lines(report: Report, width: int) -> Iterator[str]:
    """Yield one line for each subject and reason, with how many checks it costs."""
    unasked = {gap.subject for gap in report.unasked}
    for gap in report.unasked:
        yield from _wrapped(f"{gap.subject}: {gap.reason}", width, "  ")
    costs: dict[tuple[str, str], list[Check]] = {}
    for result in report.results:
        for gap in result.unknown:
            if gap.subject not in unasked:
                costs.setdefault((gap.subject, gap.reason), []).append(result.check)
    for (subject, reason), checks in costs.items():
        names = ", ".join(check.id for check in checks)
        yield from _wrapped(f"{subject}: {reason} ({names})", width, "  ")
    passed: dict[str, int] = {}
    for result in report.results:
        if result.passed_over:
            passed[result.passed_over] = passed.get(result.passed_over, 0) + 1
    for reason, count in passed.items():
        line = f"{reason}: {_counted(count, 'check')} had nothing to look at"
        yield from _wrapped(line, width, "  ")


def _last(report: Report) -> str:
    counts = [
        _counted(report.count(Severity.ERROR), "error"),
        _counted(report.count(Severity.WARNING), "warning"),
        _counted(report.count(Severity.INFO), "hint"),
    ]
    clean = [r for r in report.results if not (r.findings or r.unknown)]
    looked = sum(1 for r in clean if not r.passed_over)
    last = (
        f"{', '.join(counts)}; {looked} of {len(report.results)} checks found nothing"
    )
    return f"{last}, and not all could be asked." if report.has_gaps else f"{last}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _wrapped(body: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        body,
        max(width, 40),
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
