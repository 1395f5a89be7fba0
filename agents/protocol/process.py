"""The one door to other programs: no shell, a clean environment, a deadline.

Called for monitor scripts and password scripts; never with a secret in ``argv``.
``subprocess`` is imported here on first use: it costs 12 ms that meta-data and a plain
monitor do not pay.
"""

from __future__ import annotations

import errno
import os
import signal

from vmha.agents.protocol.errors import NotInstalled, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

    from vmha.agents.protocol.deadline import Deadline

KILLED_S = 0.2  # within which a killed program is gone, unless it never will be
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Result:
    """How a program ended: its exit code (negative: the signal) and what it said."""

    __slots__ = ("exit_code", "stderr", "stdout")

    def __init__(self, exit_code: int, stdout: str, stderr: str) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr


def run(
    argv: Sequence[str],
    deadline: Deadline,
    environ: Mapping[str, str] | None = None,
    stdin: str = "",
) -> Result:
    """Run a program in a process group of its own and return its Result.

    Raises NotInstalled when it cannot be started, Unreachable when it has not ended at
    the deadline; its whole group is then killed and left behind, as it is when this
    program is ended while it waits.
    """
    import subprocess

    child = _begun(argv, {"PATH": PATH, "LC_ALL": "C", **(environ or {})})
    try:
        out, err = child.communicate(stdin.encode(), timeout=deadline.remaining_s())
    except subprocess.TimeoutExpired as error:
        _end(child)
        raise Unreachable(
            f"{argv[0]} did not end within {deadline.timeout_s:.1f} s and was killed"
        ) from error
    except BaseException:  # Ctrl-C, SIGTERM: it is in a session of its own
        if child.returncode is None:  # once it was waited for, its number is free
            _end(child)
        raise
    return Result(child.returncode, out.decode(errors="surrogateescape"), _text(err))


def _begun(argv: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program; a script without a first line #! is the shell's (POSIX, execlp).

    Raises NotInstalled.
    """
    import subprocess

    for words in (list(argv), ["/bin/sh", *argv]):
        try:
            return subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environ),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            if error.errno == errno.ENOEXEC and words[0] == argv[0]:
                continue
            raise NotInstalled(f"{argv[0]} cannot be run: {error.strerror}") from error
    raise NotInstalled(f"{argv[0]} cannot be run")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill a program's group; one that hangs in the kernel is left behind."""
    import subprocess

    os.killpg(child.pid, signal.SIGKILL)
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe:
            pipe.close()
    try:
        child.wait(KILLED_S)
    except subprocess.TimeoutExpired:
        return


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace").strip()
