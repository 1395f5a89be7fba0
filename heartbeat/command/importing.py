"""``vmha import``: writes a cluster file from a cluster that exists."""

from __future__ import annotations

import argparse
import os

from vmha.heartbeat.command import difference
from vmha.heartbeat.command.errors import CannotDo
from vmha.heartbeat.command.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.heartbeat.corosync.reading import Section

DESCRIPTION = """\
Write a cluster file from a cluster that exists, however it was configured: guests of
ocf:heartbeat:VirtualDomain and ocf:vmha:VirtualMachine, fence devices and levels,
utilization, constraints. What has no words in a cluster file is listed; no password is
taken over. Nothing is changed. To let vmha have the cluster afterwards:
"vmha diff FILE --adopt"."""

EXAMPLES = """\
  vmha import -o vmha.yaml
  vmha import --cib saved.xml --corosync corosync.conf -o vmha.yaml
  vmha import --capacity 32,65536 -o vmha.yaml   # of nodes without one in it"""

PRIVATE = 0o640


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--cib", metavar="XML", help="a saved CIB, not the cluster's")
    parser.add_argument(
        "--corosync",
        metavar="CONF",
        help="default: this node's, or none with --cib",
    )
    parser.add_argument(
        "--capacity",
        metavar="CPU,MEMORY_MIB",
        help="of nodes of which the CIB says none",
    )
    parser.add_argument("-o", "--output", metavar="PATH", help="write to this file")
    parser.add_argument(
        "--timeout",
        type=float,
        default=difference.TIMEOUT_S,
        metavar="S",
        help="seconds in which Pacemaker's tools must have answered (default: 120)",
    )


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Write the file; 0 also where something could not be taken over: that is told."""
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.clusterfile.writing import text_of
    from vmha.heartbeat.corosync import reading
    from vmha.heartbeat.pacemaker import importing, live

    deadline = Deadline(arguments.timeout)
    cib = difference.configuration(arguments, streams, deadline)
    conf = _corosync(arguments)
    seen = live.read(
        cib,
        deadline,
        two_node=reading.has_two_node(conf),
        qdevice=reading.qdevice_host(conf) is not None,
    )
    made = importing.imported(cib, seen, conf, _capacity(arguments.capacity))
    head = "".join(f"# not taken over: {line}\n" for line in made.left_out)
    for line in made.left_out:
        streams.say(f"not taken over: {line}")
    _write(head + text_of(made.file), arguments.output, streams)
    return 0


def _corosync(arguments: argparse.Namespace) -> Section:
    """Read corosync.conf; a saved CIB is not of this node, so there is none then."""
    from vmha.heartbeat.corosync import reading

    path = arguments.corosync
    if path is None and (arguments.cib or not os.path.exists(reading.PATH)):
        return reading.Section()
    try:
        with open(path or reading.PATH, encoding="utf-8") as file:
            return reading.parse(file.read())
    except (OSError, ValueError) as error:
        said = f"{path or reading.PATH} cannot be read: {error}"
        raise CannotDo(said, "--corosync") from error


def _capacity(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    cpu, _, memory = text.partition(",")
    if not (cpu.isdigit() and memory.isdigit()):
        raise CannotDo(f"{text!r} is no CPU,MEMORY_MIB such as 32,65536", "--capacity")
    return int(cpu), int(memory)


def _write(text: str, path: str | None, streams: Streams) -> None:
    if path is None:
        streams.out.write(text)
        return
    from vmha.agents.protocol.files import write_atomically

    try:
        write_atomically(os.path.abspath(path), text, PRIVATE)
    except OSError as error:
        said = f"{path} cannot be written: {error.strerror}"
        raise CannotDo(said, "--output") from error
