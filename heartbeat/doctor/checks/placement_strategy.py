"""Pacemaker is not told to heed memory."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence

HEEDING = ("utilization", "minimal", "balanced")


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look at the option; its default heeds nothing."""
    strategy = evidence.cib.option("placement-strategy") or "default"
    if evidence.cib.guests and strategy not in HEEDING:
        text = f"placement-strategy is {strategy}: guests start where no memory is left"
        yield Finding("the cluster", text)


CHECK = Check(
    "placement-strategy",
    "The placement strategy ignores memory",
    Severity.ERROR,
    "With placement-strategy=default, as Pacemaker comes, capacity counts for nothing: "
    "after a failure the survivors are filled beyond their memory, and swap or kill.",
    "pcs property set placement-strategy=balanced, with capacities on every node.",
    (CIB,),
    look,
)
