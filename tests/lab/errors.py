"""The lab's errors: each is one sentence for the person at the terminal."""

from __future__ import annotations


class LabError(Exception):
    """Something in the lab did not work; ``str()`` is the sentence to show."""

    exit_code = 1


class NotUp(LabError):
    """The lab, or the node that was asked, is not running."""

    exit_code = 7


class NoSuchNode(LabError):
    """The lab has no node of this name."""

    exit_code = 2


class CannotHost(LabError):
    """This machine lacks something the lab needs: root, a namespace, a package."""

    exit_code = 5


class TimedOut(LabError):
    """Something did not happen in its time; the sentence says what was last seen."""

    exit_code = 4


class CommandFailed(LabError):
    """A program ended with an error; holds what it said."""

    def __init__(self, argv: list[str], exit_code: int, output: str) -> None:
        self.argv = argv
        self.code = exit_code
        self.output = output
        last = output.strip().splitlines()[-4:]
        said = " / ".join(line.strip() for line in last) or "nothing"
        super().__init__(f"`{' '.join(argv)}` ended with {exit_code} and said: {said}")
