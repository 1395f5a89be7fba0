"""How large a guest is, as libvirt has it.

Called by the accounting of utilization. Source: virDomainGetInfo, what ``virsh
dominfo`` shows as "CPU(s)" and "Max memory": the memory that the guest may use without
being changed, not what a balloon leaves it at the moment.
"""

from __future__ import annotations

from typing import Any

from vmha.agents.hypervisor.connection import Connection
from vmha.agents.protocol.deadline import Deadline

_KIB_PER_MIB = 1024


class Size:
    """A guest's virtual processors and its memory in MiB (rounded down)."""

    __slots__ = ("memory_mib", "vcpus")

    def __init__(self, vcpus: int, memory_mib: int) -> None:
        self.vcpus = vcpus
        self.memory_mib = memory_mib


def size(connection: Connection, deadline: Deadline, domain: Any) -> Size:
    """Ask libvirt for the size of a guest."""
    _, maximum_kib, _, vcpus, _ = connection.call(
        "read the guest's size", deadline, domain.info
    )
    return Size(int(vcpus), int(maximum_kib) // _KIB_PER_MIB)
