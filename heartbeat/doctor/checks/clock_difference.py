"""Nodes whose clocks differ."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import FACTS, Answer, Check, Finding, Severity, Unknown
from vmha.heartbeat.doctor.evidence import Evidence

BEARABLE_S = 1.0


def look(evidence: Evidence) -> Iterator[Answer]:
    """Compare each node's clock with that of the asker, less what the asking took."""
    for node, facts in sorted(evidence.facts.items()):
        offset_s = facts.offset_s
        if offset_s is None:
            continue
        least_s = max(0.0, abs(offset_s) - facts.within_s)
        if least_s > BEARABLE_S:
            side = "ahead of" if offset_s > 0 else "behind"
            text = f"its clock is {abs(offset_s):.1f} s {side} the asking node's"
            yield Finding(f"node {node}", text)
        elif facts.within_s > 10 * BEARABLE_S:
            reason = (
                f"its answer took {2 * facts.within_s:.0f} s, which hides its clock"
            )
            yield Unknown(f"node {node}", reason)
    for node, clock in evidence.parts("time"):
        if clock.flag("synchronised") is False:
            text = "its clock follows no other: no time service has set it"
            yield Finding(f"node {node}", text, Severity.INFO)


CHECK = Check(
    "clock-difference",
    "Clocks differ",
    Severity.WARNING,
    "Pacemaker compares the times of failures from several nodes, and so do people who "
    "read logs after a failover. Certificates for migration over TLS also expire.",
    "Run chrony or systemd-timesyncd on every node.",
    (FACTS + "time",),
    look,
)
