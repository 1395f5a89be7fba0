"""Every number by which Pacemaker is told how to place guests, and their arithmetic.

Read by ``instructions`` (what the configuration says) and ``assignment`` (what
Pacemaker makes of it), so that the two cannot differ. The choice between these numbers
and others was measured: docs/decisions/0021.
"""

from __future__ import annotations

INFINITY = 1_000_000
"""Always, or with a minus never (Pacemaker Explained, "Scores")."""

STRATEGY = "utilization"
"""placement-strategy: sizes are never ignored, and ties go by number of resources."""

STICKINESS = 100_000
"""resource-stickiness: above the sum of all soft wishes, so that none moves a guest."""

FOOTING = 1_000
"""What a guest that a soft rule names has on every node, or a multiple of it.

More than all soft rules can take away from it on one node, so that they never make a
node unusable.
"""

PREFER = 100
"""For each preferred node, times its rank from the end of the list."""

SOFT_LOCATION = 500
"""For a soft pin's nodes; with a minus for a soft avoid's."""

SOFT_SPREAD = -200
"""For a node (or rack) that holds another guest of a soft spread."""

SOFT_TOGETHER = 200
"""For the node that holds the guest one would rather be with."""

LEAST_PRIORITY = 10
"""Guests are above fence devices and clones, which have priority 0.

What is placed before a guest counts in the number of resources of its node; placed
after all guests, nothing else has a say in where they go.
"""

MOST_PRIORITY = 800_000
"""Of a class, as written; below what Pacemaker cuts scores at, and the next one."""

UNMANAGED_PRIORITY = 900_000
"""For guests that are not restarted: what they use is counted before anything else."""

RACK_ATTRIBUTE = "vmha-rack"
CPU = "cpu"
MEMORY = "hv_memory"


def added(one: int, other: int) -> int:
    """Add two scores as Pacemaker does: never wins over always, both over numbers."""
    if one <= -INFINITY or other <= -INFINITY:
        return -INFINITY
    if one >= INFINITY or other >= INFINITY:
        return INFINITY
    return max(-INFINITY, min(INFINITY, one + other))


def read(text: str) -> int:
    """Return the number of a score as Pacemaker spells it."""
    words = {"INFINITY": INFINITY, "+INFINITY": INFINITY, "-INFINITY": -INFINITY}
    return words[text] if text in words else int(text)


def written(value: int) -> str:
    """Return a number as Pacemaker spells a score."""
    if abs(value) >= INFINITY:
        return "-INFINITY" if value < 0 else "INFINITY"
    return str(value)
