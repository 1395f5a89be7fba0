"""What the real crm_simulate says of a cluster's failure, beside what the planner says.

The CIB is the one that ``vmha render`` writes, with the guests where the cluster has
them; all lost nodes fail together, in one transition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lxml import etree

from vmha.agents.protocol.deadline import Deadline
from vmha.heartbeat.pacemaker import cib, rendering, simulate, state
from vmha.heartbeat.planning.instructions import Instructions, instructions
from vmha.heartbeat.planning.model import Cluster
from vmha.heartbeat.planning.prediction import Scheduler

TIMEOUT_S = 120.0

Places = Mapping[str, "str | None"]


class Difference(NamedTuple):
    """A guest of which the two say different things."""

    guest: str
    home: str | None
    planned: str | None
    real: str | None

    @property
    def is_optimistic(self) -> bool:
        """Whether we say that it runs, and Pacemaker that it does not."""
        return self.planned is not None and self.real is None

    @property
    def is_of_the_sets(self) -> bool:
        """Whether it is in another set: running, down, stopped or moved."""
        return self._kind(self.planned) != self._kind(self.real)

    def _kind(self, node: str | None) -> str:
        if node is None:
            return "down"
        return "stays" if node == self.home else "elsewhere"


def document(cluster: Cluster, told: Instructions | None = None) -> etree._Element:
    """Return the CIB of this cluster with its guests running."""
    told = told or instructions(cluster)
    running = {g.name: g.runs_on for g in cluster.guests if g.runs_on is not None}
    needs = {terms.name: terms for terms in told.guests}
    sized = tuple(
        guest._replace(
            cpu=needs[guest.name].cpu, memory_mib=needs[guest.name].memory_mib
        )
        for guest in cluster.guests
    )
    rendered = rendering.of_cluster(cluster._replace(guests=sized), told)
    return state.with_state(cib.document(rendered), running)


def real(whole: etree._Element, cluster: Cluster, lost: Sequence[str]) -> Places:
    """Return where crm_simulate has each guest after the transition."""
    after = simulate.simulate(whole, Deadline(TIMEOUT_S), lost).after
    return {guest.name: after.get(guest.name) for guest in cluster.guests}


def planned(scheduler: Scheduler, lost: Sequence[str]) -> Places:
    """Return where the planner has each guest."""
    outcome = scheduler.outcome(lost)
    places: dict[str, str | None] = {
        guest.name: None if guest.runs_on in lost else guest.runs_on
        for guest in scheduler.cluster.guests
    }
    places.update(outcome.placed)
    places.update({stopped.guest: None for stopped in outcome.preempted})
    places.update({move.guest: move.to for move in outcome.moved})
    return places


def differences(cluster: Cluster, lost: Sequence[str]) -> list[Difference]:
    """Return all guests of which the two say different things."""
    return between(Scheduler(cluster), document(cluster), lost)


def between(
    scheduler: Scheduler, whole: etree._Element, lost: Sequence[str]
) -> list[Difference]:
    """Compare the two for one failure."""
    theirs = real(whole, scheduler.cluster, lost)
    ours = planned(scheduler, lost)
    return [
        Difference(guest.name, guest.runs_on, ours[guest.name], theirs[guest.name])
        for guest in scheduler.cluster.guests
        if ours[guest.name] != theirs[guest.name]
    ]
