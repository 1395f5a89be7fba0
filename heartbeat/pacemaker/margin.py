"""Does a change leave fewer failures survived, with all that others told Pacemaker?

Called by ``proposal``. The cluster file knows its own guests alone; in the CIB as it
would be stand also those of others, their bans and their sizes. Both CIBs, that of now
and that to be, are followed through Pacemaker's next transition and then planned; where
crm_simulate can be asked about each failure, its word counts. Where it cannot, and
there is what the planner does not reckon with, nothing is taken for survived.
"""

from __future__ import annotations

from typing import NamedTuple

from vmha.agents.protocol.errors import AgentError
from vmha.heartbeat.pacemaker import admission, confirmation, live, stopped
from vmha.heartbeat.pacemaker.forecast import Forecast, forecast
from vmha.heartbeat.planning.failures import Progress, is_survived, planned
from vmha.heartbeat.planning.prediction import Scheduler
from vmha.heartbeat.planning.state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.planning.model import Cluster
    from vmha.heartbeat.planning.outcome import Outcome

PATIENCE_S = 20.0
"""For all questions about failures of one CIB; what is unasked stays as planned."""
MOST_DOUBTS = 3
UNCONFIRMED = (
    "crm_simulate has confirmed only {asked} of {count} failures that were planned for "
    "({trouble})"
)


class Margin(NamedTuple):
    """How many failures are survived, and who stays down in each that is not.

    Where that is not certain, ``doubt`` says why in a sentence; ``warnings`` are for
    where it is certain enough. Without ``has_guests`` there is nothing to survive.
    """

    tolerates: int
    down: Mapping[tuple[str, ...], frozenset[str]]
    doubt: str = ""
    warnings: tuple[str, ...] = ()
    has_guests: bool = True


class Verdict(NamedTuple):
    """What is against a change, and what is not known of it, as sentences."""

    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def lessened(
    before: etree._Element,
    after: Forecast,
    file: Cluster,
    deadline: Deadline,
    progress: Progress | None = None,
) -> Verdict:
    """Return what is against the CIB to be, by the failures that it survives.

    Nothing where it survives what the file asks for, nor where each guest that would
    stay down does so now: a cluster that has no margin can still be configured, and so
    can one of which nobody knows whether it has any.
    """
    if file.tolerate < 1:
        return Verdict()
    found = _margin(after, file, deadline, progress)
    if found.tolerates >= file.tolerate:
        return Verdict((), found.warnings)
    try:
        known = _margin(forecast(before, deadline), file, deadline, progress)
    except AgentError as error:  # of what Pacemaker cannot follow, nothing is known
        known = Margin(0, {}, f"nothing is known of the present cluster: {error}")
    return judged(found, known, file.tolerate)


def judged(found: Margin, known: Margin, wanted: int) -> Verdict:
    """Compare the margin to be, which is too small, with that of now; pure."""
    worse = {
        lost: names - known.down.get(lost, frozenset())
        for lost, names in found.down.items()
    }
    first = next((lost for lost in found.down if worse[lost]), None)
    had_none = bool(found.doubt) and not known.has_guests
    if first is None and (had_none or found.tolerates >= known.tolerates):
        if not found.doubt:
            return Verdict((), found.warnings)
        same = ", and neither is it now" if known.doubt else ""
        return Verdict((), (f"{_uncertain(wanted)}{same}: {found.doubt}",))
    if first is None and found.doubt:
        return Verdict((f"{_uncertain(wanted)}: {found.doubt}",))
    down = found.down[first] if first is not None else frozenset[str]()
    too_few = admission.too_few(found.tolerates, wanted, first or (), down)
    return Verdict((too_few,), found.warnings)


def _uncertain(wanted: int) -> str:
    return (
        f"it is not certain that the cluster would survive {wanted} failures, which "
        "the file asks for (policy.tolerate)"
    )


def _margin(
    after: Forecast, file: Cluster, deadline: Deadline, progress: Progress | None
) -> Margin:
    whole, then = after.cib, after.outcome
    state = State(then.gone, then.standby, then.frozen)
    corosync = (file.two_node, file.qdevice, file.tolerate)
    seen = live.of_document(whole, then.after, *corosync, state)
    cluster = stopped.left_out(seen.cluster, whole)
    cluster = cluster._replace(last_man=file.last_man)
    scheduler = Scheduler(cluster, seen.state)
    made = planned(scheduler, file.tolerate, search=False)
    patience = deadline.part(PATIENCE_S)
    found = confirmation.judged(
        made, scheduler, whole, patience, seen.doubts, file.tolerate, progress
    )
    made = found.plan
    ha = {guest.name for guest in cluster.guests if guest.ha}
    down = {
        one.lost: frozenset(ha.intersection(_down(one)))
        for one in made.failures
        if not is_survived(scheduler, one)
    }
    said = _unconfirmed(found)
    if made.is_certain:
        told = (said,) if said else ()
        return Margin(made.tolerates, down, "", told, bool(ha))
    return Margin(made.tolerates, down, _doubt(seen.doubts, said), (), bool(ha))


def _unconfirmed(found: confirmation.Judgement) -> str:
    if not found.trouble:
        return ""
    count = len(confirmation.unasked(found.plan.failures))
    trouble = " ".join(found.trouble.split())
    return UNCONFIRMED.format(asked=found.asked, count=count, trouble=trouble)


def _doubt(doubts: tuple[str, ...], said: str) -> str:
    """Return in one sentence why a margin is not certain."""
    if not doubts:
        return said
    more = len(doubts) - MOST_DOUBTS
    told = "; ".join(doubts[:MOST_DOUBTS]) + (f"; and {more} more" if more > 0 else "")
    why = said or "crm_simulate was not asked, because the cluster is too large for it"
    return f"the planner does not reckon with all of it ({told}), and {why}"


def _down(outcome: Outcome) -> list[str]:
    stopped_ones = [entry.guest for entry in outcome.preempted]
    return [*stopped_ones, *(entry.guest for entry in outcome.unplaced)]
