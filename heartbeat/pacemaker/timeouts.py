"""How long Pacemaker waits for each action of a guest of a given size.

Pure. Rendering writes these; the doctor compares what is configured with them. The
times are limits, not expectations: a guest that needs less costs nothing by them.
"""

from __future__ import annotations

START_S = 120
MONITOR_S = 30
MONITOR_INTERVAL_S = 10
MIGRATE_FROM_S = 60

STOP_S = 180
FREED_MIB_PER_S = 1024
"""How fast memory of a guest is given back at least, on a node that swaps."""

LINK_MIB_PER_S = 100
"""What is left of a link of 1 Gbit/s."""

PASSES = 2
"""How often the memory is sent: once, and again what was written meanwhile."""

MIGRATION_LEAST_S = 300
SETTLING_S = 60
DEVICE_MONITOR_INTERVAL_S = 60


def stop_s(memory_mib: int) -> int:
    """Return the time for a clean shutdown, then the forced end, then the proof."""
    return _rounded(STOP_S + memory_mib / FREED_MIB_PER_S)


def migrate_to_s(memory_mib: int, link_mib_per_s: float = LINK_MIB_PER_S) -> int:
    """Return the time for a live migration over such a link, up to its abortion."""
    sent_s = PASSES * memory_mib / link_mib_per_s
    return max(MIGRATION_LEAST_S, _rounded(SETTLING_S + sent_s))


def _rounded(seconds: float) -> int:
    """Round up to whole tens: a small change of size then changes no timeout."""
    return -(-int(seconds) // 10) * 10
