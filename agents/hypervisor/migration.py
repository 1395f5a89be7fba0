"""A live migration: its URIs, its job, its abort.

Called by ``vm.migrate``. The client (this process) drives both daemons, without
peer-to-peer: when the agent is killed, the source's daemon notices the lost connection,
cancels the job and lets the guest run on where it is.
"""

from __future__ import annotations

from typing import Any

import libvirt

from vmha.agents.hypervisor.connection import Connection, Pending
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused


class Job:
    """A migration under way."""

    __slots__ = ("_connection", "_domain", "_pending")

    def __init__(
        self,
        source: Connection,
        domain: Any,
        target: Connection,
        parameters: dict[str, Any],
    ) -> None:
        """Begin to migrate; ``parameters`` are libvirt's VIR_MIGRATE_PARAM_*."""
        self._connection = source
        self._domain = domain
        flags = libvirt.VIR_MIGRATE_LIVE
        args = (target.handle, parameters, flags)
        self._pending = Pending(domain.migrate3, args)

    def wait(self, seconds: float) -> bool:
        """Wait up to ``seconds``; tell whether the job has ended, well or not."""
        return self._pending.wait(seconds)

    def failure(self) -> str:
        """Return libvirt's message for a job that ended badly, else ""."""
        outcome = self._pending.outcome()
        if isinstance(outcome, libvirt.libvirtError):
            return " ".join(str(outcome.get_error_message() or outcome).split())
        return "" if outcome is not None else "the call ended without a result"

    def allow_downtime(self, deadline: Deadline, milliseconds: int) -> bool:
        """Set the longest pause; False while the job is not yet ready for it."""
        setter = self._domain.migrateSetMaxDowntime
        try:
            self._connection.call(
                "set the migration's downtime", deadline, setter, milliseconds, 0
            )
        except Refused:
            return False
        return True

    def progress(self, deadline: Deadline) -> str:
        """Return how much memory is still to be sent, for the log."""
        try:
            stats = self._connection.call(
                "read the migration's progress", deadline, self._domain.jobStats
            )
        except Refused:
            return "no figures"
        left = int(stats.get(libvirt.VIR_DOMAIN_JOB_MEMORY_REMAINING, 0)) >> 20
        total = int(stats.get(libvirt.VIR_DOMAIN_JOB_MEMORY_TOTAL, 0)) >> 20
        return f"{left} of {total} MiB left"

    def abort(self, deadline: Deadline) -> None:
        """Cancel; the guest goes on at the source unless it has already switched."""
        self._connection.call("abort the migration", deadline, self._domain.abortJob)


def tuning(uri: str, bandwidth_mib_s: int) -> dict[str, Any]:
    """Return the parameters of a migration; "" and 0 leave libvirt's defaults."""
    parameters: dict[str, Any] = {}
    if uri:
        parameters[libvirt.VIR_MIGRATE_PARAM_URI] = uri
    if bandwidth_mib_s:
        parameters[libvirt.VIR_MIGRATE_PARAM_BANDWIDTH] = bandwidth_mib_s
    return parameters


def missing_file(connection: Connection, deadline: Deadline, path: str) -> str:
    """Return why the target's daemon cannot read a file, "" if it can or cannot tell.

    libvirt has no call to look at a file, but virDomainSaveImageGetXMLDesc opens the
    path on the daemon's host and only then complains that it is no memory image; a
    failed open is VIR_ERR_SYSTEM_ERROR with the system's message. It changes nothing.
    """
    reader = connection.handle.saveImageGetXMLDesc
    try:
        connection.call(f"read {path} there", deadline, reader, path, 0)
    except Refused as refusal:
        cause = refusal.__cause__
        if not isinstance(cause, libvirt.libvirtError):
            return ""
        if cause.get_error_code() == libvirt.VIR_ERR_SYSTEM_ERROR:
            return str(cause.get_error_message()).rsplit(": ", 1)[-1]
    return ""
