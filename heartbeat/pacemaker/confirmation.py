"""Is the plan what Pacemaker will do? Its own scheduler is asked, failure by failure.

Called by plan and whatif where crm_simulate is installed and the cluster is small
enough. The CIB asked is the one that vmha would render, or the running cluster's own.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vmha.agents.protocol.errors import AgentError
from vmha.heartbeat.pacemaker import cib, rendering, simulate, state
from vmha.heartbeat.planning.instructions import instructions
from vmha.heartbeat.planning.model import Cluster
from vmha.heartbeat.planning.outcome import Outcome
from vmha.heartbeat.planning.prediction import settled
from vmha.heartbeat.planning.reasons import NO_NODE, NO_QUORUM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lxml import etree

    from vmha.agents.protocol.deadline import Deadline

MOST_NODES = 16
MOST_GUESTS = 300


class Confirmation(NamedTuple):
    """How many failures were asked about, and in what Pacemaker differs, as sentences.

    ``trouble`` is why no more were asked about, "" if all were.
    """

    asked: int
    differences: tuple[str, ...]
    trouble: str = ""


def is_possible(cluster: Cluster) -> bool:
    """Tell whether crm_simulate is here and the cluster small enough for it."""
    is_small = len(cluster.nodes) <= MOST_NODES and len(cluster.guests) <= MOST_GUESTS
    return is_small and shutil.which("crm_simulate") is not None


def confirm(
    cluster: Cluster,
    outcomes: Sequence[Outcome],
    deadline: Deadline,
    running: etree._Element | None = None,
) -> Confirmation:
    """Compare outcomes with crm_simulate's; ``running`` is the live CIB, if it is one.

    A loss of quorum is left out: crm_simulate keeps the quorum that the CIB has.
    """
    if running is None:
        cluster = settled(cluster)
    whole = running if running is not None else document(cluster)
    asked = 0
    found: list[str] = []
    for outcome in outcomes:
        if {entry.reason for entry in outcome.unplaced} & {NO_QUORUM, NO_NODE}:
            continue
        try:
            after = simulate.simulate(whole, deadline, outcome.lost).after
        except AgentError as error:
            return Confirmation(asked, tuple(found), str(error))
        asked += 1
        found += _differences(cluster, outcome, after)
    return Confirmation(asked, tuple(found))


def document(cluster: Cluster) -> etree._Element:
    """Return the CIB that is rendered for a cluster, with its guests running."""
    told = instructions(cluster)
    needs = {terms.name: terms for terms in told.guests}
    sized = tuple(
        guest._replace(
            cpu=needs[guest.name].cpu, memory_mib=needs[guest.name].memory_mib
        )
        for guest in cluster.guests
    )
    configuration = rendering.of_cluster(cluster._replace(guests=sized), told)
    homes = {g.name: g.runs_on for g in cluster.guests if g.runs_on is not None}
    return state.with_state(cib.document(configuration), homes)


def _differences(
    cluster: Cluster, outcome: Outcome, after: dict[str, str]
) -> Iterator[str]:
    lost = ", ".join(outcome.lost)
    moved = {move.guest: move.to for move in outcome.moved}
    stopped = {entry.guest: entry.to for entry in outcome.preempted}
    down = {entry.guest for entry in outcome.unplaced}
    mentioned = {*outcome.placed, *moved, *stopped, *down}
    for guest in cluster.guests:
        home = None if guest.runs_on in outcome.lost else guest.runs_on
        if guest.runs_on is None and guest.name not in mentioned:
            continue  # down before, and nothing was said of it
        planned = outcome.placed.get(guest.name, moved.get(guest.name, home))
        planned = stopped.get(guest.name, planned)
        real = after.get(guest.name)
        if planned != real:
            yield (
                f"After the loss of {lost}, crm_simulate has {guest.name} "
                f"{_where(real)}, and the plan {_where(planned)}; believe crm_simulate."
            )


def _where(node: str | None) -> str:
    return f"on {node}" if node else "down"
