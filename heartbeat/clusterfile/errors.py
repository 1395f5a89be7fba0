"""What is wrong with a cluster file: every finding, each with its place.

Collected by ``reading`` and its parts; shown by the command. A sentence holds the value
seen and what is accepted, never a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing to correct: ``path`` is like ``guests.web1.cpu``; 0 is no line."""

    line: int
    path: str
    message: str


class BadClusterFile(Exception):
    """A cluster file cannot be used; ``problems`` is all that was found, in order."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(lines(file, self.problems)))


def lines(file: str, problems: Sequence[Problem]) -> list[str]:
    """Return one line for each finding, as compilers write them: file:line: path."""
    return [_line(file, problem) for problem in problems]


def _line(file: str, problem: Problem) -> str:
    place = f"{file}:{problem.line}" if problem.line else file
    path = f"{problem.path}: " if problem.path else ""
    return f"{place}: {path}{problem.message}"
