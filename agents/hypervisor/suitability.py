"""Whether a migration target fits a running guest: its processor and its memory.

Called by ``vm.preflight``; ``hosting`` has the rest. Each function returns what is
doubtful, "" for nothing; what a driver cannot answer is left out.
"""

from __future__ import annotations

from typing import Any

import libvirt

from vmha.agents.hypervisor.connection import Connection
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused

MIB_KIB = 1024


def processor_doubt(
    connection: Connection,
    limit: Deadline,
    machine: tuple[str, str, str, str],
    cpu: str,
) -> str:
    """Compare the guest's ``<cpu>`` (virConnectCompareHypervisorCPU)."""
    if not cpu:
        return ""
    words: list[Any] = [text or None for text in machine]
    compare = connection.handle.compareHypervisorCPU
    try:
        answer = connection.call(
            "compare the processor", limit, compare, *words, cpu, 0
        )
    except Refused:
        return ""
    if answer == libvirt.VIR_CPU_COMPARE_INCOMPATIBLE:
        return "the processor there lacks features that the guest was started with"
    return ""


def memory_doubt(connection: Connection, limit: Deadline, memory_kib: int) -> str:
    """Compare the guest's memory with what is free or can be freed at once."""
    ask = connection.handle.getMemoryStats
    every = libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS
    try:
        said = connection.call("ask for the memory", limit, ask, every, 0)
    except Refused:
        return ""
    free_kib = sum(int(said.get(name, 0)) for name in ("free", "buffers", "cached"))
    if not said or free_kib >= memory_kib:
        return ""
    return (
        f"it has {free_kib // MIB_KIB} MiB of memory to spare and the guest needs "
        f"{memory_kib // MIB_KIB}"
    )
