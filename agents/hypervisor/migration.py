"""A live migration: its job from begin to end, and whatever libvirt says of it.

Called by ``vm.migrate``. In the mode ``direct`` the client (this process) drives both
daemons: when the agent is killed, the source's daemon notices the lost connection,
cancels the job and lets the guest run on where it is. In the modes ``p2p`` and
``tunnelled`` the source's daemon drives it and carries on without us; whoever comes
next finds the job by ``job_under_way`` and joins it.
"""

from __future__ import annotations

import errno
import os
from typing import Any

import libvirt

from vmha.agents.hypervisor import additions
from vmha.agents.hypervisor.connection import Connection, Pending
from vmha.agents.hypervisor.errors import Absent
from vmha.agents.hypervisor.progress import Progress
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Refused

DIRECT, P2P, TUNNELLED = "direct", "p2p", "tunnelled"
MIGRATION_OUT = "migration"

_MODES = {
    DIRECT: 0,
    P2P: libvirt.VIR_MIGRATE_PEER2PEER,
    TUNNELLED: libvirt.VIR_MIGRATE_PEER2PEER | libvirt.VIR_MIGRATE_TUNNELLED,
}
_COPIES = {
    "": 0,
    "all": libvirt.VIR_MIGRATE_NON_SHARED_DISK,
    "inc": libvirt.VIR_MIGRATE_NON_SHARED_INC,
}
_FLAGS = {
    "auto-converge": libvirt.VIR_MIGRATE_AUTO_CONVERGE,
    "postcopy": libvirt.VIR_MIGRATE_POSTCOPY,
    "tls": libvirt.VIR_MIGRATE_TLS,
    "copy-storage-synchronous-writes": (
        additions.MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES
    ),
    "unsafe": libvirt.VIR_MIGRATE_UNSAFE,
    "abort-on-error": libvirt.VIR_MIGRATE_ABORT_ON_ERROR,
    "change-protection": libvirt.VIR_MIGRATE_CHANGE_PROTECTION,
    "rdma-pin-all": libvirt.VIR_MIGRATE_RDMA_PIN_ALL,
    "zerocopy": additions.MIGRATE_ZEROCOPY,
}
_PARAMETERS = {
    "postcopy-bandwidth": libvirt.VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY,
    "auto-converge-initial": libvirt.VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL,
    "auto-converge-increment": libvirt.VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT,
    "comp-mt-level": libvirt.VIR_MIGRATE_PARAM_COMPRESSION_MT_LEVEL,
    "comp-mt-threads": libvirt.VIR_MIGRATE_PARAM_COMPRESSION_MT_THREADS,
    "comp-mt-dthreads": libvirt.VIR_MIGRATE_PARAM_COMPRESSION_MT_DTHREADS,
    "comp-xbzrle-cache": libvirt.VIR_MIGRATE_PARAM_COMPRESSION_XBZRLE_CACHE,
    "disks-port": libvirt.VIR_MIGRATE_PARAM_DISKS_PORT,
    "graphicsuri": libvirt.VIR_MIGRATE_PARAM_GRAPHICS_URI,
    "listen-address": libvirt.VIR_MIGRATE_PARAM_LISTEN_ADDRESS,
    "disks-uri": libvirt.VIR_MIGRATE_PARAM_DISKS_URI,
    "tls-destination": libvirt.VIR_MIGRATE_PARAM_TLS_DESTINATION,
}
# virDomainJobOperation, in the words of a sentence "… of it is under way".
_OPERATIONS = {
    libvirt.VIR_DOMAIN_JOB_OPERATION_START: "the start",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SAVE: "a save",
    libvirt.VIR_DOMAIN_JOB_OPERATION_RESTORE: "a restore",
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN: "a migration to this node",
    libvirt.VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT: MIGRATION_OUT,
    libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT: "a snapshot",
    libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT: "the revert to a snapshot",
    libvirt.VIR_DOMAIN_JOB_OPERATION_DUMP: "a dump",
    libvirt.VIR_DOMAIN_JOB_OPERATION_BACKUP: "a backup",
    additions.JOB_OPERATION_SNAPSHOT_DELETE: "the removal of a snapshot",
}


class Transfer:
    """How a migration is carried out.

    ``mode`` is DIRECT, P2P or TUNNELLED; ``copy`` "", "all" or "inc", of ``disks`` (by
    target name, such as vda); ``flags`` are keys of _FLAGS, ``parameters`` of
    _PARAMETERS, both named as virsh names them. "" and 0 leave libvirt's defaults.
    """

    def __init__(self, mode: str = DIRECT) -> None:
        self.mode = mode
        self.uri = ""
        self.bandwidth_mib_s = 0
        self.compression: list[str] = []
        self.parallel = 0
        self.copy = ""
        self.disks: list[str] = []
        self.flags: list[str] = []
        self.parameters: dict[str, int | str] = {}

    def libvirt_flags(self) -> int:
        """Return VIR_MIGRATE_*."""
        flags = libvirt.VIR_MIGRATE_LIVE | _MODES[self.mode] | _COPIES[self.copy]
        for name in self.flags:
            flags |= _FLAGS[name]
        if self.compression:
            flags |= libvirt.VIR_MIGRATE_COMPRESSED
        if self.parallel:
            flags |= libvirt.VIR_MIGRATE_PARALLEL
        return int(flags)

    def libvirt_parameters(self) -> dict[str, Any]:
        """Return VIR_MIGRATE_PARAM_*."""
        named: dict[str, Any] = {
            libvirt.VIR_MIGRATE_PARAM_URI: self.uri,
            libvirt.VIR_MIGRATE_PARAM_BANDWIDTH: self.bandwidth_mib_s,
            libvirt.VIR_MIGRATE_PARAM_COMPRESSION: self.compression,
            libvirt.VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS: self.parallel,
            libvirt.VIR_MIGRATE_PARAM_MIGRATE_DISKS: self.disks if self.copy else [],
        }
        given = {_PARAMETERS[name]: value for name, value in self.parameters.items()}
        return {**{name: value for name, value in named.items() if value}, **given}


class Job:
    """A migration under way: one that is begun here, or one that is joined."""

    __slots__ = ("_connection", "_domain", "_pending")

    def __init__(
        self, source: Connection, domain: Any, pending: Pending | None = None
    ) -> None:
        self._connection = source
        self._domain = domain
        self._pending = pending

    def wait(self, seconds: float, limit: Deadline) -> bool:
        """Wait up to ``seconds``; tell whether the job has ended, well or not."""
        if self._pending is not None:
            return self._pending.wait(seconds)
        limit.sleep(seconds)
        try:
            return job_under_way(self._connection, limit, self._domain) == ""
        except AgentError:
            return False

    def failure(self) -> str:
        """Return libvirt's message for a job that ended badly, else ""."""
        if self._pending is None:
            return ""
        outcome = self._pending.outcome()
        if isinstance(outcome, libvirt.libvirtError):
            return " ".join(str(outcome.get_error_message() or outcome).split())
        return "" if outcome is not None else "the call ended without a result"

    def allow_downtime(self, limit: Deadline, milliseconds: int) -> bool:
        """Set the longest pause; False while the job is not yet ready for it."""
        setter = self._domain.migrateSetMaxDowntime
        what = "set the migration's downtime"
        return self._try(what, limit, setter, milliseconds, 0)

    def start_postcopy(self, limit: Deadline) -> bool:
        """Let the guest run on at the target; False where libvirt declines."""
        switch = self._domain.migrateStartPostCopy
        return self._try("switch the migration to post-copy", limit, switch, 0)

    def suspend(self, limit: Deadline) -> bool:
        """Pause the guest until it has arrived (or the job has failed)."""
        what = "pause the guest for its migration"
        return self._try(what, limit, self._domain.suspend)

    def progress(self, limit: Deadline) -> Progress | None:
        """Return the job's figures, None where there are none."""
        what = "read the migration's progress"
        try:
            said = self._connection.call(what, limit, self._domain.jobStats)
        except Refused:
            return None
        return _progress(said)

    def abort(self, limit: Deadline) -> None:
        """Cancel; the guest goes on at the source unless it has already switched."""
        self._connection.call("abort the migration", limit, self._domain.abortJob)

    def _try(self, what: str, limit: Deadline, function: Any, *args: Any) -> bool:
        try:
            self._connection.call(what, limit, function, *args)
        except Refused:
            return False
        return True


def begin(
    source: Connection, domain: Any, target: Connection, transfer: Transfer
) -> Job:
    """Begin to migrate a guest to the host of ``target``."""
    parameters, flags = transfer.libvirt_parameters(), transfer.libvirt_flags()
    if transfer.mode == DIRECT:
        pending = Pending(domain.migrate3, (target.handle, parameters, flags))
    else:
        pending = Pending(domain.migrateToURI3, (target.uri, parameters, flags))
    return Job(source, domain, pending)


def job_under_way(connection: Connection, limit: Deadline, domain: Any) -> str:
    """Return what libvirt is doing with a guest, "" for nothing.

    MIGRATION_OUT, or words for a sentence. Raises Unreachable where libvirt is silent.
    """
    what = "look for a job of the guest"
    try:
        said = connection.call(what, limit, domain.jobStats)
    except (Absent, Refused):  # it does not run, or its driver has no jobs
        return ""
    if said.get("type") in (None, libvirt.VIR_DOMAIN_JOB_NONE):
        return ""
    operation = said.get(libvirt.VIR_DOMAIN_JOB_OPERATION)
    return _OPERATIONS.get(operation, "another job")


def missing_file(connection: Connection, limit: Deadline, path: str) -> str:
    """Return why the target's daemon cannot read a file, "" if it can or cannot tell.

    libvirt has no call to look at a file, but virDomainSaveImageGetXMLDesc opens the
    path on the daemon's host and only then complains that it is no memory image; a
    failed open is VIR_ERR_SYSTEM_ERROR with the system's message. It changes nothing.
    """
    error = _opening_error(connection, limit, path)
    return "" if error is None else str(error.get_error_message()).rsplit(": ", 1)[-1]


def is_absent(connection: Connection, limit: Deadline, path: str) -> bool:
    """Tell whether a path is certainly not there; a file that is only barred is."""
    error = _opening_error(connection, limit, path)
    if error is None:
        return False
    message = str(error.get_error_message())
    return error.get_int1() == errno.ENOENT or message.endswith(os.strerror(2))


def _opening_error(
    connection: Connection, limit: Deadline, path: str
) -> libvirt.libvirtError | None:
    """Let the target's daemon open a file; return the system's error, if it is one."""
    reader = connection.handle.saveImageGetXMLDesc
    try:
        connection.call(f"read {path} there", limit, reader, path, 0)
    except Refused as refusal:
        cause = refusal.__cause__
        if isinstance(cause, libvirt.libvirtError):
            is_systems = cause.get_error_code() == libvirt.VIR_ERR_SYSTEM_ERROR
            return cause if is_systems else None
    return None


def _progress(said: dict[str, Any]) -> Progress:
    page = int(said.get(libvirt.VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, 4096))
    changed = int(said.get(libvirt.VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, 0))
    return Progress(
        remaining=int(said.get(libvirt.VIR_DOMAIN_JOB_MEMORY_REMAINING, 0)),
        total=int(said.get(libvirt.VIR_DOMAIN_JOB_MEMORY_TOTAL, 0)),
        rate=int(said.get(libvirt.VIR_DOMAIN_JOB_MEMORY_BPS, 0)),
        dirtied=changed * page,
        passes=int(said.get(libvirt.VIR_DOMAIN_JOB_MEMORY_ITERATION, 0)),
        throttle=int(said.get(libvirt.VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE, 0)),
        disk_left=int(said.get(libvirt.VIR_DOMAIN_JOB_DISK_REMAINING, 0)),
    )
