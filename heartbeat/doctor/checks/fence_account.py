"""A fence device whose account may not power a node off."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.refusals import of_account, said

TOO_LOW = ("user", "callback")


def look(evidence: Evidence) -> Iterator[Finding]:
    """Look at the privilege asked for, and at what devices answered to nodes."""
    for device in evidence.cib.devices:
        asked = device.parameters.get("privlvl", "").lower()
        if asked in TOO_LOW:
            text = f"it logs in with privlvl={asked}, which may read and not switch"
            yield Finding(f"fence device {device.id}", text)
    for name, node, words in said(evidence):
        if of_account(words):
            yield Finding(f"fence device {name}", f"asked from {node}: {words}")


CHECK = Check(
    "fence-account",
    "Fence device with an account that may not fence",
    Severity.ERROR,
    "An account of the privilege USER, or one with a wrong password, lets nobody "
    "switch the power. Many agents' monitors only read and so do not notice the first.",
    "Give the account the privilege OPERATOR (Redfish: Operator) on the BMC, and see "
    "to its password there and in the device's password_file.",
    (CIB,),
    look,
)
