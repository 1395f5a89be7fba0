"""Which cluster a subcommand is about: a cluster file, or the live one.

Called by plan and whatif. Whatever it comes from, it is the planner's model.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from vmha.heartbeat.command.errors import BadUsage
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.planning.instructions import STOPPED, TARGET_ROLE
from vmha.heartbeat.planning.model import Cluster
from vmha.heartbeat.planning.prediction import WHOLE
from vmha.heartbeat.planning.scores import LEAST_PRIORITY
from vmha.heartbeat.planning.state import State

LIVE_S = 60.0
MOST_TOLERATED = 8
MOST_NAMED = 6

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

    from vmha.heartbeat.clusterfile.content import ClusterFile
    from vmha.heartbeat.pacemaker.live import Live


class Source(NamedTuple):
    """A cluster to plan with: what to call it, and what is to be said of its origin.

    ``document`` is the CIB of a running cluster, ``file`` a cluster file; ``state`` is
    what of a running cluster is not as in a whole one, ``doubts`` what of its
    configuration is not reckoned with. ``has_all_rules`` is whether the cluster's rules
    are all that keeps guests from nodes. ``least_priority`` is what a file's priority 0
    has become in a running cluster that vmha has configured. ``votes`` is what of
    quorum is not reckoned with, and no simulation of Pacemaker's can tell either.
    """

    name: str
    cluster: Cluster
    warnings: tuple[str, ...] = ()
    document: etree._Element | None = None
    state: State = WHOLE
    doubts: tuple[str, ...] = ()
    file: ClusterFile | None = None
    has_all_rules: bool = True
    least_priority: int = 0
    votes: tuple[str, ...] = ()

    @property
    def is_packable(self) -> bool:
        """Tell whether the rules say all that a packing by hand would have to heed."""
        return self.state.is_whole and self.has_all_rules

    @property
    def overhead_mib(self) -> int:
        """What a guest needs besides its own memory; in a CIB it is counted in."""
        return 0 if self.file is None else self.file.policy.guest_overhead_mib

    def whole(self, cluster: Cluster) -> etree._Element | None:
        """Return the CIB that Pacemaker would decide by, guests where these are."""
        from vmha.heartbeat.pacemaker import confirmation

        if self.file is not None:
            return confirmation.rendered(self.file, cluster)
        return self.document


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
    parser.add_argument(
        "--tolerate",
        metavar="N",
        type=_tolerated,
        help="node failures to be survived, instead of what the file's policy.tolerate "
        "says (of a running cluster: 1)",
    )


def add_answer(parser: argparse.ArgumentParser) -> None:
    """Declare how much is looked for, and how the answer is given."""
    parser.add_argument(
        "--no-could-place",
        action="store_true",
        help="leave the search for better packings out (faster for hundreds of guests)",
    )
    parser.add_argument(
        "--no-confirm",
        action="store_true",
        help="do not ask crm_simulate whether it agrees",
    )
    parser.add_argument(
        "--all", action="store_true", help="name every guest, also in long lists"
    )
    parser.add_argument("--json", action="store_true", help="answer as JSON")


def _tolerated(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= MOST_TOLERATED:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a whole number from 0 to {MOST_TOLERATED}"
    )


def read(arguments: argparse.Namespace, streams: Streams) -> Source:
    """Return the cluster that the arguments name; raises for bad ones."""
    if arguments.live and arguments.file:
        raise BadUsage("give FILE or --live, not both", "--live")
    if not (arguments.live or arguments.file):
        raise BadUsage("give a cluster file, or --live for the running cluster", "FILE")
    found = _live(streams) if arguments.live else _of_file(arguments.file)
    if arguments.tolerate is None:
        return found
    return found._replace(cluster=found.cluster._replace(tolerate=arguments.tolerate))


def _of_file(path: str) -> Source:
    from vmha.heartbeat.clusterfile import planned, reading

    file = reading.read(path)
    cluster = planned.cluster_of(file)
    return Source(f"cluster {file.name}", cluster, file.warnings, file=file)


def _live(streams: Streams) -> Source:
    """Read the running cluster; raises what Pacemaker's tools answer.

    Whether two nodes have Corosync's two_node, and an arbiter, stands in corosync.conf.
    """
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.corosync import own, quorum
    from vmha.heartbeat.pacemaker import live, stopped
    from vmha.heartbeat.pacemaker.cluster import Cluster as Running
    from vmha.heartbeat.pacemaker.inventory import members

    deadline = Deadline(LIVE_S)
    document = Running(streams.environ).read(deadline)
    is_saved = bool(streams.environ.get("CIB_file"))
    nodes = {str(node.get("uname")) for node in members(document)}
    conf, unread = own.read(deadline, nodes if is_saved else None)
    votes = quorum.of(conf)
    found = live.read(document, deadline, votes.two_node, votes.qdevice)
    cluster = stopped.left_out(found.cluster, document)
    state = found.state
    told = [
        f"Node {name} is down now and stays so in every case." for name in state.gone
    ]
    told += [f"Node {name} is in standby and takes no guest." for name in state.standby]
    told += [
        f"Node {name} is in maintenance: Pacemaker leaves its guests alone, and starts "
        "none there."
        for name in state.frozen
    ]
    doubts = found.doubts
    told += [f"Not reckoned with: {doubt}." for doubt in (*doubts, *votes.costs)]
    told += [f"Quorum: {gain}." for gain in votes.gains]
    told += _left_alone(cluster, document)
    if found.cluster.guests and not cluster.guests:
        told.append(
            "Every guest is meant to be stopped (target-role, its own or by "
            "rsc_defaults): nothing starts any of them, and nothing is planned for."
        )
    return Source(
        "the live cluster",
        cluster._replace(last_man=votes.last_man),
        (*told, *unread),
        document,
        state,
        doubts,
        has_all_rules=_are_all(found),
        least_priority=LEAST_PRIORITY if _has_own(document) else 0,
        votes=votes.costs,
    )


def _are_all(found: Live) -> bool:
    """Tell whether nothing keeps a guest down but the rules that were read."""
    told = found.state.told
    if found.doubts or found.unread or told is None or told.orders:
        return False
    return not all(
        terms.meta.get(TARGET_ROLE, "").lower() == STOPPED for terms in told.guests
    )


def _has_own(document: etree._Element) -> bool:
    from vmha.heartbeat.pacemaker.live import metas
    from vmha.heartbeat.pacemaker.rendering import MARK, MARKED

    return any(meta.get(MARK) == MARKED for meta in metas(document).values())


def _left_alone(cluster: Cluster, document: etree._Element) -> Iterator[str]:
    """Tell of guests that are not managed, and not because a cluster file says so."""
    from vmha.heartbeat.pacemaker.live import metas
    from vmha.heartbeat.pacemaker.rendering import MARK, MARKED

    meta = metas(document)
    names = [g.name for g in cluster.guests if not g.ha]
    names = [name for name in names if meta[name].get(MARK) != MARKED]
    if names:
        more = f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else ""
        yield (
            f"Not managed (is-managed=false), so nothing restarts them, and they do "
            f"not count: {', '.join(names[:MOST_NAMED])}{more}."
        )
