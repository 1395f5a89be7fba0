"""Is the plan what Pacemaker will do? Its own scheduler is asked, failure by failure.

Called by plan, whatif, status and the doctor where crm_simulate is installed and the
cluster is small enough. The CIB asked is the one that vmha would render, or that of the
running cluster. Where Pacemaker leaves a guest down that the plan has running, its
word counts; the other way about, the plan's does.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from vmha.agents.protocol.errors import AgentError, Refused
from vmha.heartbeat.pacemaker import cib, questions, rendering, simulate, state
from vmha.heartbeat.pacemaker.inventory import Inventory
from vmha.heartbeat.planning import reasons
from vmha.heartbeat.planning.failures import corrected
from vmha.heartbeat.planning.instructions import instructions
from vmha.heartbeat.planning.model import Cluster
from vmha.heartbeat.planning.outcome import Outcome, Preempted, Unplaced
from vmha.heartbeat.planning.reasons import NO_NODE, NO_QUORUM, Reason
from vmha.heartbeat.planning.scores import STRATEGY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.clusterfile.content import ClusterFile
    from vmha.heartbeat.planning.failures import Failures, Progress
    from vmha.heartbeat.planning.outcome import Plan
    from vmha.heartbeat.planning.prediction import Scheduler

MOST_NODES = 16
MOST_GUESTS = 300


class Confirmation(NamedTuple):
    """How many failures were asked about, and in what Pacemaker differs, as sentences.

    ``outcomes`` are those that were given, in which nothing runs that Pacemaker leaves
    down. ``unasked`` are those of them that Pacemaker might answer otherwise, had it
    been asked; ``trouble`` is why it was not, "" if it was. ``is_refused`` is whether
    crm_simulate has failed on this CIB, instead of taking too long.
    """

    asked: int
    differences: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    unasked: tuple[Outcome, ...] = ()
    trouble: str = ""
    is_refused: bool = False


def is_possible(cluster: Cluster) -> bool:
    """Tell whether crm_simulate is here and the cluster small enough for it."""
    is_small = len(cluster.nodes) <= MOST_NODES and len(cluster.guests) <= MOST_GUESTS
    return is_small and shutil.which("crm_simulate") is not None


def confirm(
    cluster: Cluster,
    outcomes: Sequence[Outcome],
    deadline: Deadline,
    whole: etree._Element,
    progress: Progress | None = None,
) -> Confirmation:
    """Compare outcomes with crm_simulate's on this CIB with its status.

    A loss of quorum is left out: crm_simulate keeps the quorum that the CIB has.
    ``progress`` is told how many of how many are asked about.
    """
    counts_memory = Inventory(whole).options().get("placement-strategy") == STRATEGY
    wanted = unasked(outcomes)
    losses = [outcome.lost for outcome in wanted]
    answers = iter(questions.ask(whole, losses, deadline, progress))
    found: list[str] = []
    known: list[Outcome] = []
    left: list[Outcome] = []
    trouble: AgentError | None = None
    for outcome in outcomes:
        answer = None if _is_standstill(outcome) else next(answers)
        if answer is None:
            known.append(outcome)
        elif isinstance(answer, simulate.Unfinished):
            found.append(f"{_when(outcome)}, {answer}.")
            running = {name for name, at in places(cluster, outcome) if at}
            absent = [*outcome.placed, *(running & answer.stopped)]
            known.append(_down(cluster, outcome, absent, reasons.pacemaker()))
        elif isinstance(answer, AgentError):
            known.append(outcome)
            left.append(outcome)
            is_vague = trouble is None or isinstance(trouble, questions.Unasked)
            if is_vague or isinstance(answer, Refused):
                trouble = answer
        else:
            told, agreed = _compared(cluster, outcome, answer.after, counts_memory)
            found += told
            known.append(agreed)
    return Confirmation(
        len(wanted) - len(left),
        tuple(found),
        tuple(known),
        tuple(left),
        "" if trouble is None else str(trouble),
        isinstance(trouble, Refused),
    )


def _compared(
    cluster: Cluster, outcome: Outcome, after: Mapping[str, str], counts_memory: bool
) -> tuple[list[str], Outcome]:
    """Return in what Pacemaker's answer differs, and what is left of the outcome."""
    real = {name: at for name, at in after.items() if at not in outcome.lost}
    planned = dict(places(cluster, outcome))
    found = list(_differences(outcome, planned, real))
    absent = [name for name, at in planned.items() if at and name not in real]
    agreed = _down(cluster, outcome, absent, reasons.pacemaker())
    if not counts_memory:
        for sentence, names, why in _overfull(cluster, outcome, real):
            found.append(sentence)
            agreed = _down(cluster, agreed, names, why)
    return found, agreed


class Judgement(NamedTuple):
    """A plan as far as it holds; how many failures Pacemaker was asked about.

    ``differs`` is whether it says anything else; ``trouble`` is why it was not asked
    about all, "" if it was or was not to be.
    """

    plan: Plan
    asked: int = 0
    differs: bool = False
    trouble: str = ""


UNCERTAIN = (
    "Not certain: the configuration has what the planner does not reckon with (see the "
    "other warnings), and crm_simulate has not confirmed the plan; only what it has "
    "confirmed counts as survived."
)
REFUSED = (
    "Not certain: crm_simulate fails on this configuration, which may be a newer "
    "Pacemaker's; only what it has confirmed counts as survived"
)


def judged(
    plan: Plan,
    scheduler: Scheduler,
    whole: etree._Element | None,
    deadline: Deadline,
    doubts: Sequence[str] = (),
    failures: Failures = None,
    progress: Progress | None = None,
) -> Judgement:
    """Return what is left of a plan when Pacemaker is asked about this CIB.

    It is not asked where that is None, or not possible. Where there are ``doubts``,
    things that were not reckoned with, nothing then is tolerated; nor where it fails on
    a CIB, such as one of a newer Pacemaker's.
    """
    found = Confirmation(0, (), plan.failures, unasked(plan.failures))
    if whole is not None and is_possible(scheduler.cluster):
        found = confirm(scheduler.cluster, plan.failures, deadline, whole, progress)
    unsure = found.unasked if doubts or found.is_refused else ()
    plan = corrected(plan, scheduler, found.outcomes, failures, unsure)
    told = {*plan.warnings, *found.differences}
    if unsure:
        said = " ".join(found.trouble.split())
        told.add(UNCERTAIN if doubts else f"{REFUSED} ({said}).")
    plan = plan._replace(warnings=tuple(sorted(told)))
    return Judgement(plan, found.asked, bool(found.differences), found.trouble)


def unasked(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Return the outcomes about which crm_simulate would be asked."""
    return tuple(outcome for outcome in outcomes if not _is_standstill(outcome))


def _is_standstill(outcome: Outcome) -> bool:
    return bool({entry.reason for entry in outcome.unplaced} & {NO_QUORUM, NO_NODE})


def document(cluster: Cluster) -> etree._Element:
    """Return the CIB of a cluster of which only sizes and rules are known."""
    told = instructions(cluster)
    needs = {terms.name: terms for terms in told.guests}
    sized = tuple(
        guest._replace(
            cpu=needs[guest.name].cpu, memory_mib=needs[guest.name].memory_mib
        )
        for guest in cluster.guests
    )
    configuration = rendering.of_cluster(cluster._replace(guests=sized), told)
    return state.with_state(cib.document(configuration), _homes(cluster))


def rendered(file: ClusterFile, cluster: Cluster) -> etree._Element:
    """Return the CIB that ``vmha render`` writes, with the guests where they are.

    Without the orders that wait for what only the running cluster has; fencing works,
    also where the file names no device yet.
    """
    from dataclasses import replace

    from vmha.heartbeat.clusterfile.planned import cluster_of

    described = cluster_of(file)
    made = rendering.configuration(file, described, instructions(described))
    if not any(node.fencing for node in file.nodes):
        device = rendering.assumed_device(described)
        made = replace(made, resources=(*made.resources, device))
    whole = cib.document(made)
    held = Inventory(whole)
    for order in whole.findall("configuration/constraints/rsc_order"):
        parent = order.getparent()
        if parent is not None and not held.within(str(order.get("first"))):
            parent.remove(order)
    return state.with_state(whole, _homes(cluster))


def _homes(cluster: Cluster) -> dict[str, str]:
    return {g.name: g.runs_on for g in cluster.guests if g.runs_on is not None}


def places(cluster: Cluster, outcome: Outcome) -> Iterator[tuple[str, str | None]]:
    """Yield where each guest runs afterwards, by the plan; None for nowhere.

    Of what was down before and is not spoken of, nothing is known.
    """
    moved = {move.guest: move.to for move in outcome.moved}
    down = {entry.guest for entry in outcome.unplaced}
    down |= {entry.guest for entry in outcome.preempted}
    for guest in cluster.guests:
        if guest.name in down:
            yield guest.name, None
        elif guest.name in outcome.placed:
            yield guest.name, outcome.placed[guest.name]
        elif guest.name in moved:
            yield guest.name, moved[guest.name]
        elif guest.runs_on is not None:
            yield guest.name, guest.runs_on


def _differences(
    outcome: Outcome, planned: Mapping[str, str | None], real: Mapping[str, str]
) -> Iterator[str]:
    for name, node in planned.items():
        if node != real.get(name):
            is_worse = node is not None and name not in real
            so = "so it counts as down" if is_worse else "believe crm_simulate"
            yield (
                f"{_when(outcome)}, crm_simulate has {name} "
                f"{_where(real.get(name))}, and the plan {_where(node)}; {so}."
            )


def _when(outcome: Outcome) -> str:
    lost = ", ".join(outcome.lost)
    return f"After the loss of {lost}" if lost else "Then"


def _where(node: str | None) -> str:
    return f"on {node}" if node else "down"


def _down(
    cluster: Cluster, outcome: Outcome, names: Iterable[str], why: Reason
) -> Outcome:
    """Return the outcome with these guests down instead of running."""
    absent = set(names)
    homes = {guest.name: guest.runs_on or "" for guest in cluster.guests}
    told = {entry.guest for entry in outcome.unplaced}
    told |= {entry.guest for entry in outcome.preempted}
    stopped = sorted(absent - outcome.placed.keys() - told)
    down = [Unplaced(name, *why) for name in absent & outcome.placed.keys()]
    return outcome._replace(
        placed={g: at for g, at in outcome.placed.items() if g not in absent},
        unplaced=tuple(sorted([*outcome.unplaced, *down])),
        moved=tuple(move for move in outcome.moved if move.guest not in absent),
        preempted=(
            *outcome.preempted,
            *(Preempted(name, homes[name], None, None) for name in stopped),
        ),
    )


def _overfull(
    cluster: Cluster, outcome: Outcome, real: Mapping[str, str]
) -> Iterator[tuple[str, list[str], Reason]]:
    """Yield nodes that Pacemaker gives more than they have, and who comes there.

    It counts no sizes then, or not as the planner does.
    """
    for node in cluster.nodes:
        here = [guest for guest in cluster.guests if real.get(guest.name) == node.name]
        over = sum(guest.memory_mib for guest in here) - node.memory_mib
        came = [guest.name for guest in here if guest.runs_on != node.name]
        if over > 0 and came:
            why = reasons.crowded(node.name, over)
            yield (
                (
                    f"{_when(outcome)}, Pacemaker gives {node.name} {over} MiB more "
                    "than it has, because its placement-strategy lets it."
                ),
                came,
                why,
            )
