"""``vmha diff``: what applying a cluster file would change; changes nothing."""

from __future__ import annotations

import argparse

from vmha.heartbeat.command import difference
from vmha.heartbeat.command.streams import Streams

DESCRIPTION = """\
Show what "vmha apply" would change in the cluster, and what Pacemaker would then do
with the guests: start, stop, move or restart them. Nothing is changed. Exit code 0: the
cluster is what the file says; 1: it is not."""

EXAMPLES = """\
  vmha diff vmha.yaml
  vmha diff vmha.yaml --cib saved.xml
  vmha diff vmha.yaml --json    # its "version" is what "vmha apply --against" takes"""


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    difference.add_file(parser)
    parser.add_argument(
        "--cib", metavar="XML", help="a saved CIB (cibadmin --query), not the cluster's"
    )
    difference.add_output(parser)


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Show the difference."""
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.clusterfile.reading import read
    from vmha.heartbeat.pacemaker.proposal import propose

    file = read(arguments.file)
    deadline = Deadline(arguments.timeout)
    live = difference.configuration(arguments, streams, deadline)
    proposal = propose(
        live, file, deadline, arguments.adopt, arguments.remove, streams.progress
    )
    if arguments.json:
        streams.json(difference.as_json(proposal))
    else:
        difference.show(proposal, streams, arguments.verbose)
    return 1 if proposal.changes or proposal.conflicts else 0
