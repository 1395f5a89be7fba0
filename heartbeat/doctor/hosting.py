"""On which nodes a guest may run, and what it would miss there.

Called by the checks of disks, networks and machines, which share the nodes' answers. A
node from which a rule keeps the guest away misses nothing that it needs. What a
resource started before the guest brings may be absent until then, by design.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import Answer, Finding, Unknown
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.reading import Reading


def guests(evidence: Evidence) -> Iterator[tuple[str, str, Reading]]:
    """Yield guest, node and what the node says of it, for nodes where it may run."""
    banned = {g.id: evidence.cib.banned(g.id) for g in evidence.cib.guests}
    for node, part in evidence.parts("guests"):
        for guest, one in part.members("guests"):
            if node not in banned.get(guest, ()):
                yield guest, node, one


def missing(evidence: Evidence, kinds: tuple[str, ...]) -> Iterator[Answer]:
    """Yield what each guest would miss on each node, of some kinds of needs."""
    for guest, node, one in guests(evidence):
        absent = one.part("missing")
        found = [
            text for kind in kinds for text in (absent.texts(kind) if absent else ())
        ]
        if found and evidence.cib.has_bringers(guest):
            reason = f"on {node} {found[0]}; a resource started before it may bring it"
            yield Unknown(f"guest {guest}", reason)
        elif found:
            yield Finding(f"guest {guest}", f"on {node}: {'; '.join(found)}")
        unread = one.texts("unanswered")
        for kind in kinds:
            for reason in (text for text in unread if text.startswith(f"{kind}:")):
                yield Unknown(f"guest {guest}", f"on {node}: {reason}")
