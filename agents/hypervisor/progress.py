"""How far a migration is, in numbers and as a sentence.

Filled by ``migration`` from libvirt's job statistics, judged by ``vm.ladder``, logged
by ``vm.migrate``. Imports nothing of libvirt.
"""

from __future__ import annotations

MIB = 1 << 20


class Progress:
    """One reading of a job's statistics (virDomainGetJobStats); 0 where unknown.

    ``remaining`` and ``total`` are bytes of memory, ``rate`` and ``dirtied`` bytes a
    second sent and changed, ``passes`` counts the rounds over the memory from 1,
    ``throttle`` is the share of its processors that QEMU withholds, in percent.
    """

    __slots__ = (
        "dirtied",
        "disk_left",
        "passes",
        "rate",
        "remaining",
        "throttle",
        "total",
    )

    def __init__(
        self,
        remaining: int = 0,
        total: int = 0,
        rate: int = 0,
        dirtied: int = 0,
        passes: int = 0,
        throttle: int = 0,
        disk_left: int = 0,
    ) -> None:
        self.remaining = remaining
        self.total = total
        self.rate = rate
        self.dirtied = dirtied
        self.passes = passes
        self.throttle = throttle
        self.disk_left = disk_left

    def __str__(self) -> str:
        """Say it for the log."""
        if self.disk_left:
            return f"{_mib(self.disk_left)} MiB of its disks are still to be copied"
        text = (
            f"{_mib(self.remaining)} of {_mib(self.total)} MiB of memory left in pass "
            f"{self.passes}, {_mib(self.rate)} MiB/s sent, {_mib(self.dirtied)} MiB/s "
            "changed"
        )
        return f"{text}, slowed by {self.throttle} %" if self.throttle else text


def _mib(number: int) -> int:
    return number // MIB
