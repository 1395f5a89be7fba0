"""How many failures the cluster of a CIB survives now, by the planner.

Called by status and by the doctor's source. ``running`` is where resources are.
Pacemaker's scheduler is asked wherever it can be; where it cannot, and the
configuration has what the planner does not reckon with, nothing counts as survived.
"""

from __future__ import annotations

from collections.abc import Mapping

from vmha.agents.protocol.deadline import Deadline
from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.pacemaker import confirmation, live, state, stopped
from vmha.heartbeat.planning.failures import Progress, planned
from vmha.heartbeat.planning.outcome import Plan
from vmha.heartbeat.planning.prediction import Scheduler, settled
from vmha.heartbeat.planning.state import State

PATIENCE_S = 20.0


def plan_of(
    cib: Cib,
    running: Mapping[str, str],
    wanted: int,
    has_arbiter: bool = False,
    last_man: bool = False,
    two_node: bool | None = None,
    progress: Progress | None = None,
) -> Plan | None:
    """Return the plan for losing any one node, or as many as are wanted.

    Where it is not known (None) whether Corosync's two_node is on, two nodes are taken
    for it, without which they could not fail over at all; a better packing is not
    searched for. Nodes that are down already are lost in every failure, and those in
    standby take nothing. ``last_man``: the arbiter is one of lms. None where there is
    nothing to plan. Its ``is_certain`` is false, and its last warnings say why, where
    it is not known what Pacemaker does. ``progress`` is told how many of how many
    failures Pacemaker was asked about.
    """
    if two_node is None:
        two_node = len(cib.nodes) == 2
    now = State(tuple(cib.down), tuple(cib.standing_by), tuple(cib.in_maintenance))
    found = live.of_document(cib.root, running, two_node, has_arbiter, wanted, now)
    cluster = stopped.left_out(found.cluster, cib.root)._replace(last_man=last_man)
    if not cluster.guests or not cluster.nodes:
        return None
    is_idle = not any(guest.runs_on for guest in cluster.guests)
    if now.is_whole and (is_idle or not found.doubts):
        cluster = settled(cluster, found.state)
    scheduler = Scheduler(cluster, found.state)
    made = planned(scheduler, max(1, wanted), search=False)
    whole = cib.root
    if is_idle or whole.find("status/node_state") is None:
        homes = {g.name: g.runs_on for g in cluster.guests if g.runs_on is not None}
        whole = state.with_state(whole, homes)
    judged = confirmation.judged(
        made, scheduler, whole, Deadline(PATIENCE_S), found.doubts, None, progress
    )
    told = tuple(f"Not reckoned with: {doubt}." for doubt in found.doubts)
    return judged.plan._replace(warnings=(*judged.plan.warnings, *told))
