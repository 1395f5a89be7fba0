"""What diff, apply and undo share: the cluster they speak of, and how they show it."""

from __future__ import annotations

import argparse

from vmha.heartbeat.command.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml import etree

    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker.proposal import Proposal
    from vmha.heartbeat.pacemaker.simulate import Action

TIMEOUT_S = 120.0
LONGEST_S = 3600.0
ADDED = "added"
SIGNS = {ADDED: "+", "removed": "-", "changed": "~"}


def add_file(parser: argparse.ArgumentParser) -> None:
    """Declare the cluster file and what may be taken over or removed."""
    parser.add_argument("file", metavar="FILE", help="the cluster file (vmha.yaml)")
    parser.add_argument(
        "--adopt",
        action="store_true",
        help="take over what exists and vmha did not write",
    )
    parser.add_argument(
        "--remove",
        action="store_true",
        help="remove guests that are no longer in the file, which stops them",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Declare the form of the answer and its time limit."""
    parser.add_argument("--json", action="store_true", help="answer for programs")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show all of what is added"
    )
    add_timeout(parser)


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """Declare how long Pacemaker's tools may take."""
    parser.add_argument(
        "--timeout",
        type=seconds,
        default=TIMEOUT_S,
        metavar="S",
        help="seconds in which Pacemaker's tools must have answered (default: 120)",
    )


def seconds(text: str) -> float:
    """Read a number of seconds that can be waited for: no more than an hour."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if 0 < found <= LONGEST_S:  # not true of nan either
        return found
    raise argparse.ArgumentTypeError(
        f"{text!r} is no number of seconds above 0 and up to {LONGEST_S:.0f}"
    )


def configuration(
    arguments: argparse.Namespace, streams: Streams, deadline: Deadline
) -> etree._Element:
    """Return the CIB of --cib, or the live one; raises AgentError."""
    from vmha.heartbeat.pacemaker import saved
    from vmha.heartbeat.pacemaker.cluster import Cluster, parsed

    if getattr(arguments, "cib", None) is None:
        return Cluster(streams.environ).read(deadline)
    return parsed(saved.text(arguments.cib, deadline), arguments.cib)


def show(proposal: Proposal, streams: Streams, verbose: bool = False) -> None:
    """Tell a person what would change and what Pacemaker would do.

    Of what is added only the essence, unless ``verbose``.
    """
    for change in proposal.changes:
        sign = f"{SIGNS[change.kind]} {change.subject}"
        if change.kind == ADDED and not verbose:
            streams.line(f"{sign}: {', '.join(_shortly(change.details))}")
            continue
        streams.line(sign)
        for detail in change.details:
            streams.line(f"    {detail}")
    if not proposal.changes:
        streams.line("Nothing to change.")
    elif proposal.actions:
        streams.line()
        streams.line("Pacemaker would then:")
        for action in proposal.actions:
            streams.line(f"  {told(action)}")
    else:
        streams.line()
        streams.line("Pacemaker would then do nothing with any guest.")
    for title, lines in notes(proposal).items():
        if lines:
            streams.line()
            streams.line(f"{title}:")
            for line in lines:
                streams.line(f"  {line}")


def _shortly(details: Sequence[str]) -> list[str]:
    """Leave out of what is added what is the same for all of its kind."""
    dull = ("kind ", "operation ", "meta ", "parameter autoset", "parameter pcmk_")
    return [line for line in details if not line.startswith(dull)]


def notes(proposal: Proposal) -> dict[str, list[str]]:
    """Return what stands in the way, by headline."""
    conflicts = [
        f"{c.sentence} ({c.option} allows it)" if c.option else c.sentence
        for c in proposal.conflicts
    ]
    return {
        "Left as it is": list(proposal.kept),
        "In the way": conflicts,
        "Against it": list(proposal.reasons),
        "Not certain": list(proposal.warnings),
    }


def told(action: Action) -> str:
    """Return one of Pacemaker's actions as words."""
    because = f" ({action.reason})" if action.reason else ""
    if action.kind in ("move", "migrate"):
        way = "alive " if action.kind == "migrate" else ""
        where = f"{way}from {action.source} to {action.target}"
        return f"move {action.resource} {where}{because}"
    place = action.source or action.target
    where = f" on {place}" if place else ""
    return f"{action.kind} {action.resource}{where}{because}"


def as_json(proposal: Proposal) -> dict[str, object]:
    """Return the answer for programs."""
    return {
        "version": proposal.version,
        "changes": [
            {"kind": c.kind, "subject": c.subject, "details": list(c.details)}
            for c in proposal.changes
        ],
        "actions": [
            {
                "kind": a.kind,
                "guest": a.resource,
                "from": a.source or None,
                "to": a.target or None,
                "reason": a.reason,
            }
            for a in proposal.actions
        ],
        "kept": list(proposal.kept),
        "conflicts": [
            {"subject": c.subject, "text": c.sentence, "option": c.option or None}
            for c in proposal.conflicts
        ],
        "against": list(proposal.reasons),
        "warnings": list(proposal.warnings),
    }
