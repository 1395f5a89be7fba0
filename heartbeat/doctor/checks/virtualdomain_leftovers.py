"""What is left of VirtualDomain after, or instead of, the switch to VirtualMachine."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.agents.vm.parameters import PARAMETERS
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence

OLD, OURS = "ocf:heartbeat:VirtualDomain", "ocf:vmha:VirtualMachine"


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for resources of the old agent and for its parameters on ours."""
    deprecated = {p.name: p.deprecated for p in PARAMETERS if p.deprecated}
    for guest in evidence.cib.guests:
        if guest.agent == OLD:
            text = "it is still a VirtualDomain resource"
            yield Finding(f"guest {guest.id}", text)
        for name in sorted(set(guest.parameters) & set(deprecated)):
            if guest.agent == OURS:
                text = f"parameter {name}: {deprecated[name]}"
                yield Finding(f"guest {guest.id}", text, Severity.INFO)


CHECK = Check(
    "virtualdomain-leftovers",
    "Leftovers of VirtualDomain",
    Severity.WARNING,
    "VirtualDomain takes a guest for stopped when its file is missing, and lets two "
    "copies live. A mixture of both agents also counts memory by two rules.",
    "Switch the resource: /usr/share/vmha/switch-over shows what changes and does it "
    "while the guest runs.",
    (CIB,),
    look,
)
