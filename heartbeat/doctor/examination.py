"""Runs the catalogue over the evidence and sorts what comes of it.

Called by ``command.check``. Pure: everything that was to be asked has been asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vmha.heartbeat.doctor.check import (
    CIB,
    FACTS,
    FILE,
    STATUS,
    Check,
    Finding,
    Severity,
    Unknown,
)
from vmha.heartbeat.doctor.evidence import Evidence

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
"""Exit codes as Nagios, Icinga and Zabbix read them of a plugin."""

_SOURCES = {
    CIB: "no configuration of a cluster was given",
    STATUS: "the cluster does not run, or its status was not given",
    FILE: "no cluster file was given",
}


@dataclass(frozen=True)
class Result:
    """What one check has shown; all empty: it looked, and found nothing.

    ``passed_over`` says what was not given, so that it had nothing to look at.
    """

    check: Check
    findings: tuple[Finding, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    passed_over: str = ""

    def severity(self, finding: Finding) -> Severity:
        """Return how grave a finding is."""
        return finding.severity or self.check.severity


@dataclass(frozen=True)
class Report:
    """The results of all checks, in the catalogue's order."""

    results: tuple[Result, ...]
    unasked: tuple[Unknown, ...] = ()
    """Nodes that were to be asked and gave no answer at all."""
    was_asked: bool = False

    def of(self, severity: Severity) -> Iterator[tuple[Check, Finding]]:
        """Yield the findings of one severity."""
        for result in self.results:
            for finding in result.findings:
                if result.severity(finding) is severity:
                    yield result.check, finding

    def count(self, severity: Severity) -> int:
        """Count the findings of one severity."""
        return sum(1 for _ in self.of(severity))

    @property
    def has_gaps(self) -> bool:
        """Tell whether something that was to be looked at could not be."""
        gaps = any(result.unknown for result in self.results)
        return self.was_asked and (gaps or bool(self.unasked))

    @property
    def exit_code(self) -> int:
        """Return the code for a monitoring system; the gravest wins.

        A known fault is told before a gap: who has to act on 2 must not see 3.
        """
        if self.count(Severity.ERROR):
            return CRITICAL
        if self.count(Severity.WARNING):
            return WARNING
        return UNKNOWN if self.has_gaps else OK


def examine(evidence: Evidence, checks: Sequence[Check]) -> Report:
    """Run the checks over the evidence."""
    results = tuple(_examined(check, evidence) for check in checks)
    silent = [Unknown(f"node {n}", why) for n, why in sorted(evidence.unasked.items())]
    return Report(results, tuple(silent), evidence.was_asked)


def _examined(check: Check, evidence: Evidence) -> Result:
    missing = [_SOURCES[n] for n in check.needs if n in _absent(evidence)]
    nobody_asked = not evidence.was_asked and not evidence.facts
    if nobody_asked and any(need.startswith(FACTS) for need in check.needs):
        missing.append("no node was asked, and no facts were given")
    if missing:
        return Result(check, passed_over=missing[0])
    answers = list(check.look(evidence))
    findings = [a for a in answers if isinstance(a, Finding)]
    unknown = [a for a in answers if isinstance(a, Unknown)]
    return Result(
        check,
        tuple(dict.fromkeys(sorted(findings, key=lambda f: f[:2]))),
        tuple(dict.fromkeys([*_silent(check.needs, evidence), *unknown])),
    )


def _absent(evidence: Evidence) -> set[str]:
    """Return the sources that there are not."""
    there = {
        CIB: evidence.has_cib,
        STATUS: evidence.has_cib and evidence.cib.has_status,
        FILE: evidence.file is not None,
    }
    return {source for source, is_there in there.items() if not is_there}


def _silent(needs: Iterable[str], evidence: Evidence) -> Iterator[Unknown]:
    parts = [need[len(FACTS) :] for need in needs if need.startswith(FACTS)]
    for part in parts:
        for node, why in evidence.silent(part):
            yield Unknown(f"node {node}", why)
