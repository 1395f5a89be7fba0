"""Why a guest stays down: the codes, all of them, and their sentences.

The schema of the command's output lists the same codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

CAPACITY = "capacity"
RULE = "rule"
NO_QUORUM = "no-quorum"
NO_NODE = "no-node"
NOT_HA = "not-ha"
UNMANAGED = "unmanaged"
STOPPED = "stopped"
PACEMAKER = "pacemaker"

REASONS = (
    CAPACITY,
    RULE,
    NO_QUORUM,
    NO_NODE,
    NOT_HA,
    UNMANAGED,
    STOPPED,
    PACEMAKER,
)


class Reason(NamedTuple):
    """A code for programs and a sentence for people."""

    code: str
    text: str


class Room(NamedTuple):
    """What a node had left when a guest had its turn."""

    node: str
    cpu: int
    memory_mib: int


def not_ha() -> Reason:
    """It is not restarted because nobody asked for it."""
    return Reason(NOT_HA, "ha is off for this guest, so it is not restarted.")


def unmanaged() -> Reason:
    """It is meant to run, but nobody may do anything to it."""
    return Reason(
        UNMANAGED,
        "Pacemaker does not manage it now (maintenance), so nothing restarts it.",
    )


def stopped() -> Reason:
    """The cluster is told to run nothing."""
    return Reason(
        STOPPED, "The cluster is told to stop everything (stop-all-resources)."
    )


def waiting(first: str) -> Reason:
    """An order, or a colocation, keeps it down with another."""
    return Reason(RULE, f"It runs only with {first}, which is down.")


def pacemaker() -> Reason:
    """Pacemaker was asked, and does not start it where the planner would."""
    return Reason(
        PACEMAKER,
        "Pacemaker's own scheduler (crm_simulate) does not start it; by what the "
        "planner reckons with it would.",
    )


def crowded(node: str, over_mib: int) -> Reason:
    """Pacemaker would start it where it does not fit."""
    return Reason(
        CAPACITY,
        f"Pacemaker would start it on {node}, which then holds {over_mib} MiB more "
        "than it has.",
    )


def no_node() -> Reason:
    """No node is left at all."""
    return Reason(NO_NODE, "No node is left to run anything.")


def no_quorum(left: int, nodes: int, remedy: str) -> Reason:
    """The nodes that are left may not run anything."""
    verb = "has" if left == 1 else "have"
    return Reason(
        NO_QUORUM,
        f"{left} of {nodes} nodes {verb} no quorum, so nothing runs there; {remedy} "
        "would change that.",
    )


def rule(causes: Iterable[str]) -> Reason:
    """Hard rules leave it no node."""
    told = "; ".join(causes) or "hard rules exclude every node that is left"
    return Reason(RULE, f"No node that is left is allowed: {told}.")


def capacity(cpu: int, memory_mib: int, rooms: Iterable[Room]) -> Reason:
    """No allowed node has room, when its turn comes."""
    known = list(rooms)
    wants_memory = all(room.memory_mib < memory_mib for room in known)
    wants_cpu = all(room.cpu < cpu for room in known)
    if wants_memory:
        most = max(known, key=lambda room: (room.memory_mib, room.node))
        text = (
            f"It needs {memory_mib} MiB; the most that is free on any allowed node is "
            f"{most.memory_mib} MiB ({most.node})."
        )
    elif wants_cpu:
        most = max(known, key=lambda room: (room.cpu, room.node))
        text = (
            f"It needs {cpu} CPUs; the most that is free on any allowed node is "
            f"{most.cpu} ({most.node})."
        )
    else:
        text = (
            f"It needs {memory_mib} MiB and {cpu} CPUs; no allowed node has both free: "
            + ", ".join(
                f"{room.node} has {room.memory_mib} MiB and {room.cpu} CPUs"
                for room in known
            )
            + "."
        )
    return Reason(CAPACITY, text)
