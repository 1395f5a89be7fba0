"""From what the node has, and what is reserved, to what it advertises. Pure."""

from __future__ import annotations

MEMORY = ("host_memory", "hv_memory")


def cpu(online: int, reserved: int, ratio: str) -> int:
    """Return how many virtual processors fit, rounded down, never negative.

    ``ratio`` is a decimal number as the parameter accepts it; no binary fraction is
    involved, so that 10 processors at 1.1 are 11.
    """
    whole, _, fraction = ratio.partition(".")
    scaled = max(0, online - reserved) * int(whole + fraction)
    return int(scaled // 10 ** len(fraction))


def memory_mib(online_mib: int, reserved_mib: int) -> int:
    """Return how much guest memory fits, never negative."""
    return max(0, online_mib - reserved_mib)
