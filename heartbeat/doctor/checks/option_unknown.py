"""A cluster option that this Pacemaker does not know."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, FACTS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence

OWN = {"cluster-infrastructure", "cluster-name", "dc-version", "have-watchdog"}
"""What Pacemaker and its tools write by themselves."""
WRITTEN = ("last-lrm-refresh", "hostlist", "vmha-")


def look(evidence: Evidence) -> Iterator[Finding]:
    """Compare the options that are set with those that each node's Pacemaker lists."""
    names = set(evidence.cib.properties) - OWN
    names -= {n for n in names if n.startswith(WRITTEN)}
    for node, pacemaker in evidence.parts("pacemaker"):
        known = set(pacemaker.texts("options"))
        for name in sorted(names - known) if known else ():
            version = pacemaker.text("version")
            text = f"{name} is set, which Pacemaker {version} on {node} does not know"
            yield Finding("the cluster", text)


CHECK = Check(
    "option-unknown",
    "Cluster option unknown to Pacemaker",
    Severity.WARNING,
    "An option that Pacemaker does not know is ignored without a word. Pacemaker 3.0.2 "
    "renamed the stonith-* options to fencing-*, and versions before it know only the "
    "former.",
    "Correct the name; pcs property list --all shows those that are known.",
    (CIB, FACTS + "pacemaker"),
    look,
)
