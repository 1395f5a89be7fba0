"""The programs that this process has begun, and their end.

Called where a library starts programs by itself (libvirt runs ssh) and is left behind:
they must not outlive the operation that wanted them.
"""

from __future__ import annotations

import os
import signal

_TASKS = "/proc/self/task"


def pids() -> set[int]:
    """Return the process ids of this process's children (proc(5), children)."""
    found: set[int] = set()
    for task in os.listdir(_TASKS):
        try:
            with open(f"{_TASKS}/{task}/children", encoding="ascii") as file:
                found.update(int(word) for word in file.read().split())
        except OSError:  # a thread that has just ended; its children are another's
            continue
    return found


def end(wanted: set[int]) -> None:
    """Kill children; those that ended by themselves are no error.

    Held by a pidfd and looked up again, so that a reused process id is not killed.
    """
    for pid in wanted:
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            continue
        try:
            if pid in pids():
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        except OSError:
            continue
        finally:
            os.close(pidfd)
