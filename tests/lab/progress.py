"""Telling the person who waits what is being done, and how long it took.

A terminal sees one line that moves; a log sees a line at each step's beginning and end
and a sign of life in between.
"""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

LIFE_S = 10.0


class Progress:
    """Reports steps to a stream; ``Progress(None)`` reports nothing."""

    def __init__(self, stream: TextIO | None = sys.stderr) -> None:
        self._stream = stream
        self._moving = stream is not None and stream.isatty()
        self._step = ""
        self._began = 0.0
        self._said = 0.0

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show that ``what`` is being done, then that it is done and its time."""
        self._step, self._began = what, time.monotonic()
        self._said = self._began
        self._write(f"{what} ...", over=True)
        try:
            yield
        except BaseException:
            self._write(f"{what}: failed after {self._elapsed_s():.1f} s\n")
            raise
        self._write(f"{what}: {self._elapsed_s():.1f} s\n")

    def life(self, detail: str) -> None:
        """A detail of the running step; shown at most as often as is useful."""
        now = time.monotonic()
        if now - self._said < (0.2 if self._moving else LIFE_S):
            return
        self._said = now
        line = f"{self._step} ... {self._elapsed_s():.0f} s: {detail.strip()}"
        self._write(line[:100], over=True)

    def say(self, sentence: str) -> None:
        """A whole sentence on a line of its own."""
        self._write(f"{sentence}\n")

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._began

    def _write(self, text: str, over: bool = False) -> None:
        if self._stream is None:
            return
        if self._moving:
            text = "\r\x1b[K" + text
        elif over:
            text += "\n"
        self._stream.write(text)
        self._stream.flush()
