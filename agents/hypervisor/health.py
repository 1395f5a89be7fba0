"""What libvirt knows of a running guest's health: agent, counters, jobs.

Called by a monitor of check level 10 and above, never by one of level 0. Everything is
asked with a bound, and "not told" is an answer of its own.
"""

from __future__ import annotations

from typing import Any

import libvirt

from vmha.agents.hypervisor import additions
from vmha.agents.hypervisor.connection import Connection
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Refused

PING = '{"execute":"guest-ping"}'
_SILENT = (libvirt.VIR_ERR_AGENT_UNRESPONSIVE, libvirt.VIR_ERR_AGENT_UNSYNCED)
_OPERATIONS = {
    libvirt.VIR_DOMAIN_JOB_OPERATION_START: "start",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SAVE: "save",
    libvirt.VIR_DOMAIN_JOB_OPERATION_RESTORE: "restore",
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN: "incoming migration",
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT: "outgoing migration",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT: "snapshot",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT: "return to a snapshot",
    libvirt.VIR_DOMAIN_JOB_OPERATION_DUMP: "dump",
    libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP: "backup",
    additions.JOB_OPERATION_SNAPSHOT_DELETE: "deletion of a snapshot",
}
_STATS = (
    libvirt.VIR_DOMAIN_STATS_VCPU
    | libvirt.VIR_DOMAIN_STATS_BLOCK
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
)


class Counters:
    """What a guest has done since it was created here.

    ``cpu_ns``  per vCPU, the time it ran
    ``disk``    requests of the guest to its disks
    ``net``     packets that the guest has sent
    """

    __slots__ = ("cpu_ns", "disk", "net")

    def __init__(self, cpu_ns: tuple[int, ...], disk: int, net: int) -> None:
        self.cpu_ns = cpu_ns
        self.disk = disk
        self.net = net


def definition(connection: Connection, deadline: Deadline, domain: Any) -> str:
    """Return the XML of the running guest."""
    what = "read the guest's definition"
    return str(connection.call(what, deadline, domain.XMLDesc, 0))


def agent_answers(
    connection: Connection, deadline: Deadline, domain: Any, timeout_s: int
) -> bool:
    """Ask the guest agent for a sign of life.

    Raises Refused or Unreachable where nothing can be said: another client talks to the
    agent, the agent has the command disabled, libvirt itself is silent. ``timeout_s``
    is the agent's own (virDomainQemuAgentCommand).
    """
    import libvirt_qemu  # a module of its own, which only this needs

    command = libvirt_qemu.qemuAgentCommand
    try:
        connection.call(
            "ask the guest agent", deadline, command, domain, PING, timeout_s, 0
        )
    except Refused as refusal:
        if _code(refusal) in _SILENT:
            return False
        raise
    return True


def counters(connection: Connection, deadline: Deadline, domain: Any) -> Counters:
    """Return the guest's counters; raises where libvirt does not tell them all.

    Source: virDomainListGetStats. Block jobs of the host are not counted in the block
    statistics, and what others send to the guest is not among what it has sent.
    """
    flag = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
    listing = connection.handle.domainListGetStats
    what = "read the guest's counters"
    found = connection.call(what, deadline, listing, [domain], _STATS, flag)
    stats: dict[str, int] = found[0][1] if found else {}
    vcpus = [f"vcpu.{n}." for n in range(int(stats.get("vcpu.maximum", 0)))]
    cpu_ns = tuple(
        int(stats[f"{vcpu}time"]) for vcpu in vcpus if f"{vcpu}time" in stats
    )
    disk = [v for k, v in stats.items() if k.endswith((".rd.reqs", ".wr.reqs"))]
    net = [v for k, v in stats.items() if k.endswith(".tx.pkts")]
    # While another client holds the guest, libvirt leaves out what it cannot tell now.
    if not cpu_ns or (stats.get("block.count") and not disk):
        raise Refused("libvirt does not tell the guest's counters now")
    return Counters(cpu_ns, sum(disk), sum(net))


def job(connection: Connection, deadline: Deadline, domain: Any) -> str:
    """Return the kind of the job under way and its progress, "" where there is none.

    The text is KIND:PROGRESS and changes as the job goes on (virDomainGetJobStats).
    """
    stats = connection.call("read the guest's job", deadline, domain.jobStats, 0)
    if int(stats.get("type", 0)) == libvirt.VIR_DOMAIN_JOB_NONE:
        return ""
    operation = int(stats.get(libvirt.VIR_DOMAIN_JOB_OPERATION, 0))
    # Times go on while nothing else does.
    moving = [
        f"{key}={stats[key]}"
        for key in sorted(stats)
        if key.endswith(("_processed", "_remaining"))
    ]
    return f"{_OPERATIONS.get(operation, 'job')}:{' '.join(moving)}"


def occupied_s(connection: Connection, deadline: Deadline, domain: Any) -> float:
    """Return for how long the emulator has owed libvirt an answer, else 0.

    Source: virDomainGetControlInfo, which itself does not ask the emulator.
    """
    what = "read how libvirt stands with the emulator"
    state, _, since_ms = connection.call(what, deadline, domain.controlInfo, 0)
    return since_ms / 1000 if state == libvirt.VIR_DOMAIN_CONTROL_OCCUPIED else 0.0


def _code(error: AgentError) -> int | None:
    cause = error.__cause__
    if isinstance(cause, libvirt.libvirtError):
        code: int = cause.get_error_code()
        return code
    return None
