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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lxml import etree

    from vmha.agents.protocol.deadline import Deadline


class Source(NamedTuple):
    """A cluster to plan with: what to call it, and what is to be said of its origin.

    ``document`` is the CIB of a running cluster, None for a file's; ``gone`` and
    ``standby`` are its nodes that are down or take no guests.
    """

    name: str
    cluster: Cluster
    warnings: tuple[str, ...] = ()
    document: etree._Element | None = None
    gone: tuple[str, ...] = ()
    standby: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Tell whether every node takes guests."""
        return not (self.gone or self.standby)


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
    """Read the running cluster; raises what Pacemaker's tools answer.

    Whether two nodes have Corosync's two_node, and an arbiter, stands in corosync.conf.
    """
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker import live, stopped
    from vmha.heartbeat.pacemaker.cluster import Cluster as Running

    deadline = Deadline(LIVE_S)
    document = Running(streams.environ).read(deadline)
    two_node, qdevice, unread = _quorum(deadline)
    found = live.read(document, deadline, two_node, qdevice)
    absent = [
        f"Node {name} is down now and stays so in every case." for name in found.gone
    ]
    absent += [
        f"Node {name} is in standby and takes no guest." for name in found.standby
    ]
    return Source(
        "the live cluster",
        stopped.left_out(found.cluster, document),
        (*absent, *found.unread, *unread),
        document,
        found.gone,
        found.standby,
    )


def _quorum(deadline: Deadline) -> tuple[bool, bool, tuple[str, ...]]:
    """Return two_node, whether there is a qdevice, and why that is not known."""
    from vmha.agents.protocol.errors import AgentError
    from vmha.agents.protocol.files import read_text
    from vmha.heartbeat.corosync import reading

    try:
        conf = reading.parse(read_text(reading.PATH, deadline))
    except (AgentError, reading.BadConf) as error:
        sentence = f"{error}: neither two_node nor a qdevice is assumed."
        return False, False, (sentence,)
    return reading.has_two_node(conf), reading.qdevice_host(conf) is not None, ()
