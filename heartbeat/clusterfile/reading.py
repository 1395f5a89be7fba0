"""Reads a cluster file: every error at once, or its content and its warnings.

Called by every subcommand that takes FILE. Nothing is written, nothing is asked but the
XML of guests whose sizes the file leaves out.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError
from vmha.agents.protocol.files import read_bytes
from vmha.heartbeat.clusterfile import (
    document,
    entries,
    exclusions,
    ineffective,
    limits,
    references,
    rules,
    schema,
    secrets,
)
from vmha.heartbeat.clusterfile.content import ClusterFile
from vmha.heartbeat.clusterfile.document import Section
from vmha.heartbeat.clusterfile.errors import BadClusterFile, Problem
from vmha.heartbeat.clusterfile.guesses import Guesser

LARGEST_BYTES = 64 * 1024 * 1024
ANSWERS_S = 30.0
"""Within which the file must have been read: a hung mount holds nobody for ever."""
STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
# These may stand there with nothing below: what was in them is commented out.
MAY_BE_EMPTY = ("quorum", "guests", "classes", "rules", "policy")


def read(path: str) -> ClusterFile:
    """Return the content of a cluster file ("-" is standard input).

    Raises BadClusterFile with every problem that was found.
    """
    return parse(_text(path), path)


def parse(text: str, path: str) -> ClusterFile:
    """Return the content of a text; ``path`` names it in messages."""
    with _collector_paused():
        root, problems = document.parse(text)
        if not root and problems:
            raise BadClusterFile(path, problems)
        for key in MAY_BE_EMPTY:
            if key in root and root[key] is None:
                del root[key]
        return _content(root, path, problems)


def _content(root: Section, path: str, problems: list[Problem]) -> ClusterFile:
    guesser = Guesser()
    malformed = {(problem.line, problem.path) for problem in problems}
    places = references.places_of(root)
    placed = rules.read(root)
    problems += schema.problems(root, guesser)
    problems += secrets.problems(root)
    problems += references.problems(root, places, guesser)
    problems += exclusions.problems(root, guesser)
    problems += rules.problems(placed, places)
    if problems:
        problems += entries.sizes_missing(root)
        raise BadClusterFile(path, _in_order(_without_echo(problems, malformed)))
    guests, problems = entries.guests(root)
    if problems:
        raise BadClusterFile(path, _in_order(problems))
    file = ClusterFile(
        path,
        root["cluster"]["name"],
        entries.nodes(root),
        guests,
        entries.classes(root),
        tuple(sorted({one.rule for one in placed}, key=repr)),
        entries.policy(root),
        root["cluster"].get("token_ms"),
        entries.two_node(root),
        entries.qdevice(root),
    )
    problems = limits.problems(root, file, placed)
    if problems:
        raise BadClusterFile(path, _in_order(problems))
    return replace(file, warnings=ineffective.warnings(file, placed))


def _without_echo(
    problems: list[Problem], malformed: set[tuple[int, str]]
) -> list[Problem]:
    """Leave out what is said of a value that is malformed as YAML: once is enough."""
    told: set[tuple[int, str]] = set()
    kept = []
    for problem in problems:
        place = (problem.line, problem.path)
        if place not in malformed or place not in told:
            kept.append(problem)
        told.add(place)
    return kept


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(set(problems))


def _text(path: str) -> str:
    """Read the file as UTF-8; raises BadClusterFile."""
    try:
        data = _bytes(path)
    except (AgentError, OSError) as error:
        reason = str(error).removeprefix(f"{path} ")
        raise BadClusterFile(path, [Problem(0, "", reason)]) from error
    if len(data) > LARGEST_BYTES:
        sentence = f"is larger than {LARGEST_BYTES} bytes: no cluster file"
        raise BadClusterFile(path, [Problem(0, "", sentence)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        sentence = f"is not UTF-8 text ({error.reason})"
        raise BadClusterFile(path, [Problem(line, "", sentence)]) from error


def _bytes(path: str) -> bytes:
    """Read at most a little more than the largest file; standard input without bound.

    What comes through a pipe is the work of whoever writes it, and that may take time.
    """
    if path not in STDIN:
        return read_bytes(path, Deadline(ANSWERS_S), LARGEST_BYTES)
    with os.fdopen(os.dup(0), "rb") as file:
        return file.read(LARGEST_BYTES + 1)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Pause the collector of cycles: a large file makes objects only, and it triples
    the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
