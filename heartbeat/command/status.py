"""``vmha status``: the cluster on one screen.

Everything is read: Pacemaker's word for nodes and resources (crm_mon), the CIB for
capacity and fencing, and the planner's for the margin. Nothing is asked of other nodes.
"""

from __future__ import annotations

import argparse
import shutil
import time
from typing import TYPE_CHECKING

from vmha.heartbeat.command.difference import seconds
from vmha.heartbeat.command.errors import Terminated
from vmha.heartbeat.command.streams import Streams

if TYPE_CHECKING:
    from vmha.heartbeat.corosync.quorum import Quorum
    from vmha.heartbeat.doctor.cib import Cib
    from vmha.heartbeat.doctor.overview import Overview
    from vmha.heartbeat.planning.failures import Progress
    from vmha.heartbeat.planning.outcome import Plan

DESCRIPTION = """\
Shows nodes, guests, where and why there, fencing, how many failures would be survived
now, and the last failovers. With a cluster file, also the guests' classes and how many
failures are wanted to be survived.

Exit codes: 0 all is well, 1 something asks for you, 2 the cluster does not answer."""
EXAMPLES = """\
  vmha status
  vmha status --watch 5
  vmha status vmha.yaml --json"""
ANSWERS_S = 60.0
FENCINGS = 5
CLEAR = "\x1b[H\x1b[2J"
OVERHEAD = 14  # lines of a screen that are not guests'


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="a cluster file")
    again = "show it again every SECONDS (2) until Ctrl-C"
    parser.add_argument(
        "--watch", nargs="?", type=seconds, const=2.0, metavar="SECONDS", help=again
    )
    parser.add_argument("--json", action="store_true", help="answer for programs")


class Margins:
    """The last plan, with what it was made of: a quiet cluster is not planned anew."""

    def __init__(self) -> None:
        self._known: tuple[object, Plan | None] | None = None

    def of(
        self,
        cib: Cib,
        running: dict[str, str],
        wanted: int,
        votes: Quorum,
        progress: Progress | None = None,
        *,
        is_told: bool,
    ) -> Plan | None:
        """Ask the planner; None for a cluster without guests.

        ``is_told`` is whether ``votes`` are those of this cluster's corosync.conf.
        """
        from lxml import etree

        from vmha.heartbeat.doctor import quorate, survival

        asked = (etree.tostring(cib.root), running, wanted, votes, is_told)
        if self._known is None or self._known[0] != asked:
            made = survival.plan_of(
                cib,
                running,
                wanted,
                votes.qdevice,
                votes.last_man,
                votes.two_node if is_told else None,
                progress,
            )
            self._known = asked, made and quorate.weighed(made, votes, wanted)
        return self._known[1]


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Show the cluster once, or again and again."""
    margins = Margins()
    if not arguments.watch:
        return _once(arguments, streams, margins)
    try:
        while True:
            if streams.out.isatty():
                streams.out.write(CLEAR)
            _once(arguments, streams, margins)
            streams.out.flush()
            time.sleep(max(0.5, arguments.watch))
    except Terminated:
        raise
    except KeyboardInterrupt:
        return 0


def _once(arguments: argparse.Namespace, streams: Streams, margins: Margins) -> int:
    found = look(arguments.file or "", streams, margins)
    if arguments.json:
        streams.json(as_json(found))
    else:
        _show(found, streams)
    return 0 if found.is_well else 1


def look(path: str, streams: Streams, margins: Margins) -> Overview:
    """Read the cluster; raises AgentError where it does not answer."""
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.corosync import own, quorum
    from vmha.heartbeat.doctor import observed, overview
    from vmha.heartbeat.doctor.cib import Cib
    from vmha.heartbeat.pacemaker.cluster import Cluster
    from vmha.heartbeat.pacemaker.questions import shown

    deadline = Deadline(ANSWERS_S)
    seen = observed.look(deadline, streams.environ)
    cib = Cib(Cluster(streams.environ).read(deadline))
    wanted, classes = 1, {}
    if path:
        from vmha.heartbeat.clusterfile.reading import read

        file = read(path)
        wanted = file.policy.tolerate
        classes = {g.name: g.guest_class or "" for g in file.guests}
    running = {name: s.nodes[0] for name, s in seen.resources.items() if s.nodes}
    # Of a saved CIB this node's corosync.conf counts if it names the same nodes.
    nodes = set(cib.nodes) if streams.environ.get("CIB_file") else None
    conf, unread = own.read(deadline, nodes)
    asking = shown(streams.progress)
    plan = margins.of(cib, running, wanted, quorum.of(conf), asking, is_told=not unread)
    return overview.of(cib, seen, plan, wanted, classes)


def as_json(found: Overview) -> dict[str, object]:
    """Return the overview for programs; docs/doctor.md describes it."""
    margin = found.margin
    return {
        "well": found.is_well,
        "dc": found.dc,
        "version": found.version,
        "quorum": found.has_quorum,
        "nodes": [node._asdict() for node in found.nodes],
        "guests": [guest._asdict() for guest in found.guests],
        "fencing": [device._asdict() for device in found.devices],
        "unfenced": list(found.unfenced),
        "margin": None
        if margin is None
        else {**margin._asdict(), "holds": margin.holds},
        "fencings": [event._asdict() for event in found.fencings],
    }


def _show(found: Overview, streams: Streams) -> None:
    from vmha.heartbeat.command.tables import Table, show

    quorum = "with quorum" if found.has_quorum else "WITHOUT QUORUM"
    streams.line(f"DC {found.dc or 'none'}, {quorum}, Pacemaker {found.version}")
    streams.line()
    nodes = [
        (
            node.name,
            node.state,
            str(node.guests),
            f"{node.cpu_used}/{node.cpu}",
            f"{node.memory_used_mib}/{node.memory_mib}",
        )
        for node in found.nodes
    ]
    columns = ("node", "state", "guests", "cpu", "memory MiB")
    numbers = frozenset(columns[2:])
    show(streams, Table("Nodes", columns, nodes, numbers))
    _show_guests(found, streams)
    fencing = [
        (d.name, "ok" if d.is_well else "FAILS", ", ".join(d.targets) or "?", d.said)
        for d in found.devices
    ]
    show(streams, Table("Fencing", ("device", "state", "fences", ""), fencing))
    for node in found.unfenced:
        streams.line(f"Node {node} has no fence device.")
    if found.margin is not None:
        word = "Margin" if found.margin.holds else "NO MARGIN"
        streams.line(f"{word}: {found.margin.text}.")
    events = [
        (e.when, e.target, e.action, e.status, e.by or "-")
        for e in found.fencings[:FENCINGS]
    ]
    title = ("when", "node", "action", "result", "by")
    streams.line()
    show(streams, Table("Last failovers", title, events))


def _show_guests(found: Overview, streams: Streams) -> None:
    """Show those first that need somebody, and as many as the screen has lines."""
    from vmha.heartbeat.command.tables import Table, show

    ordered = sorted(found.guests, key=lambda g: (g.state == "running", g.name))
    room = len(ordered)
    if streams.out.isatty():
        taken = OVERHEAD + len(found.nodes) + len(found.devices)
        room = max(5, shutil.get_terminal_size().lines - taken)
    rows = [
        (
            guest.name,
            guest.guest_class or str(guest.priority),
            guest.state if guest.state == "running" else guest.state.upper(),
            guest.node or "-",
            guest.why,
        )
        for guest in ordered[:room]
    ]
    show(streams, Table("Guests", ("guest", "class", "state", "node", "why"), rows))
    if len(ordered) > room:
        streams.line(f"… and {len(ordered) - room} more that run (--json shows all)")
        streams.line()
