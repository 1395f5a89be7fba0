"""``vmha check``: the doctor. It looks for what will go wrong and says what to do.

The exit codes are those that monitoring systems read of a plugin (Nagios, Icinga): 0
nothing found (hints do not count), 1 a warning, 2 an error, 3 nothing found and
something could not be asked. A file that was named and cannot be used is bad input, 2;
a cluster that does not answer is not known, 3.
"""

from __future__ import annotations

import argparse

from vmha.agents.protocol.errors import AgentError
from vmha.heartbeat.command.errors import CannotDo
from vmha.heartbeat.command.streams import Streams

DESCRIPTION = """\
Looks for faults of a cluster before they cost a guest: fencing, quorum, capacity,
rules, timeouts, and what guests would miss on other nodes. Without FILE, --cib and
--facts it looks at the cluster of this node, and asks the other nodes over ssh as root
(no prompts, known hosts only, 10 s). What could not be asked is listed as not known.

Exit codes, as of a monitoring plugin: 0 nothing found, 1 warnings, 2 errors or a file
that cannot be used, 3 something could not be asked and nothing else was found."""
EXAMPLES = """\
  vmha check
  vmha check vmha.yaml
  vmha check --cib saved.xml --facts node1.json node2.json
  vmha check --list"""
UNKNOWN = 3


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="a cluster file")
    parser.add_argument("--cib", metavar="FILE", help="a saved CIB, - for stdin")
    parser.add_argument(
        "--facts",
        metavar="FILE",
        nargs="+",
        default=[],
        help="answers of vmha node-facts --json, one file for each node",
    )
    live = "the cluster of this node, beside what is named"
    parser.add_argument("--live", action="store_true", help=live)
    quiet = "ask no node; look at the cluster's configuration and status only"
    parser.add_argument("--no-ask", action="store_true", help=quiet)
    whole = "list all checks with their explanations and remedies"
    parser.add_argument("--list", action="store_true", help=whole)
    parser.add_argument("--json", action="store_true", help="answer for programs")


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Look, show, and return the exit code for a monitoring system."""
    from vmha.heartbeat.doctor import examination, shown
    from vmha.heartbeat.doctor.catalogue import checks
    from vmha.heartbeat.doctor.source import Request, gather
    from vmha.heartbeat.pacemaker.questions import shown as shown_by
    from vmha.heartbeat.pacemaker.saved import Unusable

    if arguments.list:
        if arguments.json:
            streams.json(shown.catalogue_json())
        else:
            for line in shown.listed(streams.width):
                streams.line(line)
        return examination.OK
    request = Request(
        arguments.file or "",
        arguments.cib or "",
        arguments.facts,
        arguments.live,
        not arguments.no_ask,
    )
    try:
        evidence = gather(request, streams.environ, shown_by(streams.progress))
    except Unusable as problem:
        raise CannotDo(str(problem)) from problem
    except AgentError as problem:
        # Monitoring must not read "critical" where nothing at all was seen.
        return _unseen(problem, arguments, streams)
    report = examination.examine(evidence, checks())
    if arguments.json:
        streams.json(shown.as_json(report))
    else:
        for line in shown.text(report, evidence, streams.width):
            streams.line(line)
    return report.exit_code


def _unseen(
    problem: AgentError, arguments: argparse.Namespace, streams: Streams
) -> int:
    if arguments.json:
        error = {"line": None, "path": "", "message": str(problem)}
        streams.json({"errors": [error]})
    streams.say(f"vmha check: {problem}")
    return UNKNOWN
