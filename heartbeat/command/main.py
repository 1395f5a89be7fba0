"""``vmha``: reads the command line, runs one subcommand, turns errors into exit code 2.

Exit codes: what the subcommand says (0 all is well, 1 it is not), 2 for bad input or
usage, 3 for a defect of vmha, 130 for Ctrl-C, 143 for SIGTERM. With --json on the
command line, errors are ``{"errors": [{"line", "path", "message"}]}`` on standard
output as well.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from vmha.agents.protocol.errors import AgentError
from vmha.agents.protocol.version import VERSION
from vmha.heartbeat.clusterfile.errors import BadClusterFile, Problem
from vmha.heartbeat.clusterfile.errors import lines as lines_of
from vmha.heartbeat.command import table
from vmha.heartbeat.command.errors import BadUsage, CannotDo, Terminated
from vmha.heartbeat.command.streams import Streams

BAD_INPUT = 2
DEFECT = 3
INTERRUPTED = 130
TERMINATED = 143
NAME_WIDTH = 15

INTRODUCTION = """\
vmha plans, configures and observes a Pacemaker cluster of virtual machines, all from
one file (vmha.yaml). Pacemaker decides; vmha tells beforehand what it will decide."""
CLOSING = """\
"vmha SUBCOMMAND --help" explains each. Exit codes: 0 all is well, 1 it is not,
2 bad input or usage (with --json as a list of errors)."""


class Parser(argparse.ArgumentParser):
    """argparse, whose complaints are raised instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong as BadUsage, with the usage that would be right."""
        sentence = f"{message}; see {self.prog} --help"
        raise BadUsage(sentence, usage=self.format_usage().rstrip())


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """The help of subcommands: texts as they are written, room for long options."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=88)


def main() -> int:
    """Run the command of this process and return its exit code."""
    environ = dict(os.environ)
    if environ.get("CIB_file"):  # Pacemaker's tools are run in another folder
        environ["CIB_file"] = os.path.abspath(environ["CIB_file"])
    streams = Streams(sys.stdout, sys.stderr, environ)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = run(sys.argv[1:], streams)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has enough. What is still buffered must not be
        # written at exit, or Python complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _terminate(*_: object) -> NoReturn:
    raise Terminated


def run(words: Sequence[str], streams: Streams) -> int:
    """Run one command line and return its exit code; the one broad catch."""
    try:
        return _dispatch(words, streams)
    except BadClusterFile as error:
        return _refuse(
            error.problems, lines_of(error.file, error.problems), words, streams
        )
    except (CannotDo, AgentError) as error:
        return _refuse_sentence(error, words, streams)
    except Terminated:
        streams.say("vmha: terminated")
        return TERMINATED
    except KeyboardInterrupt:
        streams.say("vmha: interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the one broad catch
        import traceback

        streams.say("".join(traceback.format_tb(error.__traceback__)).rstrip())
        kind = type(error).__name__
        streams.say(
            f"vmha: unexpected {kind}: {error}; a defect of vmha, please report"
        )
        return DEFECT


def _dispatch(words: Sequence[str], streams: Streams) -> int:
    """Find the subcommand; options before it are vmha's own."""
    first = words[0] if words else "--help"
    if first == "help" and words[1:]:
        return _dispatch([words[1], "--help"], streams)
    if first in ("-h", "--help", "help"):
        streams.line(help_text())
        return 0
    if first in ("-V", "--version"):
        streams.line(f"vmha {VERSION}")
        return 0
    known = {command.name: command for command in _every()}
    if first not in known:
        raise BadUsage(_unknown(first, list(known)), usage="usage: vmha SUBCOMMAND ...")
    module = import_module(known[first].module)
    parser = Parser(
        prog=f"vmha {first}",
        description=module.DESCRIPTION,
        epilog=f"examples:\n{module.EXAMPLES}" if module.EXAMPLES else None,
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    module.add(parser)
    try:
        arguments = parser.parse_args(words[1:])
    except SystemExit as done:  # --help has been printed
        return int(done.code or 0)
    code: int = module.run(arguments, streams)
    streams.end_progress()
    return code


def _every() -> list[table.Subcommand]:
    shown = [command for group in table.GROUPS.values() for command in group]
    return [*shown, *table.INTERNAL]


def help_text() -> str:
    """Return what ``vmha --help`` prints."""
    parts = ["usage: vmha SUBCOMMAND [OPTIONS]", "", INTRODUCTION, ""]
    for title, group in table.GROUPS.items():
        if group:
            rows = [f"  {one.name:{NAME_WIDTH}}{one.summary}" for one in group]
            parts += [f"{title}:", *rows, ""]
    own = [
        f"  {'--help':{NAME_WIDTH}}this text",
        f"  {'--version':{NAME_WIDTH}}vmha's version",
    ]
    return "\n".join([*parts, "Options:", *own, "", CLOSING])


def _unknown(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, 1)
    guess = f"; did you mean {near[0]}?" if near else ""
    return f"{word!r} is no subcommand of vmha{guess} (there are {', '.join(known)})"


def _refuse_sentence(
    error: CannotDo | AgentError, words: Sequence[str], streams: Streams
) -> int:
    path = error.path if isinstance(error, CannotDo) else ""
    shown = [f"vmha: {error}"]
    if isinstance(error, BadUsage) and error.usage:
        shown.insert(0, error.usage)
    return _refuse([Problem(0, path, str(error))], shown, words, streams)


def _refuse(
    problems: Sequence[Problem],
    shown: Sequence[str],
    words: Sequence[str],
    streams: Streams,
) -> int:
    """Tell every problem, to a person or to a program."""
    streams.end_progress()
    if "--json" in words:
        streams.json({"errors": [_fields(problem) for problem in problems]})
        return BAD_INPUT
    for line in shown:
        streams.say(line)
    if len(problems) > 1:
        streams.say(f"{len(problems)} errors; nothing was done")
    return BAD_INPUT


def _fields(problem: Problem) -> Mapping[str, object]:
    return {
        "line": problem.line or None,
        "path": problem.path,
        "message": problem.message,
    }
