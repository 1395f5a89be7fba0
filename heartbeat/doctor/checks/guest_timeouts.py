"""A guest that is given too little time to stop or to migrate."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.cib import Cib, Resource, seconds
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.sizes import memory_mib
from vmha.heartbeat.pacemaker import timeouts
from vmha.heartbeat.pacemaker.inventory import is_true

STOP_S = 60.0
"""A shutdown by ACPI takes a usual system that long; after it the power is cut."""
USABLE = 0.84
"""What is left of a link's bits, as ``pacemaker.timeouts`` reckons."""
BITS_PER_MIB = 8.388608
PACEMAKER_S = 20.0
"""The default of an operation that has no timeout (Pacemaker Explained)."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """Compare the times of stop and migrate_to with the guest's memory."""
    for guest in evidence.cib.guests:
        memory = memory_mib(guest)
        stop_s = timeout_s(evidence.cib, guest, "stop")
        if stop_s < STOP_S + memory / timeouts.FREED_MIB_PER_S:
            yield Finding(
                f"guest {guest.id}",
                f"stop is given {stop_s:g} s: a guest that takes longer to shut down "
                "is cut off, or its node is fenced",
            )
        if is_true(guest.meta.get("allow-migrate")) and memory:
            yield from _migration(evidence, guest, memory)


def timeout_s(cib: Cib, guest: Resource, operation: str) -> float:
    """Return what Pacemaker gives an operation."""
    written = [op.get("timeout", "") for op in guest.named(operation)]
    default = cib.operation_defaults.get("timeout", "")
    given = [seconds(text) for text in written if text]
    return min(given) if given else seconds(default) or PACEMAKER_S


def _migration(evidence: Evidence, guest: Resource, memory: int) -> Iterator[Finding]:
    given_s = timeout_s(evidence.cib, guest, "migrate_to")
    speed, source = _speed(evidence, guest)
    needed_s = timeouts.PASSES * memory / speed
    if given_s < needed_s:
        yield Finding(
            f"guest {guest.id}",
            f"migrate_to is given {given_s:g} s; {memory} MiB at {speed:.0f} MiB/s "
            f"({source}) take about {needed_s:.0f} s",
        )


def _speed(evidence: Evidence, guest: Resource) -> tuple[float, str]:
    """Return the bandwidth of a migration in MiB/s, and whence it is known."""
    limit = guest.parameters.get("migration_speed", "")
    if limit.isdigit() and int(limit):
        return float(limit), "migration_speed"
    links = [
        speed
        for _, host in evidence.parts("host")
        for speed in [host.number("link_mbit_s")]
        if speed
    ]
    if links:
        return USABLE * min(links) / BITS_PER_MIB, "the nodes' slowest link"
    return float(timeouts.LINK_MIB_PER_S), "1 Gbit/s, as no link is known"


CHECK = Check(
    "guest-timeouts",
    "Stop or migration is given too little time",
    Severity.WARNING,
    "A stop that runs into its timeout has failed, and Pacemaker fences the node with "
    "all its guests. A migration that does is followed by a stop and a start. The "
    "time needed grows with the guest's memory, and with what the network carries.",
    "Give that operation a longer timeout: pcs resource update GUEST op stop "
    "timeout=…, or op migrate_to timeout=….",
    (CIB,),
    look,
)
