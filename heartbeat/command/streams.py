"""Where a subcommand writes: its answer, what it says beside it, and how far it is.

Made once by ``main`` and handed to every subcommand, so that tests read what was
written. The answer alone goes to ``out``: it may be piped into another program.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import TextIO

NARROWEST = 40
PIPED_WIDTH = 100


class Streams:
    """Standard output, standard error and the environment, as one argument."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        self.out = out
        self.err = err
        self.environ = environ
        self._is_progress_shown = False

    @property
    def width(self) -> int:
        """Return how many columns a table may take."""
        if not self.out.isatty():
            return PIPED_WIDTH
        return max(NARROWEST, shutil.get_terminal_size().columns)

    @property
    def has_colour(self) -> bool:
        """Tell whether escape sequences are welcome (NO_COLOR, no-color.org's name)."""
        return self.out.isatty() and not self.environ.get("NO_COLOR")

    def line(self, text: str = "") -> None:
        """Write one line of the answer."""
        self.end_progress()
        print(text, file=self.out)

    def json(self, answer: object) -> None:
        """Write an answer for programs."""
        self.end_progress()
        self.out.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")

    def say(self, sentence: str) -> None:
        """Write one line beside the answer: a warning, a reason."""
        self.end_progress()
        print(sentence, file=self.err)

    def progress(self, sentence: str) -> None:
        """Show how far a long work is, to a person only; the next one replaces it."""
        if self.err.isatty():
            self.err.write(f"\r\x1b[K{sentence}")
            self.err.flush()
            self._is_progress_shown = True

    def end_progress(self) -> None:
        """Take the progress line away before something else is written."""
        if self._is_progress_shown:
            self.err.write("\r\x1b[K")
            self.err.flush()
            self._is_progress_shown = False
