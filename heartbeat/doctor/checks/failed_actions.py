"""Actions that failed and were not cleaned up."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import STATUS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence

SUCCESSES = {"0", "190"}
NOT_YET = "193"
NOT_RUNNING, MASTER = "7", "8"


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for recorded failures; a probe that finds nothing is none."""
    for resource in evidence.cib.resources:
        for node, op in evidence.cib.history(resource.id):
            code, name = op.get("rc-code", "0"), op.get("operation", "")
            is_probe = name == "monitor" and op.get("interval", "0") == "0"
            expected = {*SUCCESSES, NOT_YET} | (
                {NOT_RUNNING, MASTER} if is_probe else set()
            )
            is_failure = "last_failure" in op.get("id", "") and not is_probe
            if code not in expected or (is_failure and code not in SUCCESSES):
                why = op.get("exit-reason") or f"exit code {code}"
                text = f"{name} failed on {node}: {why}"
                yield Finding(f"resource {resource.id}", text)


CHECK = Check(
    "failed-actions",
    "Failed actions",
    Severity.WARNING,
    "Pacemaker counts failures: at migration-threshold it takes a resource away from a "
    "node, and a failed start does so at once. A failure that is long mended still "
    "counts until it is cleaned up or its failure-timeout has passed.",
    "See to the cause, then pcs resource cleanup RESOURCE (pcs stonith cleanup for a "
    "fence device).",
    (STATUS,),
    look,
)
