"""What a plan is worth where quorum is not as the planner reckons with it.

Called by status and by the doctor's source. The planner knows two_node, one vote for
each node and the arbiters ffsplit and lms; what else Corosync is told is a doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vmha.heartbeat.corosync.quorum import Quorum
from vmha.heartbeat.doctor.reading import Reading
from vmha.heartbeat.planning.reasons import NO_QUORUM

if TYPE_CHECKING:
    from vmha.heartbeat.planning.outcome import Outcome, Plan

DOUBT = "Not reckoned with: {}."


def of_facts(parts: Iterable[Reading]) -> Quorum:
    """Return what the nodes say of their Corosync; what one says counts for all."""
    told = list(parts)
    costs = [text for part in told for text in part.texts("quorum_costs")]
    gains = [text for part in told for text in part.texts("quorum_gains")]
    return Quorum(
        any(part.flag("two_node") for part in told),
        any(part.flag("qdevice") for part in told),
        any(part.flag("last_man") for part in told),
        tuple(dict.fromkeys(costs)),
        tuple(dict.fromkeys(gains)),
    )


def weighed(plan: Plan, votes: Quorum, wanted: int) -> Plan:
    """Return a plan as far as it holds for a cluster that is told this of quorum.

    With fewer votes than are reckoned with no failure is known to be survived. Where
    more may go on, a loss of quorum is not known to be one.
    """
    if votes.costs:
        plan = plan._replace(tolerates=0)
    elif not votes.gains or plan.tolerates >= wanted:
        return plan
    told = [DOUBT.format(sentence) for sentence in (*votes.costs, *votes.gains)]
    known = plan.failures
    if votes.gains:
        known = tuple(one for one in known if not _has_no_quorum(one))
    warnings = (*plan.warnings, *told)
    return plan._replace(failures=known, warnings=warnings, is_certain=False)


def _has_no_quorum(outcome: Outcome) -> bool:
    return NO_QUORUM in {entry.reason for entry in outcome.unplaced}
