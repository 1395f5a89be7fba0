"""Processes that may outlive us, named so that a pid used again is never mistaken.

A process is its pid and its start time (field 22 of /proc/PID/stat). Records of them
are how a crashed run's processes are found and ended, and no others.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .commands import environment
from .errors import CannotHost, TimedOut

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process of the machine, for ever this one."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this pid now (start time 0 when there is none)."""
        return cls(pid, (_stat(pid) or ("", "0"))[1])

    @classmethod
    def me(cls) -> Process:
        return cls.of(os.getpid())

    @classmethod
    def read(cls, record: Path) -> Process | None:
        """The process on record, or None when there is no record."""
        try:
            pid, started = record.read_text().split()
            return cls(int(pid), started)
        except (OSError, ValueError):
            return None

    def write(self, record: Path) -> None:
        """Put the process on record, at once and whole."""
        new = record.with_name(f".{record.name}.{os.getpid()}")
        new.write_text(f"{self.pid} {self.started}\n")
        new.rename(record)

    def alive(self) -> bool:
        """Whether it still runs; a zombie's work is over."""
        found = _stat(self.pid)
        return found is not None and found[1] == self.started and found[0] not in "ZX"

    def signal(self, number: int) -> None:
        """Send a signal; to a process that is gone it is nothing."""
        try:
            handle = os.pidfd_open(self.pid)
        except OSError:
            return
        try:
            if self.alive():
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)


def spawn(argv: list[str], log: Path) -> Process:
    """Start a process that outlives us, in a session of its own; it writes to a log.

    Raises CannotHost when the program is not installed.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = [
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    clean = environment()
    try:
        pid = os.posix_spawnp(argv[0], argv, clean, file_actions=files, setsid=True)
    except OSError as error:
        raise CannotHost(f"{argv[0]} cannot be run: {error.strerror}") from error
    return Process.of(pid)


def end(processes: Iterable[Process], timeout_s: float = 20.0) -> None:
    """Kill processes and wait until all are gone; raises TimedOut."""
    left = [process for process in processes if process.alive()]
    ends = time.monotonic() + timeout_s
    while left:
        for process in left:
            process.signal(signal.SIGKILL)
        left = [process for process in left if process.alive()]
        if left and time.monotonic() > ends:
            pids = ", ".join(str(process.pid) for process in left)
            raise TimedOut(f"processes {pids} do not end within {timeout_s:g} s")
        time.sleep(0.02)


def wait_ended(process: Process, timeout_s: float = 20.0) -> None:
    """Wait until a process has ended by itself; raises TimedOut."""
    ends = time.monotonic() + timeout_s
    while process.alive():
        if time.monotonic() > ends:
            raise TimedOut(f"process {process.pid} lives on after {timeout_s:g} s")
        time.sleep(0.02)


def _stat(pid: int) -> tuple[str, str] | None:
    """State letter and start time of a pid, or None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return (fields[0], fields[19]) if len(fields) > 19 else None
