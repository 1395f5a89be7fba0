"""The worker: a child process that talks to a device, and is killed at the deadline.

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
    from collections.abc import Sequence
    from typing import Callable

SAY, WARN, NOTE, RESULT = "say", "warn", "note", "result"
FAIL, LOG = "fail", "log"
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

    def note(self, sentence: str) -> None:
        """Tell the log what should be mended some day."""
        self._send(NOTE, sentence)

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
    works: Sequence[Callable[[Report], object]],
    deadline: Deadline,
    on_word: Callable[[str, str], None],
) -> list[Conclusion]:
    """Run each work in a child of its own, side by side, and return what they said.

    ``on_word`` gets each message's kind and text as it comes. None outlives
    ``deadline``.
    """
    children: list[_Child] = []
    try:
        for work in works:
            children.append(_Child(work, deadline))
        _listen(children, on_word)
    finally:
        for child in children:
            child.end()
    return [child.conclusion for child in children]


class _Child:
    """A worker as its parent sees it: a process, its pipe, its words."""

    def __init__(self, work: Callable[[Report], object], deadline: Deadline) -> None:
        self.deadline = deadline
        self.conclusion = Conclusion()
        self.ended = False
        self._rest = b""
        self.pipe, write_end = os.pipe()
        parent = os.getpid()
        self._pid = os.fork()
        if not self._pid:
            os.close(self.pipe)
            _be_the_worker(work, Report(write_end), parent)
        os.close(write_end)

    def hear(self, on_word: Callable[[str, str], None]) -> None:
        """Take what is in the pipe; the end of it is the worker's."""
        chunk = os.read(self.pipe, 65536)
        if not chunk:
            self.ended = True
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            kind, _, text = line.decode(errors="replace").partition(" ")
            on_word(kind, text)
            rest_s = _take(self.conclusion, kind, text)
            if rest_s is not None:
                self.deadline = self.deadline.part(rest_s)

    def end(self) -> None:
        """Kill the process, unless it has ended by itself, and collect it."""
        import signal  # 4 ms that metadata does not pay

        self.conclusion.killed = not self.ended
        os.close(self.pipe)
        os.kill(self._pid, signal.SIGKILL)
        _reap(self._pid, self.conclusion.killed)


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


def _listen(children: Sequence[_Child], on_word: Callable[[str, str], None]) -> None:
    """Take the workers' words until each has ended or has had its time."""
    awaited = list(children)
    while awaited:
        _hear(awaited, min(c.deadline.remaining_s() for c in awaited), on_word)
        awaited = [c for c in awaited if not (c.ended or c.deadline.expired())]
    # What a worker said in its last instant holds as well.
    _hear([child for child in children if not child.ended], 0.0, on_word)


def _hear(
    children: Sequence[_Child], wait_s: float, on_word: Callable[[str, str], None]
) -> None:
    poll = select.poll()
    for child in children:
        poll.register(child.pipe, select.POLLIN | select.POLLHUP)
    ready = {descriptor for descriptor, _ in poll.poll(wait_s * 1000)}
    for child in children:
        if child.pipe in ready:
            child.hear(on_word)


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
