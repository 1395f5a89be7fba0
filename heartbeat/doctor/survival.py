"""How many failures the cluster of a CIB survives now, by the planner.

Called by status and by the doctor's source. ``running`` is where resources are.
"""

from __future__ import annotations

from collections.abc import Mapping

from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.pacemaker import live, stopped
from vmha.heartbeat.planning.failures import plan, planned
from vmha.heartbeat.planning.outcome import Plan
from vmha.heartbeat.planning.prediction import Scheduler


def plan_of(
    cib: Cib, running: Mapping[str, str], wanted: int, has_arbiter: bool = False
) -> Plan | None:
    """Return the plan for losing any one node, or as many as are wanted.

    Two nodes are taken for Corosync's two_node, without which they could not fail over
    at all; a better packing is not searched for. Nodes that are down already are lost
    in every failure, and those in standby take nothing. None where there is nothing to
    plan.
    """
    two_node = len(cib.nodes) == 2
    found = live.of_document(cib.root, running, two_node, has_arbiter, wanted)
    cluster = stopped.left_out(found.cluster, cib.root)
    if not cluster.guests or not cluster.nodes:
        return None
    if not (cib.down or cib.standing_by):
        return plan(cluster, max(1, wanted), search=False)
    scheduler = Scheduler(cluster, cib.down, cib.standing_by)
    return planned(scheduler, max(1, wanted), search=False)
