"""One command of a tier: streamed to the console and the log, ended at its limit.

The command gets a session of its own. At the limit, or when the user interrupts,
it is asked first (so that fixtures can take their labs down) and then killed, with
everything that stayed in its session's process group.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from select import select
from typing import BinaryIO, NamedTuple

CLEAN_UP_S = 30


class Ended(NamedTuple):
    """How a command ended: its exit code, and whether its limit ended it."""

    exit_code: int
    at_limit: bool


class Console:
    """Standard output and the log file: everything shown is also written down."""

    def __init__(self, log: BinaryIO, shown: bool = True) -> None:
        self._log = log
        self._shown = shown

    def only_logged(self) -> Console:
        """Return a console for what nobody needs to see unless it fails."""
        return Console(self._log, shown=False)

    def line(self, text: str = "") -> None:
        """Show one line of our own."""
        self.raw(f"{text}\n".encode())

    def raw(self, chunk: bytes) -> None:
        """Pass on a piece of a command's output at once."""
        if self._shown:
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        self._log.write(chunk)
        self._log.flush()


def run(
    argv: Sequence[str],
    console: Console,
    folder: Path,
    environment: Mapping[str, str],
    limit_s: float | None,
) -> Ended:
    """Run `argv` in `folder`; a `limit_s` of None leaves it to end by itself."""
    process = subprocess.Popen(
        argv,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    end = None if limit_s is None else time.monotonic() + limit_s
    try:
        in_time = _stream(process, console, end)
        if in_time:
            return Ended(process.wait(), at_limit=False)
        console.line(f"ended after its limit of {limit_s:.0f} s")
        return Ended(1, at_limit=True)
    finally:
        _end(process, console)


def _stream(
    process: subprocess.Popen[bytes], console: Console, end: float | None
) -> bool:
    """Pass output on until the command is over; False when `end` came first."""
    assert process.stdout is not None
    while end is None or time.monotonic() < end:
        readable, _, _ = select([process.stdout], [], [], 0.5)
        chunk = os.read(process.stdout.fileno(), 65536) if readable else b""
        console.raw(chunk)
        # A daemon left behind may hold the pipe open: the command's own end counts.
        if process.poll() is not None and not chunk:
            return True
        if readable and not chunk:
            time.sleep(0.05)
    return False


def _end(process: subprocess.Popen[bytes], console: Console) -> None:
    """Ask the command to leave, wait for its clean-up, kill what is left."""
    try:
        if process.poll() is None:
            _signal(process, signal.SIGINT)
            _stream(process, console, time.monotonic() + CLEAN_UP_S)
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the command's group; the group may be gone, which is the aim."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
