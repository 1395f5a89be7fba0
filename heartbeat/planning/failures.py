"""The plan: what happens on every failure, and how many failures are survived.

A failure of K nodes is K nodes lost at once, from the cluster as it is; it is answered
as Pacemaker will, in one transition. Beside it stands whether a better packing exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Union

from vmha.heartbeat.planning import packing, quorum, warnings
from vmha.heartbeat.planning.model import RACK, Cluster
from vmha.heartbeat.planning.outcome import Free, Outcome, Plan
from vmha.heartbeat.planning.prediction import Scheduler, settled
from vmha.heartbeat.planning.search import Budget

Failures = Union[int, str, None]
Progress = Callable[[int, int], None]


def plan(
    cluster: Cluster,
    failures: Failures = None,
    *,
    search: bool = True,
    progress: Progress | None = None,
) -> Plan:
    """Return what happens on each failure: of one node, of two (2), of a "rack".

    Without ``failures``, as many as the administrator wants to be tolerated, at least
    one. ``search`` looks for better packings, which is slow where much stays down.
    ``progress`` is told after each failure how many of how many are done.
    """
    return planned(
        Scheduler(settled(cluster)), failures, search=search, progress=progress
    )


def planned(
    scheduler: Scheduler,
    failures: Failures = None,
    *,
    search: bool = True,
    progress: Progress | None = None,
    is_whole: bool = True,
) -> Plan:
    """Return the plan of a cluster of which nodes may be gone already.

    Unless it is to be whole, it ends where as many failures as that are not survived:
    more then do not change what is tolerated.
    """
    cluster = scheduler.cluster
    losses_of = list(examined(scheduler, failures))
    total = sum(len(losses) for _, losses in losses_of)
    outcomes: list[Outcome] = []
    survived = [0]
    budget = Budget(total)
    is_exact = True
    for count, losses in losses_of:
        is_unbroken = bool(losses) and survived[-1] == count - 1
        for lost in losses:
            outcome = scheduler.outcome(lost)
            is_unbroken = is_unbroken and is_survived(scheduler, outcome)
            if search:
                outcome, is_complete = packing.with_better(cluster, outcome, budget)
                is_exact = is_exact and is_complete
            outcomes.append(outcome)
            if progress:
                progress(len(outcomes), total)
        if is_unbroken:
            survived.append(count)
        elif not is_whole:
            break
    return Plan(
        survived[-1],
        is_exact,
        tuple(warnings.of(scheduler)),
        tuple(outcomes),
        headroom(scheduler),
        reservation(cluster, outcomes),
    )


def corrected(
    plan: Plan,
    scheduler: Scheduler,
    outcomes: Sequence[Outcome],
    failures: Failures = None,
    unsure: Sequence[Outcome] = (),
) -> Plan:
    """Return the plan with outcomes that are known better, and what they leave of it.

    Nothing is tolerated that the plan did not tolerate, nor what ``unsure`` outcomes
    would only perhaps. ``failures`` is what the plan was asked for: a "rack" is one
    failure, however many nodes it has.
    """
    count = plan.tolerates
    failed = [one for one in outcomes if not is_survived(scheduler, one)]
    for outcome in (*failed, *unsure):
        size = 1 if failures == RACK else len(outcome.lost)
        count = min(count, max(0, size - 1))
    return plan._replace(
        failures=tuple(outcomes),
        tolerates=count,
        is_certain=plan.is_certain and not unsure,
    )


def is_survived(scheduler: Scheduler, outcome: Outcome) -> bool:
    """Tell whether every guest that is to be restarted runs, and none had to go.

    A cluster without quorum has survived nothing, even if nothing ran there.
    """
    gone = scheduler.gone.union(outcome.lost)
    if outcome.lost and not quorum.survives(scheduler.cluster, len(gone)):
        return False
    ha = scheduler.guests
    down = {entry.guest for entry in outcome.unplaced}
    down |= {entry.guest for entry in outcome.preempted}
    return not any(ha[name].ha for name in down)


def headroom(scheduler: Scheduler) -> dict[str, Free]:
    """Return what is free on each node now."""
    free = {node.name: [node.cpu, node.memory_mib] for node in scheduler.nodes_left()}
    for guest in scheduler.cluster.guests:
        if guest.runs_on in free:
            free[guest.runs_on][0] -= guest.cpu
            free[guest.runs_on][1] -= guest.memory_mib
    return {name: Free(*left) for name, left in sorted(free.items())}


def reservation(cluster: Cluster, outcomes: Iterable[Outcome]) -> dict[str, Free]:
    """Return the most that arrives on each node in any one failure."""
    guests = {guest.name: guest for guest in cluster.guests}
    most = {node.name: Free(0, 0) for node in cluster.nodes}
    for outcome in outcomes:
        for node, came in _arrivals(outcome).items():
            cpu = sum(guests[name].cpu for name in came)
            memory = sum(guests[name].memory_mib for name in came)
            known = most[node]
            most[node] = Free(max(known.cpu, cpu), max(known.memory_mib, memory))
    return most


def _arrivals(outcome: Outcome) -> Mapping[str, list[str]]:
    came: dict[str, list[str]] = {}
    for guest, node in outcome.placed.items():
        came.setdefault(node, []).append(guest)
    for move in outcome.moved:
        came.setdefault(move.to, []).append(move.guest)
    return came


def examined(
    scheduler: Scheduler, failures: Failures
) -> Iterator[tuple[int, list[tuple[str, ...]]]]:
    """Yield, for each number of failures, the sets of nodes that are lost.

    More than there are cannot be lost, whatever is asked for.
    """
    left = scheduler.nodes_to_lose()
    names = [node.name for node in left]
    if failures == RACK:
        racks: dict[str, list[str]] = {}
        for node in left:
            racks.setdefault(node.rack, []).append(node.name)
        yield 1, [tuple(racks[rack]) for rack in sorted(racks)]
        return
    wanted = scheduler.cluster.tolerate if failures is None else int(failures)
    for count in range(1, min(max(1, wanted), len(names)) + 1):
        yield count, list(combinations(names, count))
