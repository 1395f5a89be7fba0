"""``vmha plan``: what each failure does to the guests, and what still fits.

Called by ``main``. Exit code 0: the cluster tolerates what policy.tolerate asks for; 1:
it does not. Changes nothing.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from vmha.heartbeat.command import source
from vmha.heartbeat.command.source import Source
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.planning.model import RACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from vmha.heartbeat.command.agreement import Agreement
    from vmha.heartbeat.planning.failures import Failures, Progress
    from vmha.heartbeat.planning.model import Cluster
    from vmha.heartbeat.planning.outcome import Plan

OK = 0
NOT_TOLERATED = 1
MOST_FAILURES = 8
LARGEST = 2**31 - 1
"""As in a cluster file (its schema's ``count``)."""
BUT_NOT_NODES = (
    "The loss of a rack is survived, but not that of any {} nodes, which "
    "policy.tolerate asks for."
)

DESCRIPTION = """\
For every failure of a node: which guests run again and where, which stay down and why,
which running ones Pacemaker would stop or move. The answer is Pacemaker's own placement
with the configuration that vmha renders; "better packing" is what an exact search
would start besides."""
EXAMPLES = """\
  vmha plan vmha.yaml                    every single failure
  vmha plan vmha.yaml --failures 2       every pair too
  vmha plan vmha.yaml --failures rack    every rack
  vmha plan vmha.yaml --fit 2,4096       how many more such guests fit
  vmha plan --live --json                the running cluster, for programs

exit codes: 0 policy.tolerate holds, 1 it does not or it is not certain, 2 bad input"""


class Size(NamedTuple):
    """The guest that --fit asks for."""

    cpu: int
    memory_mib: int


class Room(NamedTuple):
    """How many more guests fit; not certain where what decides is not all known."""

    guests: int
    is_certain: bool

    def as_json(self) -> dict[str, object]:
        """Return what programs may rely on: a number that is not certain is none."""
        certain = self.guests if self.is_certain else 0
        return {"fit": certain, "fit_is_certain": self.is_certain}

    def sentence(self, size: str, tolerate: int) -> str:
        """Return the answer for people."""
        condition = f"while policy.tolerate ({tolerate}) holds"
        if self.is_certain:
            return f"{self.guests} more guests of {size} fit {condition}."
        return (
            f"Perhaps {self.guests} more guests of {size} fit {condition}; that is not "
            "certain, because constraints by pattern may reach new guests, or because "
            "of what is not reckoned with."
        )


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    source.add(parser)
    parser.add_argument(
        "--failures",
        metavar="N|rack",
        type=_failures,
        help="nodes lost at once, up to N; or each rack (default: policy.tolerate)",
    )
    parser.add_argument(
        "--fit",
        metavar="CPU,MEMORY_MIB",
        type=size_of,
        help="tell how many more guests of this size fit while policy.tolerate holds",
    )
    source.add_answer(parser)


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Plan, write the answer and return the exit code."""
    from vmha.heartbeat.command import report
    from vmha.heartbeat.command.agreement import agreement
    from vmha.heartbeat.planning import failures
    from vmha.heartbeat.planning.prediction import Scheduler, settled

    origin = source.read(arguments, streams)
    cluster = origin.cluster
    size = report.size(cluster)

    def progress(done: int, steps: int) -> None:
        streams.progress(f"planning for {size}: {done} of {steps}")

    streams.progress(f"planning for {size}")
    search = origin.is_packable and not arguments.no_could_place
    # A running cluster is taken as it is; in a file's, what runs nowhere starts first.
    now = settled(cluster) if origin.document is None else cluster
    scheduler = Scheduler(now, origin.state)

    def confirmed(count: Failures, is_shown: bool) -> Agreement:
        plan = failures.planned(
            scheduler,
            count,
            search=search and is_shown,
            progress=progress,
            is_whole=is_shown,
        )
        asks = not arguments.no_confirm
        return agreement(origin, scheduler, plan, streams, failures=count, asks=asks)

    agreed = confirmed(arguments.failures, True)
    plan = agreed.plan
    plan = plan._replace(warnings=merged(origin.warnings, plan.warnings))
    holds = _holds(plan, cluster.tolerate, arguments.failures, confirmed)
    if arguments.failures == RACK and plan.tolerates and not holds:
        said = BUT_NOT_NODES.format(cluster.tolerate)
        plan = plan._replace(warnings=merged(plan.warnings, (said,)))
    more = None
    if arguments.fit is not None:
        more = _room(arguments.fit, origin, now, agreed, progress)
    if arguments.json:
        answer = plan.as_json()
        streams.json(answer if more is None else {**answer, **more.as_json()})
    else:
        _show(streams, arguments, origin, plan, more)
        if agreed.sentence:
            streams.line(agreed.sentence)
    return OK if holds else NOT_TOLERATED


def _room(
    size: Size, origin: Source, now: Cluster, agreed: Agreement, progress: Progress
) -> Room:
    """Return how many more guests of a size fit."""
    from vmha.heartbeat.planning.fit import fit

    memory_mib = size.memory_mib + origin.overhead_mib
    count = fit(now, size.cpu, memory_mib, progress, origin.state)
    count = 0 if agreed.is_less or not agreed.plan.is_certain else count
    return Room(count, is_certain=not count or _is_fit_known(origin))


def merged(*parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return warnings of several origins once each, sorted."""
    return tuple(sorted({sentence for part in parts for sentence in part}))


def size_of(text: str) -> Size:
    """Read CPU,MEMORY_MIB."""
    cpu, comma, memory_mib = text.partition(",")
    if not (comma and cpu.strip().isdecimal() and memory_mib.strip().isdecimal()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not CPU,MEMORY_MIB: two whole numbers, such as 2,4096"
        )
    return checked(Size(int(cpu), int(memory_mib)), text)


def checked(size: Size, text: str) -> Size:
    """Return a size that a cluster file accepts too."""
    if not 1 <= size.memory_mib <= LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r}: a guest has 1 to {LARGEST} MiB")
    if size.cpu > LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r}: a guest has 0 to {LARGEST} CPUs")
    return size


def _failures(text: str) -> int | str:
    if text == RACK:
        return RACK
    if text.isdecimal() and 1 <= int(text) <= MOST_FAILURES:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text!r} is neither a whole number from 1 to {MOST_FAILURES} nor rack"
    )


def _is_fit_known(origin: Source) -> bool:
    """Tell whether all that decides over guests that are not there yet is known."""
    from vmha.heartbeat.pacemaker import locations

    if origin.doubts:
        return False
    return origin.document is None or not locations.has_patterns(origin.document)


def _holds(
    plan: Plan,
    wanted: int,
    examined: Failures,
    confirmed: Callable[[Failures, bool], Agreement],
) -> bool:
    """Tell whether policy.tolerate holds.

    A rack counts as one failure; of more, the policy speaks of nodes. Where fewer
    failures than the policy's were shown, the others are still looked at, and confirmed
    like them.
    """
    if examined == RACK:
        is_survived = plan.tolerates >= min(1, wanted)
        if wanted <= 1 or not is_survived:
            return is_survived
        return confirmed(wanted, False).plan.tolerates >= wanted
    if isinstance(examined, int) and plan.tolerates == examined < wanted:
        return confirmed(wanted, False).plan.tolerates >= wanted
    return plan.tolerates >= wanted


def _show(
    streams: Streams,
    arguments: argparse.Namespace,
    origin: Source,
    plan: Plan,
    more: Room | None,
) -> None:
    from vmha.heartbeat.command import report

    wanted = origin.cluster.tolerate
    streams.line(f"{origin.name}: {report.size(origin.cluster)}")
    streams.line()
    report.warnings(streams, plan.warnings)
    report.outcomes(
        streams,
        plan,
        "What each failure does to the guests",
        is_whole=arguments.all,
        is_searched=origin.is_packable and not arguments.no_could_place,
    )
    report.headroom(streams, plan.headroom, plan.reservation)
    if more is not None:
        size = f"{arguments.fit.cpu} CPUs and {arguments.fit.memory_mib} MiB"
        size += f" (and {origin.overhead_mib} MiB overhead)" * bool(origin.overhead_mib)
        streams.line(more.sentence(size, wanted))
    unit = RACK if arguments.failures == RACK else "node"
    streams.line(report.verdict(plan, origin.cluster, unit))
    if unit != RACK and plan.tolerates < wanted:
        streams.line(f"policy.tolerate asks for {wanted}.")
