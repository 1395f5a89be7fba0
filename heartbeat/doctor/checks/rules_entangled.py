"""Guests of which so many are placed by one another that Pacemaker takes its time."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import rules
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.planning import chains


def look(evidence: Evidence) -> Iterator[Finding]:
    """Count the chains of all colocations, as many as Pacemaker follows."""
    pairs = [pair for pair, _, _ in rules.colocations(evidence.cib)]
    found = chains.counted(pairs)
    if not found.are_many:
        return
    is_worse = found.are_too_many
    count = f"more than {found.of_one - 1}" if is_worse else str(found.of_one)
    yield Finding(
        f"resource {found.guest}",
        f"its place follows from {count} chains of colocations"
        + (", and nothing fails over while Pacemaker goes through them" * is_worse),
        Severity.ERROR if is_worse else Severity.WARNING,
    )


CHECK = Check(
    "rules-entangled",
    "Too many rules between the same guests",
    Severity.WARNING,
    "For each guest Pacemaker goes through every chain of colocations that leads to "
    "others. Where guests all shun one another each more doubles them: a dozen costs "
    "every decision a second, eighteen a minute, and a failover waits for it.",
    "Let at most ten guests shun one another: several smaller sets (spread), without a "
    "guest in common.",
    (CIB,),
    look,
)
