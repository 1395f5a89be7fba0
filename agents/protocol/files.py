"""Files: atomic writes, and reads that a hung mount cannot hold.

Called for the guest's configuration and for records. Never follows a secret into a
world-readable file: the mode is given and set before the content is there.
"""

from __future__ import annotations

import os
import select
import signal

from vmha.agents.protocol.errors import AgentError, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline

CAT = "/bin/cat"
LIMIT_BYTES = 16 * 1024 * 1024


class Unreadable(AgentError):
    """A file could not be read; ``path`` and ``reason`` say which and why."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} cannot be read: {reason}")


def write_atomically(
    path: str,
    text: str,
    mode: int = 0o600,
    like: os.stat_result | None = None,
    withheld: int = 0,
) -> None:
    """Write a file so that a reader sees the old text or the new, never a part.

    ``like`` is the status of a file whose owner and mode it gets, before the text is
    there, less the bits of ``withheld``. Raises OSError; the old file is then
    untouched, as is what a link points to that somebody planted in the folder.
    """
    temporary = f"{path}.{os.getpid()}.new"
    descriptor = _created(temporary, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if like is not None:
                os.fchown(descriptor, like.st_uid, like.st_gid)
                os.fchmod(descriptor, like.st_mode & 0o7777 & ~withheld)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def _created(path: str, mode: int) -> int:
    """Create a file that nobody else has made and return its descriptor.

    One that is there was left by a process of the same number that died, or planted; it
    is taken away. Whoever is quick enough to plant it again makes this fail.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, mode)
    except FileExistsError:
        os.unlink(path)
    return os.open(path, flags, mode)


def read_text(path: str, deadline: Deadline) -> str:
    """Read a file of UTF-8 text as ``read_bytes`` does; raises what that raises."""
    try:
        return read_bytes(path, deadline).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable(path, f"it is not UTF-8 text ({error.reason})") from error


def read_bytes(path: str, deadline: Deadline, limit_bytes: int = LIMIT_BYTES) -> bytes:
    """Read a file through a child process that can be left behind.

    An open() on a dead NFS server, a FIFO or a sick disk may never return; the child
    then hangs in our place. Raises Unreadable with the system's reason, and Unreachable
    when the deadline passes first.
    """
    if "\0" in path:
        raise Unreadable(path, "no file has a NUL in its name")
    read_end, write_end = os.pipe()
    error_end, error_write_end = os.pipe()
    child = os.posix_spawn(
        CAT,
        [CAT, "--", path],
        {"LC_ALL": "C"},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, write_end, 1),
            (os.POSIX_SPAWN_DUP2, error_write_end, 2),
        ],
    )
    os.close(write_end)
    os.close(error_write_end)
    try:
        data = _drain(read_end, deadline, limit_bytes)
        if data is not None and len(data) > limit_bytes:
            raise Unreadable(path, f"it is larger than {limit_bytes} bytes")
        complaint = None if data is None else _drain(error_end, deadline, limit_bytes)
    finally:
        os.close(read_end)
        os.close(error_end)
        if not _has_ended(child):
            os.kill(child, signal.SIGKILL)
    if data is None or complaint is None:
        raise Unreachable(
            f"{path} could not be read within {deadline.timeout_s:.1f} s: its file "
            "system does not answer; check the mount"
        )
    if complaint:
        reason = complaint.decode(errors="replace").strip().rsplit(": ", 1)[-1]
        raise Unreadable(path, reason)
    return data


def _drain(descriptor: int, deadline: Deadline, limit_bytes: int) -> bytes | None:
    """Read to the end of a pipe; None when the deadline passes first."""
    chunks = []
    size = 0
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    while size <= limit_bytes:
        if not poll.poll(deadline.remaining_s() * 1000):
            return None
        chunk = os.read(descriptor, 65536)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _has_ended(child: int) -> bool:
    """Reap the child if it ended; one that hangs in the kernel is not waited for."""
    return os.waitpid(child, os.WNOHANG)[0] == child
