"""The disks of a guest before a migration: shared, copied, or a reason to refuse.

Called by ``preflight``. A file on a local file system is refused, as libvirt would do,
with what to do about it. What cannot be known (a block device, a volume, a strange file
system) counts as shared, except where disks are to be copied: a shared one that is
copied onto itself is destroyed. libvirt alone would copy every writable disk.
"""

from __future__ import annotations

import os

from vmha.agents.domainxml.devices import Disk, disks
from vmha.agents.domainxml.document import Document
from vmha.agents.hypervisor import migration, resources
from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.migration import Transfer
from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError

ANSWERS_S = 3.0
STAT = "/usr/bin/stat"
# As coreutils' stat -f names them; two nodes cannot have one of these mounted at once.
LOCAL = (
    "bcachefs",
    "btrfs",
    "ext2/ext3",
    "f2fs",
    "jfs",
    "overlayfs",
    "ramfs",
    "reiserfs",
    "tmpfs",
    "xfs",
    "zfs",
)
SHARED = ("nfs", "cifs", "smb2", "ceph", "gfs/gfs2", "ocfs2", "gpfs", "lustre", "afs")


class Storage:
    """The disks of one guest, compared with a target."""

    def __init__(
        self, document: Document, target: Connection, deadline: Deadline
    ) -> None:
        self._disks = [d for d in disks(document) if d.path or d.kind == "volume"]
        self._target = target
        self._deadline = deadline

    def problem(self, transfer: Transfer, is_unsafe: bool) -> str:
        """Return why the guest must not go there, "" where nothing is known against it.

        Sets ``transfer.disks`` to what is to be copied. Raises AgentError where the
        target does not answer.
        """
        kinds = {disk.target: self._kind(disk) for disk in self._disks}
        problem = _copies_problem(self._disks, kinds, transfer)
        if problem:
            return problem
        for disk in self._disks:
            is_copied = disk.target in transfer.disks and bool(transfer.copy)
            if kinds[disk.target] == "local" and disk.is_written and not is_copied:
                if not is_unsafe:
                    return _local(disk)
                continue
            problem = self._absence(disk, is_copied)
            if problem:
                return problem
        return ""

    def _kind(self, disk: Disk) -> str:
        """Return "local", "shared" or "unknown" for a disk's file system.

        Asked by a program that can be left behind: the file system may be hung.
        """
        if disk.kind != "file":
            return "unknown"
        argv = [STAT, "--file-system", "--format=%T", "--", disk.path]
        try:
            said = process.run(argv, self._deadline.part(ANSWERS_S)).stdout.strip()
        except AgentError:
            return "unknown"
        if said in LOCAL:
            return "local"
        return "shared" if said in SHARED else "unknown"

    def _absence(self, disk: Disk, is_copied: bool) -> str:
        """Return the sentence for a path that is not there; libvirt may create it."""
        if disk.is_optional or not disk.path:
            return ""
        limit = self._deadline.part(ANSWERS_S)
        if not migration.is_absent(self._target, limit, disk.path):
            return ""
        if not is_copied:
            return f"its disk {disk.path} is not there; make the storage available"
        folder = os.path.dirname(disk.path)
        if resources.has_pool_at(self._target, limit, folder):
            return ""
        return (
            f"there is no image {disk.path} to copy disk {disk.target} into; create "
            "one of the same size there (qemu-img create), or a storage pool for its "
            "folder"
        )


def _copies_problem(
    found: list[Disk], kinds: dict[str, str], transfer: Transfer
) -> str:
    """Decide what is copied; return what only the administrator can say."""
    if not transfer.copy or transfer.disks:
        return ""
    written = [disk for disk in found if disk.is_written]
    unclear = [disk for disk in written if kinds[disk.target] == "unknown"]
    if unclear:
        return (
            f"nobody can tell whether disk {unclear[0].target} {unclear[0].path} is "
            "shared with that node, and a shared disk must not be copied onto itself; "
            "name the disks to be copied with --migrate-disks in migrate_options"
        )
    transfer.disks = [d.target for d in written if kinds[d.target] == "local"]
    if not transfer.disks:
        transfer.copy = ""
    return ""


def _local(disk: Disk) -> str:
    return (
        f"its disk {disk.path} is on a file system of this node alone; put it on "
        "shared storage, or set migration_copy_storage"
    )
