"""``vmha apply``: makes the cluster what the file says, in one step, or not at all."""

from __future__ import annotations

import argparse
import sys

from vmha.heartbeat.command import difference
from vmha.heartbeat.command.errors import BadUsage, CannotDo
from vmha.heartbeat.command.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker.cluster import Cluster
    from vmha.heartbeat.pacemaker.proposal import Proposal

DESCRIPTION = """\
Make the cluster what the file says. The change is shown first, with what Pacemaker does
on it; it is made in one step against the very configuration it was shown for, and
refused if that has changed meanwhile. It is refused as well if a guest would stay down,
a hard rule would not hold, or too few failures would be survived (policy.tolerate);
--force overrules these. Only what vmha wrote is changed. "vmha undo" takes it back.
Exit code 0: the cluster is what the file says; 1: refused, nothing was changed; or the
change was made and --wait ran out."""

EXAMPLES = """\
  vmha apply vmha.yaml                    # shows the change and asks
  vmha apply vmha.yaml --yes --wait 120   # asks nothing, waits until guests run
  vmha apply vmha.yaml --against 0.31.7   # only if it is the one of that diff"""

NO = 1


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    difference.add_file(parser)
    parser.add_argument(
        "--force",
        action="store_true",
        help='do it though the list "Against it" is not empty',
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--against",
        metavar="VERSION",
        help="the configuration's version at the time of the diff that you have seen",
    )
    add_wait(parser)
    difference.add_output(parser)


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Declare how long is waited for Pacemaker."""
    parser.add_argument(
        "--wait",
        type=int,
        metavar="S",
        help="wait up to so many seconds until Pacemaker has done its part",
    )


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Apply the file."""
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.clusterfile.reading import read
    from vmha.heartbeat.pacemaker.cluster import Cluster, Moved
    from vmha.heartbeat.pacemaker.difference import version
    from vmha.heartbeat.pacemaker.proposal import propose

    file = read(arguments.file)
    deadline = Deadline(arguments.timeout)
    cluster = Cluster(streams.environ)
    live = cluster.read(deadline)
    if arguments.against not in (None, version(live)):
        raise Moved(arguments.against, version(live))
    proposal = propose(
        live, file, deadline, arguments.adopt, arguments.remove, streams.progress
    )
    answer = decide(proposal, arguments, streams)
    made = answer is None
    if answer is None:
        words = {"file": file.path, "cluster": file.name}
        kept = keep(proposal, streams, words)
        make(proposal, cluster, kept, deadline)
        answer = wait(cluster, arguments, streams)
    if arguments.json:
        is_true = made or not (proposal.changes or proposal.conflicts)
        streams.json({"applied": is_true, **difference.as_json(proposal)})
    return answer


def decide(
    proposal: Proposal, arguments: argparse.Namespace, streams: Streams
) -> int | None:
    """Show the change; return the exit code, or None when it is to be made."""
    if not arguments.json:
        difference.show(proposal, streams, arguments.verbose)
    if proposal.conflicts:
        streams.say("refused: something is in the way; nothing was changed")
        return NO
    if not proposal.changes:
        return 0
    if proposal.reasons and not arguments.force:
        for reason in proposal.reasons:
            streams.say(f"refused: {reason}")
        streams.say("nothing was changed; --force does it all the same")
        return NO
    if arguments.yes:
        return None
    if arguments.json or not sys.stdin.isatty():
        raise BadUsage("nobody can be asked here: --yes says that it may be done")
    streams.err.write("Make this change? [y/N] ")
    streams.err.flush()
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return None
    streams.say("nothing was changed")
    return NO


def keep(proposal: Proposal, streams: Streams, words: dict[str, str]) -> str:
    """Keep what is needed to take the change back; return where."""
    import time

    from vmha.heartbeat.command.undo import journal
    from vmha.heartbeat.pacemaker.undo import steps

    stamp = time.strftime("%Y-%m-%d %H:%M:%S %z")
    made = steps(proposal.before, proposal.after)
    try:
        return journal(streams).write(made, {**words, "time": stamp})
    except OSError as error:
        raise CannotDo(
            f"what undo needs cannot be kept: {error}; nothing was changed"
        ) from error


def make(proposal: Proposal, cluster: Cluster, kept: str, deadline: Deadline) -> None:
    """Make the change; forget what was kept where it did not come about."""
    import os

    from vmha.agents.protocol.errors import AgentError

    try:
        cluster.change(proposal.before, proposal.after, deadline)
    except AgentError:
        os.unlink(kept)
        raise


def wait(cluster: Cluster, arguments: argparse.Namespace, streams: Streams) -> int:
    """Wait until Pacemaker has nothing left to do, if that was asked for.

    Returns the exit code; a change that was made stays made.
    """
    from vmha.agents.protocol.deadline import Deadline

    if arguments.wait is None:
        return 0
    streams.progress("waiting until Pacemaker has done its part ...")
    if cluster.settle(Deadline(arguments.wait)):
        return 0
    streams.say(
        "the change was made, but Pacemaker was not done within "
        f"{arguments.wait} s; crm_mon shows what it waits for"
    )
    return NO
