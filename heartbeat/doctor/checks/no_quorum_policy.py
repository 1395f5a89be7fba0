"""A partition without quorum goes on as if it had it."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for the policy that ignores quorum."""
    if evidence.cib.option("no-quorum-policy") == "ignore":
        text = "no-quorum-policy is ignore: every fragment fences the others and starts"
        yield Finding("the cluster", text)


CHECK = Check(
    "no-quorum-policy",
    "Quorum is ignored",
    Severity.ERROR,
    "With no-quorum-policy=ignore each fragment of a cluster that fell apart takes "
    "itself for the whole. A two-node cluster needs Corosync's two_node, not this.",
    "pcs property set no-quorum-policy=stop, and two_node: 1 in corosync.conf for two "
    "nodes.",
    (CIB,),
    look,
)
