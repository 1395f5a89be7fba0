"""Which cluster a subcommand is about: a cluster file, or the live one.

Called by plan and whatif. Whatever it comes from, it is the planner's model.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from vmha.heartbeat.command.errors import BadUsage
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.planning.model import Cluster

LIVE_S = 60.0


class Source(NamedTuple):
    """A cluster to plan with: what to call it, and what is to be said of its origin."""

    name: str
    cluster: Cluster
    warnings: tuple[str, ...] = ()


def add(parser: argparse.ArgumentParser) -> None:
    """Declare FILE and --live."""
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help='the cluster file (vmha.yaml); "-" is standard input',
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="the running cluster instead of a file, as its CIB has it",
    )


def read(arguments: argparse.Namespace, streams: Streams) -> Source:
    """Return the cluster that the arguments name; raises for bad ones."""
    if arguments.live and arguments.file:
        raise BadUsage("give FILE or --live, not both", "--live")
    if arguments.live:
        return _live(streams)
    if not arguments.file:
        raise BadUsage("give a cluster file, or --live for the running cluster", "FILE")
    return _of_file(arguments.file)


def _of_file(path: str) -> Source:
    from vmha.heartbeat.clusterfile import planned, reading

    file = reading.read(path)
    return Source(f"cluster {file.name}", planned.cluster_of(file), file.warnings)


def _live(streams: Streams) -> Source:
    """Read the running cluster; raises what Pacemaker's tools answer."""
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker import live
    from vmha.heartbeat.pacemaker.cluster import Cluster as Running

    deadline = Deadline(LIVE_S)
    document = Running(streams.environ).read(deadline)
    found = live.read(document, deadline)
    return Source("the live cluster", found.cluster, found.unread)
