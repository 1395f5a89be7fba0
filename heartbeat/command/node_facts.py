"""``vmha node-facts``: what this node tells of itself, for ``vmha check``.

Run over ssh by the doctor on another node; a person may run it to see what it says, or
to keep it for ``vmha check --facts``.
"""

from __future__ import annotations

import argparse

from vmha.agents.protocol.deadline import Deadline
from vmha.heartbeat.command.streams import Streams

DESCRIPTION = """\
Tells what this node has: time, libvirt, the cluster's guests as they would find it,
systemd's units, Corosync's timers and links, Pacemaker's options, and how each fence
device answers from here. A part that cannot be asked is null, with the reason. Nothing
is changed, and no secret is shown."""
EXAMPLES = """\
  vmha node-facts --json > node1.json
  vmha check --cib saved.xml --facts node1.json"""
LIMIT_S = 9.0


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    shape = "print JSON (there is no other form; the option says so to a reader)"
    parser.add_argument("--json", action="store_true", help=shape)


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Print the facts; 0 also where parts are unknown, for that is an answer."""
    from vmha.heartbeat.doctor.facts import gather

    del arguments
    streams.json(gather(Deadline(LIMIT_S)))
    return 0
