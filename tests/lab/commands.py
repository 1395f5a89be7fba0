"""The lab's one door to other programs: always a time limit, no shell, no lost child.

Called by every module that starts something on the host. The lab does not use the
suite's own process runner: a fault in the code under test must not be one of the lab.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from typing import TYPE_CHECKING

from .errors import CannotHost, CommandFailed, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

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

    def checked(self) -> Result:
        """Itself; raises CommandFailed unless it ended with 0."""
        if not self.ok:
            raise CommandFailed(self.argv, self.code, self.stderr or self.stdout)
        return self

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
    with _installed(command):
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(environ),
            cwd="/",
            start_new_session=True,
        )
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
    return result.checked() if check else result


def watched(
    argv: Sequence[str],
    timeout_s: float,
    seen: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
) -> None:
    """Run a long program and hand each line it prints to ``seen``.

    Raises what ``run`` raises; the sentence holds the program's last lines.
    """
    command = list(argv)
    last: deque[str] = deque(maxlen=20)
    with _installed(command):
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(environ),
            cwd="/",
            start_new_session=True,
            text=True,
            errors="replace",
        )
    late = threading.Event()

    def kill() -> None:
        late.set()
        os.killpg(child.pid, signal.SIGKILL)

    timer = threading.Timer(timeout_s, kill)
    timer.start()
    try:
        for line in child.stdout or ():
            last.append(line)
            seen(line)
        code = child.wait()
    except BaseException:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
    finally:
        timer.cancel()
        if child.stdout:
            child.stdout.close()
    if late.is_set():
        raise TimedOut(f"`{' '.join(command)}` did not end within {timeout_s:g} s")
    if code != 0:
        raise CommandFailed(command, code, "".join(last))


@contextlib.contextmanager
def _installed(command: Sequence[str]) -> Iterator[None]:
    """Turn the failure to start a program into a sentence."""
    try:
        yield
    except OSError as error:
        raise CannotHost(
            f"{command[0]} cannot be run on this machine: {error.strerror}"
        ) from error
