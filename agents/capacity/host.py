"""The node's processors and memory, as they are online.

Called by the agent's actions. Sources: sysfs-devices-system-cpu (``online``, a list of
ranges) and proc_meminfo(5): MemTotal is what is usable, and shrinks and grows with the
memory blocks that are taken offline and back (``/sys/devices/system/memory``).
"""

from __future__ import annotations

import os

from vmha.agents.protocol.errors import Unreachable

_KIB_PER_MIB = 1024


class Host:
    """This node; ``root`` leads to its /proc and /sys."""

    __slots__ = ("_root",)

    def __init__(self, root: str = "/") -> None:
        self._root = root

    def online_cpus(self) -> int:
        """Return how many processors are online; raises Unreachable."""
        path = "sys/devices/system/cpu/online"
        text = self._read(path)
        try:
            return count(text)
        except ValueError as error:
            raise Unreachable(f"/{path} says {text!r}, which is no list") from error

    def memory_mib(self) -> int:
        """Return the memory that is online, in MiB; raises Unreachable."""
        for line in self._read("proc/meminfo").splitlines():
            name, _, value = line.partition(":")
            kib = value.strip().partition(" ")[0]
            if name == "MemTotal" and kib.isdigit():
                return int(kib) // _KIB_PER_MIB
        raise Unreachable("/proc/meminfo has no MemTotal")

    def _read(self, path: str) -> str:
        try:
            with open(os.path.join(self._root, path), encoding="ascii") as file:
                return file.read().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unreachable(f"/{path} cannot be read: {error}") from error


def count(ranges: str) -> int:
    """Count the processors in the kernel's form of a list: ``0-3,6``.

    Raises ValueError for what is none.
    """
    total = 0
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        total += int(last or first) - int(first) + 1
    return total
