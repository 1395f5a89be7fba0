"""The record: who the guest of a resource is, as start or adoption saw it.

One small file per resource instance on a tmpfs, root-only: a reboot, which ends every
guest, ends the records too. It is what keeps a stop truthful when the configuration
file or libvirt is gone. Written atomically; removed only after a proven stop.
"""

from __future__ import annotations

import fcntl
import os

from vmha.agents.protocol import files

FOLDER = "/run/vmha/guests"
GUEST, HEALTH = "guest", "health"  # who it is; how it was when last looked at
NOTE = "definition"  # what it began to run with
LEFT = "left"  # that a migration away was begun, and the guest not seen to stay
STARTS, MOVES = "starts", "moves"  # what an instance is held for
_FIELDS = ("name", "uuid", "driver", "uri", "source", "pending")
_YES = "yes"


class Record:
    """A guest as recorded.

    ``driver`` is libvirt's (``qemu``, ``lxc``), ``uri`` the connection it was seen
    through, ``source`` the value of ``config`` or ``domain`` it was started from.
    ``pending`` tells that a start was asked of libvirt and not seen to end: a hung
    libvirt may still carry it out. ``uuid`` may be "" only while it is pending.
    """

    __slots__ = _FIELDS

    def __init__(
        self,
        name: str,
        uuid: str,
        driver: str,
        uri: str,
        source: str,
        pending: bool = False,
    ) -> None:
        self.name = name
        self.uuid = uuid
        self.driver = driver
        self.uri = uri
        self.source = source
        self.pending = pending

    def __eq__(self, other: object) -> bool:
        """Compare field by field."""
        return isinstance(other, Record) and _text(self) == _text(other)

    def __hash__(self) -> int:
        return hash(_text(self))


class RecordStore:
    """The records of this node; ``folder`` must be the node's own and on a tmpfs."""

    __slots__ = ("_folder",)

    def __init__(self, folder: str = FOLDER) -> None:
        self._folder = folder

    def read(self, instance: str) -> Record | None:
        """Return an instance's record, None where there is none or it is damaged.

        A file that another user could have written is no witness, so it counts as none.
        """
        return self._read(self._path(instance))

    def write(self, instance: str, record: Record) -> None:
        """Write an instance's record; one that says the same is left alone."""
        if self.read(instance) == record:
            return
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        files.write_atomically(self._path(instance), _text(record))

    def remove(self, instance: str) -> None:
        """Forget an instance; call it only when the guest is proven absent."""
        self.forget(instance, HEALTH)
        self.forget(instance, NOTE)
        self.forget(instance, LEFT)
        self.forget(instance, GUEST)

    def forget(self, instance: str, kind: str) -> None:
        """Remove one of the things kept of an instance, if it is there."""
        try:
            os.unlink(self.beside(instance, kind))
        except (FileNotFoundError, NotADirectoryError):
            return

    def mark(self, instance: str, kind: str) -> None:
        """Note that something holds of an instance until it is forgotten."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        files.write_atomically(self.beside(instance, kind), "")

    def is_marked(self, instance: str, kind: str) -> bool:
        """Tell whether that is noted."""
        return os.path.exists(self.beside(instance, kind))

    def note_definition(self, instance: str, xml: str) -> None:
        """Note the definition with which an instance's guest began to run here."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        files.write_atomically(self.beside(instance, NOTE), xml)

    def noted_definition(self, instance: str) -> str:
        """Return that definition, "" where none was noted."""
        try:
            with open(self.beside(instance, NOTE), encoding="utf-8") as file:
                status = os.fstat(file.fileno())
                foreign = status.st_uid != os.geteuid() or status.st_mode & 0o022
                return "" if foreign else file.read()
        except (OSError, UnicodeDecodeError):
            return ""

    def beside(self, instance: str, kind: str) -> str:
        """Return the path of what is kept of an instance: NAME.KIND."""
        safe = "".join(
            c if c.isalnum() or c in "._-" else f"%{ord(c):x}" for c in instance
        )
        return os.path.join(self._folder, f"{safe}.{kind}")

    def hold(self, instance: str, action: str) -> int | None:
        """Take an instance for a start or a migration; None if it is taken for that.

        Returns a descriptor; the hold ends with it, at the latest with the process.
        """
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        path = f"{self._path(instance)}.{action}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def is_held(self, instance: str, action: str) -> bool:
        """Tell whether such an action on the instance is under way here."""
        try:
            path = f"{self._path(instance)}.{action}"
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def others(self, instance: str) -> list[Record]:
        """Return the records of all other instances on this node."""
        own = os.path.basename(self._path(instance))
        try:
            names = sorted(os.listdir(self._folder))
        except OSError:  # none are known, so nothing is accounted for
            return []
        wanted = [n for n in names if n != own and n.endswith(f".{GUEST}")]
        found = [self._read(os.path.join(self._folder, name)) for name in wanted]
        return [record for record in found if record is not None]

    def _path(self, instance: str) -> str:
        return self.beside(instance, GUEST)

    def _read(self, path: str) -> Record | None:
        try:
            with open(path, encoding="utf-8") as file:
                status = os.fstat(file.fileno())
                if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                    return None
                lines = file.read().splitlines()
        except (OSError, UnicodeDecodeError):
            return None
        pairs = dict(line.split("=", 1) for line in lines if "=" in line)
        if set(_FIELDS) - set(pairs) or not pairs["name"]:
            return None
        pending = pairs.pop("pending") == _YES
        if not (pairs["uuid"] or pending):
            return None
        known = {field: pairs[field] for field in _FIELDS if field in pairs}
        return Record(**known, pending=pending)


def _text(record: Record) -> str:
    values = {field: getattr(record, field) for field in _FIELDS}
    values["pending"] = _YES if record.pending else "no"
    return "".join(f"{f}={' '.join(v.splitlines())}\n" for f, v in values.items())
