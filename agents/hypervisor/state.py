"""The states in which a hypervisor can show a guest, in vmha's words.

Used by the pure decision tables; imports nothing of libvirt. The mapping from libvirt's
enums is in ``domains``.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """What libvirt says of a guest; the value is the phrase used in messages."""

    ABSENT = "unknown to libvirt"
    SHUT_OFF = "shut off"
    RUNNING = "running"
    PAUSED = "paused"
    MIGRATING = "paused in the middle of a migration"
    SHUTTING_DOWN = "shutting down"
    CRASHED = "crashed"
    SUSPENDED = "suspended by its own power management"
    SILENT = "not known, because libvirt gave no answer"

    @property
    def is_active(self) -> bool:
        """Tell whether libvirt holds an emulator for it."""
        return self not in (State.ABSENT, State.SHUT_OFF, State.SILENT)
