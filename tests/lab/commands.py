"""The lab's one door to other programs: always a time limit, no shell, no lost child.

Called by every module that starts something on the host. The lab does not use the
suite's own process runner: a fault in the code under test must not be one of the lab.
"""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

from .errors import CannotHost, CommandFailed, TimedOut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Result:
    """How a program ended: ``code`` (negative: the signal), ``stdout``, ``stderr``."""

    __slots__ = ("argv", "code", "stderr", "stdout")

    def __init__(self, argv: list[str], code: int, stdout: str, stderr: str) -> None:
        self.argv = argv
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def ok(self) -> bool:
        return self.code == 0

    def __repr__(self) -> str:
        said = (self.stderr or self.stdout).strip()[-200:]
        return f"Result({self.argv[0]}: {self.code}, {said!r})"


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A clean environment: nothing of the caller's leaks into a node or an install."""
    keep = {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/root", "TERM": "dumb"}
    return {**keep, **(extra or {})}


def run(
    argv: Sequence[str],
    timeout_s: float,
    check: bool = True,
    stdin: str = "",
    environ: Mapping[str, str] | None = None,
) -> Result:
    """Run a program to its end and return its Result.

    Raises CommandFailed for a non-zero exit (unless ``check`` is false), TimedOut when
    it is still running after ``timeout_s`` (its process group is killed) and
    CannotHost when it is not installed.
    """
    command = list(argv)
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(environ),
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise CannotHost(
            f"{command[0]} cannot be run on this machine: {error.strerror}"
        ) from error
    try:
        out, err = child.communicate(stdin.encode(), timeout=timeout_s)
    except BaseException as error:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise TimedOut(
                f"`{' '.join(command)}` did not end within {timeout_s:g} s"
            ) from error
        raise
    result = Result(
        command,
        child.returncode,
        out.decode(errors="replace"),
        err.decode(errors="replace"),
    )
    if check and not result.ok:
        raise CommandFailed(command, result.code, result.stderr or result.stdout)
    return result
