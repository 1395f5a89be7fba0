"""``vmha whatif``: what one change would do, without doing it.

Called by ``main``. Exit code 0: every guest with ha runs afterwards and, where the
change is no failure, policy.tolerate still holds; 1: not so. Changes nothing.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from vmha.heartbeat.command import plan as planning
from vmha.heartbeat.command import source
from vmha.heartbeat.command.errors import BadUsage, CannotDo
from vmha.heartbeat.command.source import Source
from vmha.heartbeat.command.streams import Streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.heartbeat.planning.changes import Change
    from vmha.heartbeat.planning.outcome import Plan

OK = 0
NOT_SURVIVED = 1
MOST_PRIORITY = 999_999

DESCRIPTION = """\
What Pacemaker would do on one change of the cluster: which guests start where, which
stay down, which are stopped or moved, and what is tolerated afterwards."""
EXAMPLES = """\
  vmha whatif vmha.yaml --kill n1            node n1 is lost
  vmha whatif vmha.yaml --kill n1,n2         both at once
  vmha whatif vmha.yaml --standby n1         its guests are to leave it
  vmha whatif vmha.yaml --add web9=2,4096    a new guest of 2 CPUs and 4096 MiB
  vmha whatif vmha.yaml --remove web1
  vmha whatif --live --resize web1=4,8192    more for a guest of the running cluster

exit codes: 0 every guest with ha runs afterwards, 1 not so, not certain or no longer
tolerant, 2 bad input"""


class Sized(NamedTuple):
    """A guest with a size; None keeps what it has."""

    name: str
    cpu: int | None
    memory_mib: int | None


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    source.add(parser)
    one = parser.add_argument_group("the change, one of").add_mutually_exclusive_group(
        required=True
    )
    one.add_argument("--kill", metavar="NODE[,NODE]", help="these nodes are lost")
    one.add_argument(
        "--standby", metavar="NODE[,NODE]", help="these are put on standby"
    )
    one.add_argument(
        "--add",
        metavar="GUEST=CPU,MEMORY_MIB",
        type=_sized,
        help="a new guest (its priority: --priority)",
    )
    one.add_argument("--remove", metavar="GUEST", help="a guest is taken out")
    one.add_argument(
        "--resize",
        metavar="GUEST=CPU,MEMORY_MIB",
        type=_partly_sized,
        help="a guest gets another size; an empty number keeps what it has",
    )
    parser.add_argument(
        "--priority",
        metavar="N",
        type=_priority,
        default=0,
        help="of the guest of --add",
    )
    source.add_answer(parser)


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Answer for one change and return the exit code."""
    from vmha.heartbeat.command.rehearsal import rehearsed
    from vmha.heartbeat.planning import changes

    origin = source.read(arguments, streams)
    try:
        found = rehearsed(
            origin,
            _change(arguments, origin.least_priority, origin.overhead_mib),
            streams,
            search=origin.is_packable and not arguments.no_could_place,
            asks=not arguments.no_confirm,
        )
    except changes.UnknownName as error:
        guess = _guess(error.kind, error.name, origin)
        raise CannotDo(f"{error}{guess}", _option(arguments)) from error
    told = planning.merged(origin.warnings, found.plan.warnings)
    plan = found.plan._replace(warnings=told)
    if arguments.json:
        streams.json(plan.as_json())
    else:
        _show(streams, arguments, origin, plan)
        if found.sentence:
            streams.line(found.sentence)
    is_survived = found.is_certain and _is_survived(plan, arguments, origin)
    return OK if is_survived else NOT_SURVIVED


def _change(arguments: argparse.Namespace, least: int, overhead_mib: int) -> Change:
    """Return the change; ``least`` is what vmha adds to a guest's priority.

    ``overhead_mib`` is what a guest needs besides the memory that is asked for it.
    """
    from vmha.heartbeat.planning import changes
    from vmha.heartbeat.planning.model import Guest

    if arguments.kill is not None:
        return changes.Kill(_names(arguments.kill, "--kill"))
    if arguments.standby is not None:
        return changes.Standby(_names(arguments.standby, "--standby"))
    if arguments.add is not None:
        wanted: Sized = arguments.add
        _check_name(wanted.name)
        cpu, memory_mib = wanted.cpu or 0, (wanted.memory_mib or 0) + overhead_mib
        guest = Guest(wanted.name, cpu, memory_mib, arguments.priority)
        return changes.Add(guest._replace(priority=guest.priority + least))
    if arguments.remove is not None:
        return changes.Remove(arguments.remove)
    resized: Sized = arguments.resize
    asked = resized.memory_mib
    needed = None if asked is None else asked + overhead_mib
    return changes.Resize(resized.name, resized.cpu, needed)


def _priority(text: str) -> int:
    """Read a priority that a cluster file accepts too."""
    if text.removeprefix("-").isdecimal() and abs(int(text)) <= MOST_PRIORITY:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a whole number from -{MOST_PRIORITY} to {MOST_PRIORITY}"
    )


def _option(arguments: argparse.Namespace) -> str:
    names = ("kill", "standby", "add", "remove", "resize")
    given = (name for name in names if getattr(arguments, name) is not None)
    return f"--{next(given)}"


def _guess(kind: str, name: str, origin: Source) -> str:
    """Say which names there are, and which is near; nothing for one that is known."""
    from vmha.heartbeat.clusterfile.guesses import Guesser, listed

    entries = origin.cluster.nodes if kind == "node" else origin.cluster.guests
    known = [entry.name for entry in entries]
    if name in known:
        return ""
    return f"{Guesser().meant(name, known)}; known: {listed(known)}"


def _check_name(name: str) -> None:
    from vmha.heartbeat.clusterfile import schema

    accepted = schema.refused_guest_name(name)
    if accepted:
        raise CannotDo(f"{name!r} is not accepted: give {accepted}", "--add")


def _names(text: str, option: str) -> tuple[str, ...]:
    names = tuple(sorted({name.strip() for name in text.split(",") if name.strip()}))
    if not names:
        raise BadUsage("name at least one node", option)
    return names


def _sized(text: str) -> Sized:
    """Read GUEST=CPU,MEMORY_MIB."""
    name, _, size = text.rpartition("=")
    if not name:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not GUEST=CPU,MEMORY_MIB, such as web9=2,4096"
        )
    wanted = planning.size_of(size)
    return Sized(name, wanted.cpu, wanted.memory_mib)


def _partly_sized(text: str) -> Sized:
    """Read the same with one of the numbers left out: web1=,8192 or web1=4,."""
    name, _, size = text.rpartition("=")
    cpu, comma, memory_mib = size.partition(",")
    numbers = [part.strip() for part in (cpu, memory_mib)]
    good = all(not part or part.isdecimal() for part in numbers) and any(numbers)
    if not (name and comma and good):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not GUEST=CPU,MEMORY_MIB, such as web1=4,8192 or web1=,8192"
        )
    sizes = [int(part) if part else None for part in numbers]
    asked = planning.Size(sizes[0] or 0, 1 if sizes[1] is None else sizes[1])
    planning.checked(asked, text)
    return Sized(name, *sizes)


def _is_survived(plan: Plan, arguments: argparse.Namespace, origin: Source) -> bool:
    """Tell whether nothing with ha is left down, and what is tolerated still is.

    A cluster that has just lost a node, or given one up for a while, is not asked to
    tolerate the next loss.
    """
    with_ha = {guest.name for guest in origin.cluster.guests if guest.ha}
    if arguments.add is not None:
        with_ha.add(arguments.add.name)
    down = {entry.guest for outcome in plan.failures for entry in outcome.unplaced}
    down |= {entry.guest for outcome in plan.failures for entry in outcome.preempted}
    if with_ha & down:
        return False
    is_less = arguments.kill is not None or arguments.standby is not None
    return is_less or plan.tolerates >= origin.cluster.tolerate


def _show(
    streams: Streams, arguments: argparse.Namespace, origin: Source, plan: Plan
) -> None:
    from vmha.heartbeat.command import report

    streams.line(f"{origin.name}: {report.size(origin.cluster)}")
    streams.line()
    report.warnings(streams, plan.warnings)
    report.outcomes(
        streams,
        plan,
        "What the change does to the guests",
        is_whole=arguments.all,
        is_searched=origin.is_packable and not arguments.no_could_place,
    )
    report.headroom(streams, plan.headroom, plan.reservation)
    verdict = report.verdict(plan, origin.cluster, "node")
    streams.line(f"Afterwards: {verdict}")
