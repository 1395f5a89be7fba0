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
    found = chains.counted(pairs, len(evidence.cib.nodes))
    if not found.are_many:
        return
    is_worse = found.are_too_many
    yield Finding(
        f"resource {found.guest}",
        f"its place follows from {found.of_one} chains of colocations"
        + (", and nothing fails over while Pacemaker goes through them" * is_worse),
        Severity.ERROR if is_worse else Severity.WARNING,
    )


CHECK = Check(
    "rules-entangled",
    "Too many rules between the same guests",
    Severity.WARNING,
    "For each guest Pacemaker goes through every chain of colocations that leads to "
    "others. Where guests all shun one another each more doubles them: with four nodes "
    "18 cost every decision a second, 22 cost it 19, and a failover waits for it.",
    "Let fewer guests shun one another: several smaller sets (spread), without a guest "
    "in common.",
    (CIB,),
    look,
)
