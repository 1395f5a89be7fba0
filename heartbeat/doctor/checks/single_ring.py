"""One network carries all of the cluster's heartbeats."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import Answer, Check, Finding, Severity, Unknown
from vmha.heartbeat.doctor.evidence import Evidence

TEXT = "Corosync has one link: a cable or switch that fails lets the nodes be fenced"


def look(evidence: Evidence) -> Iterator[Answer]:
    """Count the rings in the cluster file, and the links that Corosync uses.

    A node to which no link is up is down, which is another finding.
    """
    if evidence.file is not None:
        single = [n.name for n in evidence.file.nodes if len(n.addresses) == 1]
        for node in single if len(evidence.file.nodes) > 1 else ():
            yield Finding(f"node {node}", "it has one address: Corosync has one link")
    told = list(evidence.parts("corosync"))
    counts = {node: corosync.number("links") for node, corosync in told}
    if counts and all(count == 1 for count in counts.values()):
        yield Finding("the cluster", TEXT)
    for node, corosync in told:
        for link in corosync.texts("links_down"):
            yield Finding(f"node {node}", f"its {link} is down, and another one is up")
    if evidence.file is None and not evidence.facts and not evidence.was_asked:
        yield Unknown("the cluster", "neither a cluster file nor facts tell its links")


CHECK = Check(
    "single-ring",
    "A single ring",
    Severity.WARNING,
    "Corosync takes up to eight links and uses the others when one fails. With one, a "
    "switch that restarts costs a fencing.",
    "Give every node a second address on another network (ring1_addr).",
    (),
    look,
)
