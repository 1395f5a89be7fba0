"""What Pacemaker does next with a CIB, and the CIB as it then is: in bounded time.

Called by ``proposal`` and ``margin``. crm_simulate plays a transition through step by
step, and takes minutes where there are thousands of steps; what its scheduler decides
it tells within seconds. So a large change is decided only, and that is said.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from vmha.agents.protocol.errors import Unreachable
from vmha.heartbeat.pacemaker import simulate, state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker.simulate import Outcome

PATIENCE_S = 15.0
"""For playing a transition through; what it decides is asked for afterwards."""
MOST_PROBES = 1500
"""New resources times nodes: 100 on 8 take 3 s, 300 on 16 more than 4 minutes."""
UNPLAYED = (
    "Pacemaker's decisions are shown, but crm_simulate has not played them through, "
    "because there are too many: whether all steps come to an end is not confirmed"
)


class Forecast(NamedTuple):
    """The outcome, and the CIB after it; whether every step of it was played."""

    outcome: Outcome
    cib: etree._Element
    is_played: bool

    @property
    def warnings(self) -> list[str]:
        """Return what is not known of it, as sentences."""
        return [] if self.is_played else [UNPLAYED]


def forecast(cib: etree._Element, deadline: Deadline) -> Forecast:
    """Return what Pacemaker does next; raises as simulate does."""
    if _probes(cib) <= MOST_PROBES:
        try:
            outcome, after = simulate.played(cib, deadline.part(PATIENCE_S))
        except Unreachable:
            pass
        else:
            return Forecast(outcome, after, is_played=True)
    outcome = simulate.decided(cib, deadline)
    touched = {action.resource for action in outcome.actions}
    known = _known(cib)
    touched |= {
        str(one.get("id"))
        for one in cib.iterfind("configuration/resources/primitive")
        if one.get("id") not in known
    }
    places = {name: outcome.after.get(name) for name in touched}
    return Forecast(
        outcome, state.rewritten(cib, places, outcome.gone), is_played=False
    )


def _probes(cib: etree._Element) -> int:
    """Return how many answers Pacemaker lacks: each is a step of the transition."""
    known = _known(cib)
    resources = cib.iterfind("configuration/resources//primitive")
    named = {str(one.get("id")) for one in resources}
    nodes = len(cib.findall("status/node_state"))
    return nodes * len(named - known)


def _known(cib: etree._Element) -> set[str]:
    """Return the resources of which a node has told anything."""
    told = cib.iterfind("status/node_state/lrm/lrm_resources/lrm_resource")
    return {str(one.get("id")).partition(":")[0] for one in told}
