"""Fencing is switched off."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.pacemaker.inventory import is_true


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look for the option under both of its spellings; it is on by default."""
    value = evidence.cib.option(*devices.ENABLED)
    if value is not None and not is_true(value):
        text = f"{devices.ENABLED[1]} is {value}: a lost node is taken for dead unseen"
        yield Finding("the cluster", text)


CHECK = Check(
    "fencing-disabled",
    "Fencing is off",
    Severity.ERROR,
    "Without fencing Pacemaker starts the guests of a node that it no longer sees, "
    "whether that node still runs them or not. Two copies then write to one disk.",
    "Configure a device for every node, then pcs property set stonith-enabled=true.",
    (CIB,),
    look,
)
