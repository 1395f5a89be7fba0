"""``vmha undo``: takes the last apply back, and nothing that others did since."""

from __future__ import annotations

import argparse
import os

from vmha.heartbeat.command import apply, difference
from vmha.heartbeat.command.errors import CannotDo
from vmha.heartbeat.command.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmha.heartbeat.pacemaker.undo import Journal

DESCRIPTION = """\
Take the last "vmha apply" of this node back: everything that it changed becomes what
it was. What was changed since by others is not touched; if that is something which
apply had changed too, undo refuses, and --force takes it back all the same. Repeated,
it takes back the apply before. Exit code 0: done; 1: refused or nothing to undo."""

EXAMPLES = """\
  vmha undo
  vmha undo --yes --wait 120"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--force", action="store_true", help="also what was changed since"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    apply.add_wait(parser)
    difference.add_output(parser)


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Take the last apply back."""
    from lxml import etree

    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker.cluster import Cluster
    from vmha.heartbeat.pacemaker.proposal import proposed
    from vmha.heartbeat.pacemaker.undo import undone

    kept = journal(streams)
    try:
        last = kept.latest()
    except (OSError, etree.XMLSyntaxError) as error:
        raise CannotDo(f"what apply has kept cannot be read: {error}") from error
    if last is None:
        return _refused(
            "nothing to undo: no apply of this node is kept", arguments, streams
        )
    path, steps, words = last
    deadline = Deadline(arguments.timeout)
    cluster = Cluster(streams.environ)
    live = cluster.read(deadline)
    after, changed = undone(live, steps, arguments.force)
    if changed:
        said = f"refused: changed since the apply: {', '.join(changed)}"
        return _refused(said, arguments, streams, changed)
    streams.say(f"undoing the apply of {words.get('file')} of {words.get('time')}")
    proposal = proposed(live, after, deadline, streams.progress)
    answer = apply.decide(proposal, arguments, streams)
    if answer is None:
        cluster.change(proposal.before, proposal.after, deadline)
        kept.drop(path)
        answer = apply.wait(cluster, arguments, streams)
    elif not proposal.changes:
        kept.drop(path)
    if arguments.json:
        streams.json(
            {"undone": not os.path.exists(path), **difference.as_json(proposal)}
        )
    return answer


def _refused(
    sentence: str,
    arguments: argparse.Namespace,
    streams: Streams,
    changed: Sequence[str] = (),
) -> int:
    """Say why nothing is taken back; a program gets the same form as of a change."""
    if not arguments.json:
        streams.say(sentence)
        return apply.NO
    conflicts = [
        {"subject": name, "text": "changed since the apply", "option": "--force"}
        for name in changed
    ]
    nothing: dict[str, object] = {"version": None, "changes": [], "actions": []}
    found = {"kept": [], "conflicts": conflicts, "against": [sentence], "warnings": []}
    streams.json({"undone": False, **nothing, **found})
    return apply.NO


def journal(streams: Streams) -> Journal:
    """Return where applies are kept: beside CIB_file where the environment has it."""
    from vmha.heartbeat.pacemaker.undo import FOLDER, Journal

    file = streams.environ.get("CIB_file")
    return Journal(f"{file}.undo" if file else FOLDER)
