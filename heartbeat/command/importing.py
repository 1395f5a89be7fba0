"""``vmha import``: writes a cluster file from a cluster that exists."""

from __future__ import annotations

import argparse
import os

from vmha.heartbeat.command import difference
from vmha.heartbeat.command.errors import CannotDo
from vmha.heartbeat.command.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.corosync.reading import Section

DESCRIPTION = """\
Write a cluster file from a cluster that exists, however it was configured: guests of
ocf:heartbeat:VirtualDomain and ocf:vmha:VirtualMachine, fence devices and levels,
utilization, constraints. The file can be read back without an error; what has no words
in it is listed at its head and on standard error. No password is taken over. Nothing is
changed. To let vmha have the cluster afterwards: "vmha diff FILE --adopt"."""

EXAMPLES = """\
  vmha import -o vmha.yaml
  vmha import --cib saved.xml --corosync corosync.conf -o vmha.yaml
  vmha import --cib saved.xml --json             # the text and the list, for programs
  vmha import --capacity 32,65536 -o vmha.yaml   # of nodes without one in it"""

PRIVATE = 0o640
NO_NODE = (
    "the configuration has no node, so there is nothing to import: give the CIB of a "
    "cluster (cibadmin --query)"
)


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
        type=_capacity,
        help="of nodes of which the CIB says none",
    )
    parser.add_argument("-o", "--output", metavar="PATH", help="write to this file")
    parser.add_argument("--json", action="store_true", help="answer for programs")
    difference.add_timeout(parser)


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Write the file; 0 also where something could not be taken over: that is told."""
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.clusterfile.acceptable import Unacceptable
    from vmha.heartbeat.clusterfile.writing import text_of
    from vmha.heartbeat.corosync import reading
    from vmha.heartbeat.pacemaker import importing, live
    from vmha.heartbeat.pacemaker.imported_sizes import Sizes

    deadline = Deadline(arguments.timeout)
    cib = difference.configuration(arguments, streams, deadline)
    if cib.find("configuration/nodes/node") is None:
        raise CannotDo(NO_NODE, "--cib")
    conf = _corosync(arguments, deadline)
    seen = live.read(
        cib,
        deadline,
        two_node=reading.has_two_node(conf),
        qdevice=reading.qdevice_host(conf) is not None,
    )
    try:
        # A saved CIB is not of this node, and its guests may be others' namesakes.
        is_saved = arguments.cib is not None or bool(streams.environ.get("CIB_file"))
        sizes = Sizes(asks_libvirt=not is_saved)
        made = importing.imported(cib, seen, conf, arguments.capacity, sizes)
    except Unacceptable as error:
        raise CannotDo(
            f"no cluster file can be made of it: {error}", "--cib"
        ) from error
    left_out = [_line(line) for line in made.left_out]
    head = "".join(f"# not taken over: {line}\n" for line in left_out)
    text = head + text_of(made.file)
    if arguments.output is not None:
        _write(text, arguments.output)
    if arguments.json:
        path = arguments.output
        told = {"path": path, "text": None if path else text}
        streams.json({**told, "not_taken_over": left_out})
        return 0
    for line in left_out:
        streams.say(f"not taken over: {line}")
    if arguments.output is None:
        streams.out.write(text)
    return 0


def _line(text: str) -> str:
    """Return a sentence that stays in one comment of YAML, whatever names it holds."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(plain.split())


def _corosync(arguments: argparse.Namespace, deadline: Deadline) -> Section:
    """Read corosync.conf; a saved CIB is not of this node, so there is none then."""
    from vmha.agents.protocol.errors import AgentError
    from vmha.agents.protocol.files import read_text
    from vmha.heartbeat.corosync import reading

    path = arguments.corosync
    if path is None and (arguments.cib or not os.path.exists(reading.PATH)):
        return reading.Section()
    try:
        return reading.parse(read_text(path or reading.PATH, deadline))
    except AgentError as error:
        raise CannotDo(str(error), "--corosync") from error
    except reading.BadConf as error:
        said = f"{path or reading.PATH} cannot be used: {error}"
        raise CannotDo(said, "--corosync") from error


def _capacity(text: str) -> tuple[int, int]:
    cpu, _, memory = text.partition(",")
    if not (cpu.isdecimal() and memory.isdecimal()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no CPU,MEMORY_MIB such as 32,65536"
        )
    return int(cpu), int(memory)


def _write(text: str, path: str) -> None:
    from vmha.agents.protocol.files import write_atomically

    try:
        write_atomically(os.path.abspath(path), text, PRIVATE)
    except OSError as error:
        said = f"{path} cannot be written: {error.strerror}"
        raise CannotDo(said, "--output") from error
