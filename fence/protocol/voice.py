"""What a call says, and where: stderr, the log, and a file for the curious.

Made by ``run``. Success leaves stderr empty and a failure leaves one line, because the
fencer logs it and searches it. Nothing here ever gets a secret. A file system that
hangs is waited for once, and shortly: no message is worth a fencing.
"""

from __future__ import annotations

import _thread
import os
import time

from vmha.agents.protocol.log import Log
from vmha.fence.protocol import worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FAILED = 1
PATIENCE_S = 0.3
OPEN = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK


class Voice:
    """stderr, the log and the debug file of one call."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name = name
        self._file = DebugFile("", name)
        self.log = Log(name, environ)
        self.quiet = False
        self.verbose = False

    def about(self, device: str) -> None:
        """Name the device in the log from here on."""
        self.log.rename(f"{self._name}({device})")

    def write_to(self, path: str) -> None:
        """Append everything to this file, too; "" for none.

        A bad path costs the file, never the fencing.
        """
        if path and not path.startswith("/"):
            self.log.warning("debug_file is not written: give the whole path")
            return
        self._file = DebugFile(path, self._name)

    def fail(self, sentence: str) -> int:
        """Say why the action failed, and return the exit code."""
        self.log.error(sentence)
        self._keep(sentence)
        self._line(sentence)
        return FAILED

    def warn(self, sentence: str) -> None:
        """Say what did not go well though the action holds."""
        self.log.warning(sentence)
        self._keep(sentence)
        self._line(sentence)

    def conclude(self, sentence: str, often: bool) -> None:
        """Say to the log what was proven; ``often`` for what is asked each minute."""
        (self.log.debug if often else self.log.info)(sentence)
        self._keep(sentence)

    def word(self, kind: str, text: str) -> None:
        """Pass on a word of the worker."""
        if kind in (worker.LOG, worker.NOTE, worker.SAY):
            self._keep(text)
        if kind == worker.LOG:
            self.log.error(text)
        elif kind == worker.NOTE:
            self.log.warning(text)
        elif kind == worker.SAY:
            self.log.debug(text)
        if kind in (worker.NOTE, worker.SAY) and self.verbose:
            self._line(text)

    def _keep(self, sentence: str) -> None:
        problem = self._file.add(sentence)
        if problem:
            self.log.warning(f"debug_file is not written: {problem}")

    def _line(self, sentence: str) -> None:
        if not self.quiet:
            os.write(2, (" ".join(sentence.split()) + "\n").encode(errors="replace"))


class DebugFile:
    """A file that only root reads, to which lines are added; "" takes and drops them.

    One that cannot be written is left alone after the first try.
    """

    def __init__(self, path: str, tag: str) -> None:
        self._path = path
        self._tag = tag

    def add(self, sentence: str) -> str:
        """Add a line with its time; return "" or, once, why there will be none."""
        if not self._path:
            return ""
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        line = f"{now} {self._tag}[{os.getpid()}]: {' '.join(sentence.split())}\n"
        done = _thread.allocate_lock()
        done.acquire()
        reasons = [f"{self._path} does not answer"]
        given = (line.encode(errors="replace"), reasons, done)
        _thread.start_new_thread(self._write, given)
        done.acquire(timeout=PATIENCE_S)
        if reasons:
            self._path = ""
        return "".join(reasons)

    def _write(self, line: bytes, reasons: list[str], done: _thread.LockType) -> None:
        try:
            descriptor = os.open(self._path, OPEN, 0o600)
            try:
                os.write(descriptor, line)
            finally:
                os.close(descriptor)
            reasons.clear()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no path"
            reasons[:] = [f"{self._path}: {why}"]
        finally:
            done.release()
