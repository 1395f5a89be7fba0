"""What fence devices answered when they were asked, and what such words mean.

Called by the checks of accounts and of reachability, which share the answers: the
nodes' own (``vmha node-facts`` runs a monitor there) and Pacemaker's last results.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.evidence import Evidence

# As vmha's agents, ipmitool, fence_ipmilan and Redfish services put it.
_OF_ACCOUNT = (
    "privilege",
    "password",
    "unauthorized",
    "401",
    "403",
    "insufficient",
    "no user",
    "login failed",
    "invalid user",
    "rakp 2",
    "hmac",
)
_FAILED = ("failed", "unanswered")


def said(evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """Yield device, node and words of every refusal or silence."""
    for node, fencing in evidence.parts("fencing"):
        for device, answer in fencing.members("devices"):
            if answer.text("is") in _FAILED:
                yield device, node, answer.text("said") or "it failed without a word"
    for one in evidence.cib.devices:
        for node, op in evidence.cib.history(one.id):
            is_failure = op.get("rc-code", "0") not in ("0", "7", "193")
            words = op.get("exit-reason", "")
            asked_itself = any(n == node for n, _ in evidence.parts("fencing"))
            if is_failure and not asked_itself:
                name = op.get("operation", "an operation")
                yield one.id, node, words or f"its {name} failed there"


def of_account(words: str) -> bool:
    """Tell whether a device answered and declined the login."""
    lower = words.lower()
    return any(word in lower for word in _OF_ACCOUNT)
