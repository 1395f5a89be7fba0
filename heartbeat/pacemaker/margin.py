"""Does a change leave fewer failures survived, with all that others told Pacemaker?

Called by ``proposal``. The cluster file knows its own guests alone; in the CIB as it
would be stand also those of others, their bans and their sizes. Both CIBs, that of now
and that to be, are followed through Pacemaker's next transition and then planned; where
crm_simulate can be asked about each failure, its word counts.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused
from vmha.heartbeat.pacemaker import admission, confirmation, live, simulate, stopped
from vmha.heartbeat.planning.failures import is_survived, planned
from vmha.heartbeat.planning.prediction import Scheduler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.heartbeat.planning.model import Cluster
    from vmha.heartbeat.planning.outcome import Outcome

PATIENCE_S = 20.0
"""For all questions about failures of one CIB; what is unasked stays as planned."""


class Margin(NamedTuple):
    """How many failures are survived, and who stays down in each that is not."""

    tolerates: int
    down: Mapping[tuple[str, ...], frozenset[str]]


def lessened(
    before: etree._Element, after: etree._Element, file: Cluster, deadline: Deadline
) -> list[str]:
    """Return what is against the CIB to be, as sentences, by the failures it survives.

    Nothing where it survives what the file asks for, nor where each guest that would
    stay down does so now: a cluster that has no margin can still be configured. Raises
    as crm_simulate's run does.
    """
    if file.tolerate < 1:
        return []
    found = _margin(after, file, deadline)
    if found.tolerates >= file.tolerate:
        return []
    try:
        known = _margin(before, file, deadline)
    except Refused:  # of what Pacemaker cannot follow now, nothing is known
        known = Margin(0, {})
    worse = {
        lost: names - known.down.get(lost, frozenset())
        for lost, names in found.down.items()
    }
    first = next((lost for lost in found.down if worse[lost]), None)
    if first is None and found.tolerates >= known.tolerates:
        return []
    down = found.down[first] if first is not None else frozenset[str]()
    return [admission.too_few(found.tolerates, file.tolerate, first or (), down)]


def _margin(cib: etree._Element, file: Cluster, deadline: Deadline) -> Margin:
    whole = simulate.saved(cib, deadline)
    seen = live.read(whole, deadline, file.two_node, file.qdevice, file.tolerate)
    cluster = stopped.left_out(seen.cluster, whole)
    cluster = cluster._replace(last_man=file.last_man)
    scheduler = Scheduler(cluster, seen.state)
    made = planned(scheduler, file.tolerate, search=False)
    patience = Deadline(PATIENCE_S)
    made = confirmation.judged(made, scheduler, whole, patience).plan
    ha = {guest.name for guest in cluster.guests if guest.ha}
    down = {
        one.lost: frozenset(ha.intersection(_down(one)))
        for one in made.failures
        if not is_survived(scheduler, one)
    }
    return Margin(made.tolerates, down)


def _down(outcome: Outcome) -> list[str]:
    stopped_ones = [entry.guest for entry in outcome.preempted]
    return [*stopped_ones, *(entry.guest for entry in outcome.unplaced)]
