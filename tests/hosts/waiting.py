"""Waiting for what is to come, with an end."""

from __future__ import annotations

import time
from typing import Callable

STEP_S = 0.05


def until(limit_s: float, holds: Callable[[], object], complaint: str) -> float:
    """Wait until ``holds`` and return the seconds it took; else fail."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > limit_s:
            raise AssertionError(f"{complaint} (waited {limit_s:g} s)")
        time.sleep(STEP_S)
    return time.monotonic() - started


def never(for_s: float, happens: Callable[[], object], complaint: str) -> None:
    """Watch for a while that something does not happen."""
    end = time.monotonic() + for_s
    while time.monotonic() < end:
        assert not happens(), complaint
        time.sleep(STEP_S)
