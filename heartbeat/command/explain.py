"""``vmha explain GUEST``: why here, why not there, why down."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from vmha.heartbeat.command.errors import CannotDo
from vmha.heartbeat.command.streams import Streams

if TYPE_CHECKING:
    from vmha.heartbeat.doctor.cib import Resource
    from vmha.heartbeat.doctor.placement import Situation

DESCRIPTION = """\
Explains the place of a guest: why it is where it is, for each other node what keeps it
away (state of the node, constraint, rule, the node's own word that it cannot host it,
failures, company, capacity), and why it is down if it is.

Exit codes: 0 it runs, 1 it is down, or on a node that is lost and not yet proven off,
2 there is no such guest or no cluster."""
EXAMPLES = """\
  vmha explain web1
  vmha explain web1 --json
  CIB_file=saved.xml vmha explain web1   # of a CIB that was saved"""
ANSWERS_S = 60.0
MOST_DOUBTS = 3


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("guest", metavar="GUEST", help="the resource of the guest")
    parser.add_argument("--json", action="store_true", help="answer for programs")


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Explain one guest."""
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.doctor import observed
    from vmha.heartbeat.doctor.cib import Cib
    from vmha.heartbeat.doctor.placement import Situation
    from vmha.heartbeat.pacemaker.cluster import Cluster

    deadline = Deadline(ANSWERS_S)
    cib = Cib(Cluster(streams.environ).read(deadline))
    now = Situation(cib, observed.look(deadline, streams.environ))
    guest = _found(arguments.guest, cib.guests)
    told = answer(guest, now)
    if arguments.json:
        streams.json(told)
    else:
        show(told, streams)
    return 0 if told["node"] else 1


def answer(guest: Resource, now: Situation) -> dict[str, object]:
    """Return the explanation for programs; docs/doctor.md describes it."""
    from vmha.heartbeat.doctor.doubted import Doubted
    from vmha.heartbeat.doctor.down import why_down
    from vmha.heartbeat.doctor.placement import obstacles, preference, why_here

    node = now.where(guest.id)
    was_on = now.observed.where(guest.id)  # may still run where nobody can look
    state = "runs" if node else "is not known to run" if was_on else "is down"
    why = why_here(guest, node, now) if node else why_down(guest, now)
    doubted = Doubted(guest.id, now)
    failures = [f for f in now.observed.failures if f.resource == guest.id]
    return {
        "guest": guest.id,
        "node": node,
        "state": state,
        "why": why,
        "nodes": {
            name: {
                "here": name == node,
                "preference": preference(guest, name, now.cib),
                "obstacles": [o._asdict() for o in obstacles(guest, name, now)],
                "doubts": doubted.on(name),
            }
            for name in now.observed.nodes
        },
        "failures": [failure._asdict() for failure in failures],
    }


def _found(name: str, guests: list[Resource]) -> Resource:
    for guest in guests:
        if guest.id == name:
            return guest
    from difflib import get_close_matches

    names = [guest.id for guest in guests]
    near = get_close_matches(name, names, 1)
    guess = f"; did you mean {near[0]}?" if near else ""
    known = ", ".join(names[:10]) or "none"
    raise CannotDo(f"the cluster has no guest {name}{guess} (guests: {known})", "GUEST")


def show(told: dict[str, object], streams: Streams) -> None:
    """Write the explanation for a person."""
    node, why = told["node"], told["why"]
    place = f"runs on {node}" if node else str(told["state"])
    streams.line(f"{told['guest']} {place}: {why}.")
    nodes = told["nodes"]
    for name, one in nodes.items() if isinstance(nodes, dict) else ():
        if one["here"]:
            continue
        text = "; ".join(o["text"] for o in one["obstacles"]) or _could(one)
        streams.line(f"  {name}: {text}")
    failures = told["failures"]
    for failure in failures if isinstance(failures, list) else ():
        streams.line(
            f"  failed: {failure['operation']} on {failure['node']} "
            f"{failure['when']}: {failure['reason']}"
        )


def _could(one: dict[str, Any]) -> str:
    """Say that nothing is in the way, or as far as that can be said."""
    score = f" (preference {one['preference']})" if one["preference"] else ""
    doubts = one["doubts"]
    if not doubts:
        return f"could take it{score}"
    more = f", and {len(doubts) - MOST_DOUBTS} more" if doubts[MOST_DOUBTS:] else ""
    told = "; ".join(doubts[:MOST_DOUBTS])
    return f"nothing is seen in the way{score}, which is not certain: {told}{more}"
