"""What a subcommand raises when it cannot do what was asked; ``main`` turns it into 2.

An unusable cluster file has its own class in ``clusterfile.errors``.
"""

from __future__ import annotations


class CannotDo(Exception):
    """The request or its input is bad; the text is one sentence that says what to do.

    ``path`` names the option or the entry of the file that is meant, if one is.
    """

    def __init__(self, sentence: str, path: str = "") -> None:
        self.path = path
        super().__init__(sentence)


class BadUsage(CannotDo):
    """The words of the command line do not fit together; ``usage`` shows which do."""

    def __init__(self, sentence: str, path: str = "", usage: str = "") -> None:
        self.usage = usage
        super().__init__(sentence, path)


class Terminated(KeyboardInterrupt):
    """SIGTERM: what is on disk only for the time of a run must go, as with Ctrl-C."""
