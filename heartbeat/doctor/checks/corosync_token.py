"""Corosync's token and consensus against what the network was measured to do."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import FACTS, Answer, Check, Finding, Severity, Unknown
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.reading import Reading

LEAST_MS = 1000.0
"""Below it, ordinary load of a host passes for a loss (corosync #600)."""
MARGIN = 4.0
"""A round in which a hop took the worst time seen, that many times over."""
SLOW_S = 6.0
"""A detection that is worth a hint."""
CONSENSUS = 1.2


def look(evidence: Evidence) -> Iterator[Answer]:
    """Compare each node's timers with its links' latencies."""
    hints: list[str] = []
    for node, corosync in evidence.parts("corosync"):
        token_ms = corosync.number("token_ms")
        consensus_ms = corosync.number("consensus_ms")
        if token_ms is None or consensus_ms is None:
            yield Unknown(f"node {node}", "Corosync does not tell its timers")
            continue
        cost_s = (token_ms + consensus_ms) / 1000
        needed_ms = _needed_ms(corosync)
        cost = f"a dead node is noticed after {cost_s:.1f} s"
        if consensus_ms < CONSENSUS * token_ms:
            text = (
                f"consensus is {consensus_ms:.0f} ms, less than {CONSENSUS} x the "
                f"token of {token_ms:.0f} ms: memberships are formed twice"
            )
            yield Finding(f"node {node}", text)
        if needed_ms is None:
            yield Unknown(f"node {node}", "no latency of its links was measured yet")
        elif token_ms < needed_ms:
            text = (
                f"token is {token_ms:.0f} ms and the network needs {needed_ms:.0f}: a "
                f"burst of load gets a node fenced; {cost} now"
            )
            yield Finding(f"node {node}", text)
        elif cost_s > SLOW_S and token_ms > 2 * max(LEAST_MS, needed_ms):
            best_ms = max(LEAST_MS, needed_ms)
            saved_s = cost_s - (1 + CONSENSUS) * best_ms / 1000
            hints.append(
                f"{cost}; what was measured allows a token of {best_ms:.0f} ms, which "
                f"saves {saved_s:.1f} s"
            )
    if hints:
        yield Finding("the cluster", sorted(hints)[0], Severity.INFO)


def _needed_ms(corosync: Reading) -> float | None:
    """Return the shortest token that a round of the measured latencies allows."""
    nodes = corosync.number("nodes") or 2.0
    worst = corosync.number("latency_max_ms")
    usual = corosync.number("latency_ave_ms")
    if worst is None or usual is None:
        return None
    return MARGIN * (worst + nodes * usual)


CHECK = Check(
    "corosync-token",
    "Token and consensus do not fit the network",
    Severity.WARNING,
    "A node is lost when the token did not come round in time (token), and the others "
    "then agree (consensus): together this is the time until anything begins, "
    "0.93 to 1.0 x (token + consensus) as measured. Too short, and a busy moment "
    "fences a healthy node; too long, and every failover waits for it.",
    "Set token (and token_coefficient) in corosync.conf, on all nodes alike.",
    (FACTS + "corosync",),
    look,
)
