"""The only fence devices of a node lose their power together with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence

FEEDS = ("vmha-rack", "rack", "power", "power-feed", "feed")


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look at nodes that share a rack or feed and have nothing but their BMC."""
    cib = evidence.cib
    if devices.has_watchdog(cib):
        return
    feeds = _feeds(evidence)
    sharing = Counter(feeds.values())
    for node, feed in sorted(feeds.items()):
        ways = devices.ways(cib, node)
        only_bmc = bool(ways) and all(any(map(devices.is_bmc, way)) for way in ways)
        if only_bmc and sharing[feed] > 1:
            text = (
                f"it cannot be fenced without its BMC, and {feed} feeds "
                f"{sharing[feed]} nodes: without that power the BMC is dead too, and "
                "fencing never ends"
            )
            yield Finding(f"node {node}", text)


def _feeds(evidence: Evidence) -> Mapping[str, str]:
    """Return what each node shares with others: its rack or power feed."""
    found: dict[str, str] = {}
    for entry in evidence.file.nodes if evidence.file else ():
        if entry.rack:
            found[entry.name] = f"rack {entry.rack}"
    for node in evidence.cib.nodes:
        attributes = evidence.cib.node_attributes(node)
        for name in FEEDS:
            if attributes.get(name, node) != node:
                found.setdefault(node, f"{name} {attributes[name]}")
    return found


CHECK = Check(
    "bmc-on-shared-power",
    "A BMC is the only fence device on shared power",
    Severity.WARNING,
    "A BMC has no power when its server has none. If a feed fails, no survivor can "
    "prove the nodes on it off, and their guests stay down until somebody confirms.",
    "Add a second level that lives elsewhere: a switched power strip, sbd on shared "
    "storage, or a watchdog.",
    (CIB,),
    look,
)
