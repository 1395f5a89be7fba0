"""The states in which a hypervisor can show a guest, in vmha's words.

Used by the pure decision tables; imports nothing of libvirt. Two of libvirt's reasons
are two states here where something is decided differently over them. The mapping from
libvirt's enums is in ``reasons``.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """What libvirt says of a guest; the value is the phrase used in messages."""

    ABSENT = "unknown to libvirt"
    SHUT_OFF = "shut off"
    RUNNING = "running"
    POSTCOPY = "running, with a part of its memory still on another node"
    PAUSED = "paused by an administrator"
    HALTED = "paused for a reason that libvirt does not tell"
    HELD = "paused by libvirt itself"
    STARTING = "being created"
    MIGRATING = "paused in the middle of a migration"
    TORN = "paused by post-copy: it executes on the other node"
    IO_ERROR = "paused by a disk I/O error"
    NO_SPACE = "paused because the storage below a disk is full"
    WATCHDOG = "paused by its watchdog"
    SHUTTING_DOWN = "shutting down"
    CRASHED = "crashed"
    SUSPENDED = "suspended by its own power management"
    SILENT = "not known, because libvirt gave no answer"

    @property
    def is_active(self) -> bool:
        """Tell whether libvirt holds an emulator for it."""
        return self not in (State.ABSENT, State.SHUT_OFF, State.SILENT)
