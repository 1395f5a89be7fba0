"""Whether Pacemaker's own scheduler agrees with a plan, told below it.

Called by plan and whatif. Nothing is asked where crm_simulate is missing or the cluster
is large; what is then not known is not claimed.
"""

from __future__ import annotations

from typing import NamedTuple

from vmha.heartbeat.command.source import Source
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.planning.failures import Failures
from vmha.heartbeat.planning.outcome import Plan
from vmha.heartbeat.planning.prediction import Scheduler

PATIENCE_S = 20.0
LONG_PATIENCE_S = 60.0
"""Where the verdict depends on the answer."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lxml import etree


class Agreement(NamedTuple):
    """The plan as far as it holds, and a sentence for people, "" if nobody was asked.

    ``is_less`` is whether it tolerates less than the planner has reckoned.
    """

    plan: Plan
    sentence: str = ""
    is_less: bool = False


def agreement(
    origin: Source,
    scheduler: Scheduler,
    plan: Plan,
    streams: Streams,
    *,
    failures: Failures = None,
    asks: bool = True,
    whole: etree._Element | None = None,
) -> Agreement:
    """Ask crm_simulate about each outcome, for a limited time, unless not wanted.

    ``whole`` is the CIB to ask about, if it is not the origin's own.
    """
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker import confirmation
    from vmha.heartbeat.pacemaker.questions import shown

    asks = asks and confirmation.is_possible(scheduler.cluster)
    if asks:
        streams.progress("asking crm_simulate whether it agrees")
        whole = whole if whole is not None else origin.whole(scheduler.cluster)
    deadline = Deadline(LONG_PATIENCE_S if origin.doubts else PATIENCE_S)
    found = confirmation.judged(
        plan,
        scheduler,
        whole if asks else None,
        deadline,
        origin.doubts,
        failures,
        shown(streams.progress),
    )
    streams.end_progress()
    if found.trouble:
        streams.say(f"vmha: not all was confirmed: {found.trouble}")
    held = found.plan
    if origin.votes:  # crm_simulate keeps the quorum that the CIB has
        held = held._replace(tolerates=0, is_certain=False)
    agreed = Agreement(held, "", held.tolerates < plan.tolerates)
    if not found.asked or origin.votes:
        return agreed
    count = "1 failure" if found.asked == 1 else f"{found.asked} failures"
    about, on = f" about {count}", f" on {count}"
    if not any(outcome.lost for outcome in plan.failures):
        about = on = ""
    if found.differs:
        said = f"crm_simulate was asked{about} and differs: see the warnings."
        return agreed._replace(sentence=said)
    return agreed._replace(sentence=f"crm_simulate agrees{on}.")
