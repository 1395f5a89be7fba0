"""Whether a migration target fits a running guest: networks, machine, CPU, memory.

Called by ``vm.preflight``. Each function returns what is wrong, "" for nothing;
what libvirt does not answer is raised or, where it cannot matter, left out. Nothing is
changed on the target.
"""

from __future__ import annotations

from typing import Any, Protocol

import libvirt

from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.errors import Absent
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused

MIB_KIB = 1024


class Wanted(Protocol):
    """What a guest asks of a machine; ``domainxml.features.Features`` is one."""

    cpu: str
    is_host_cpu: bool
    machine: tuple[str, str, str, str]
    memory_kib: int


def inactive(
    connection: Connection, limit: Deadline, networks: list[str], pools: list[str]
) -> str:
    """Return what is not active of the networks and pools that a guest needs.

    A libvirt without a network or storage driver has no opinion.
    """
    handle = connection.handle
    wanted = [("network", handle.networkLookupByName, name) for name in networks]
    wanted += [("storage pool", handle.storagePoolLookupByName, name) for name in pools]
    for kind, lookup, name in wanted:
        what = f"look for {kind} {name}"
        try:
            found = connection.call(what, limit, lookup, name)
            if not connection.call(what, limit, found.isActive):
                return f"its {kind} {name} is not active there"
        except Absent:
            return f"its {kind} {name} is not defined there"
        except Refused:
            continue
    return ""


def machine_doubt(connection: Connection, limit: Deadline, wanted: Wanted) -> str:
    """Ask for emulator and machine type (virConnectGetDomainCapabilities)."""
    words = [text or None for text in wanted.machine]
    ask = connection.handle.getDomainCapabilities
    try:
        connection.call("ask for the machine type", limit, ask, *words, 0)
    except Refused as refusal:
        machine = wanted.machine[2] or "its machine type"
        return f"{machine} may not be supported there: {refusal}"
    return ""


def processor_doubt(connection: Connection, limit: Deadline, wanted: Wanted) -> str:
    """Compare the guest's processor (virConnectCompareHypervisorCPU).

    A guest that sees its host's processor cannot be compared; such guests need equal
    machines.
    """
    if wanted.is_host_cpu:
        return "the guest uses its host's processor model, which must be the same there"
    if not wanted.cpu:
        return ""
    words: list[Any] = [text or None for text in wanted.machine]
    compare = connection.handle.compareHypervisorCPU
    try:
        answer = connection.call(
            "compare the processor", limit, compare, *words, wanted.cpu, 0
        )
    except Refused:
        return ""
    if answer == libvirt.VIR_CPU_COMPARE_INCOMPATIBLE:
        return "the processor there lacks features that the guest was started with"
    return ""


def memory_doubt(connection: Connection, limit: Deadline, wanted: Wanted) -> str:
    """Compare the guest's memory with what is free or can be freed at once."""
    ask = connection.handle.getMemoryStats
    every = libvirt.VIR_NODE_MEMORY_STATS_ALL_CELLS
    try:
        said = connection.call("ask for the memory", limit, ask, every, 0)
    except Refused:
        return ""
    free_kib = sum(int(said.get(name, 0)) for name in ("free", "buffers", "cached"))
    if not said or free_kib >= wanted.memory_kib:
        return ""
    return (
        f"it has {free_kib // MIB_KIB} MiB of memory to spare and the guest needs "
        f"{wanted.memory_kib // MIB_KIB}"
    )
