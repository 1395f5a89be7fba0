"""The whole cluster is told to stop what it runs."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.pacemaker.inventory import is_true

OPTION, ROLE = "stop-all-resources", "target-role"


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for the option, and for a default that comes to the same."""
    cib = evidence.cib
    if is_true(cib.option(OPTION)):
        yield Finding("the cluster", f"{OPTION} is true: no guest runs")
    if cib.resource_defaults.get(ROLE, "").lower() == "stopped":
        own = [guest.id for guest in cib.guests if ROLE in guest.meta]
        but = f" but {', '.join(own)}" if own else ""
        text = f"{ROLE} is Stopped by default: no guest runs{but}"
        yield Finding("the cluster", text)


CHECK = Check(
    "stop-all",
    "Everything is told to stop",
    Severity.ERROR,
    "stop-all-resources is set for work on the whole cluster and stops every resource; "
    "a default of target-role=Stopped stops each that sets none itself. Nothing is "
    "started again, here or elsewhere, until it is taken back.",
    "pcs property set stop-all-resources=false; pcs resource defaults update "
    "target-role=.",
    (CIB,),
    look,
)
