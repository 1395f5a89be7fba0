"""The worker: a child process that talks to the device, and is killed at the deadline.

A device library may spin, or block in C with the interpreter's lock held, so that no
thread and no Python signal handler runs again. The parent therefore does nothing but
wait for the worker's words on a pipe; at the deadline it kills the worker and speaks
for it. What the worker had proven by then holds. Used by ``run`` only.

The worker's own stdout and stderr lead nowhere: libraries print, and what they print
may be a secret. It dies with its parent, so that nobody sends a late "off".
"""

from __future__ import annotations

import os
import select

from vmha.agents.protocol.deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

SAY, WARN, RESULT, FAIL, LOG = "say", "warn", "result", "fail", "log"
PR_SET_PDEATHSIG = 1
LEAVING_S = 1.5  # for the worker to close its session before it is killed
REAP_S = 0.2  # for the kernel to end a process that was killed


class Report:
    """The worker's end of the pipe: one line per message, ``KIND TEXT``."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def say(self, sentence: str) -> None:
        """Tell the progress."""
        self._send(SAY, sentence)

    def warn(self, sentence: str) -> None:
        """Tell what did not go well, though the action holds."""
        self._send(WARN, sentence)

    def result(self, exit_code: int, sentence: str, rest_s: float = LEAVING_S) -> None:
        """Tell what is proven: the exit code and the line for stdout.

        ``rest_s`` is what the worker may still take; then it is killed.
        """
        self._send(RESULT, f"{exit_code} {rest_s} {sentence}")

    def fail(self, sentence: str) -> None:
        """Tell why the action failed."""
        self._send(FAIL, sentence)

    def log(self, text: str) -> None:
        """Hand a line to the log."""
        self._send(LOG, text)

    def _send(self, kind: str, text: str) -> None:
        line = f"{kind} {' '.join(text.split())}\n"
        os.write(self._pipe, line.encode(errors="replace"))


class Conclusion:
    """What the parent knows when the worker has ended, or was killed."""

    __slots__ = ("exit_code", "failure", "killed", "last_word", "stdout", "warnings")

    def __init__(self) -> None:
        self.exit_code: int | None = None
        self.stdout = ""
        self.failure = ""
        self.warnings: list[str] = []
        self.last_word = "nothing was seen"
        self.killed = False


def supervise(
    work: Callable[[Report], object],
    deadline: Deadline,
    on_word: Callable[[str, str], None],
) -> Conclusion:
    """Run ``work`` in a child until ``deadline`` and return what it said.

    ``on_word`` gets each message's kind and text as it comes.
    """
    import signal  # 4 ms that metadata does not pay

    read_end, write_end = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if not child:
        os.close(read_end)
        _be_the_worker(work, Report(write_end), parent)
    os.close(write_end)
    conclusion = Conclusion()
    try:
        conclusion.killed = not _listen(read_end, deadline, conclusion, on_word)
    finally:
        os.close(read_end)
        os.kill(child, signal.SIGKILL)  # it has ended by itself, or must end now
        _reap(child, conclusion.killed)
    return conclusion


def _be_the_worker(
    work: Callable[[Report], object], report: Report, parent: int
) -> None:
    """Do the work and leave without a word to anybody but the pipe."""
    try:
        _die_with(parent)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        work(report)
    finally:
        os._exit(0)


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (prctl(2))."""
    import ctypes
    import signal

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _listen(
    pipe: int,
    deadline: Deadline,
    conclusion: Conclusion,
    on_word: Callable[[str, str], None],
) -> bool:
    """Take the worker's words; tell whether it ended before the deadline."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN | select.POLLHUP)
    rest = b""
    while poll.poll(deadline.remaining_s() * 1000):
        chunk = os.read(pipe, 65536)
        if not chunk:
            return True
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            kind, _, text = line.decode(errors="replace").partition(" ")
            on_word(kind, text)
            rest_s = _take(conclusion, kind, text)
            deadline = deadline if rest_s is None else deadline.part(rest_s)
    return False


def _take(conclusion: Conclusion, kind: str, text: str) -> float | None:
    """Note a word; return the seconds left to the worker after its result."""
    if kind == RESULT:
        code, rest_s, conclusion.stdout = f"{text} ".split(" ", 2)
        conclusion.stdout = conclusion.stdout.strip()
        conclusion.exit_code = int(code)
        return float(rest_s)
    if kind == FAIL:
        conclusion.failure = text
    elif kind == WARN:
        conclusion.warnings.append(text)
    elif kind == SAY:
        conclusion.last_word = text
    return None


def _reap(child: int, killed: bool) -> None:
    """Collect the child; one that hangs in the kernel is left behind."""
    patience = Deadline(REAP_S if killed else LEAVING_S)
    while os.waitpid(child, os.WNOHANG)[0] != child and not patience.expired():
        patience.sleep(0.001)
