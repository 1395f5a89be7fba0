"""One change of a cluster played through: by the planner, and by Pacemaker's scheduler.

Called by whatif. Of a running cluster the change is made in a copy of its CIB, which is
then read like the cluster's own, so that constraints of others hold for it too.
"""

from __future__ import annotations

from typing import NamedTuple

from vmha.heartbeat.command.agreement import PATIENCE_S, Agreement, agreement
from vmha.heartbeat.command.source import Source
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.planning import changes
from vmha.heartbeat.planning.changes import Change, Kill, Played, Standby
from vmha.heartbeat.planning.outcome import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lxml import etree


class Rehearsal(NamedTuple):
    """The answer; ``is_certain`` is of the change itself, not of failures after it."""

    plan: Plan
    sentence: str
    is_certain: bool


def rehearsed(
    origin: Source, change: Change, streams: Streams, *, search: bool, asks: bool
) -> Rehearsal:
    """Return what a change does and what is tolerated then; raises UnknownName."""
    from vmha.heartbeat.pacemaker import confirmation

    whole = None
    played = changes.played(origin.cluster, change, state=origin.state)
    if origin.document is not None:
        whole = _altered(origin, change, played)
        played = _again(origin, change, whole)
    elif isinstance(change, (Kill, Standby)):
        whole = _altered(origin, change, played)
    plan = changes.told(played, search=search)
    asks = asks and whole is not None
    now = _now(origin, played, plan, streams, asks, whole)
    later = played.later
    if now.plan.failures != plan.failures:  # what follows would begin from elsewhere
        later = later._replace(tolerates=0)
    asks = asks and confirmation.is_possible(played.after.cluster)
    after = _after(whole, change) if asks else None
    asks = asks and after is not None
    later = agreement(origin, played.after, later, streams, asks=asks, whole=after).plan
    told = {*now.plan.warnings, *later.warnings}
    plan = now.plan._replace(
        tolerates=later.tolerates,
        is_certain=later.is_certain,
        warnings=tuple(sorted(told)),
    )
    return Rehearsal(plan, now.sentence, now.plan.is_certain)


def _now(
    origin: Source,
    played: Played,
    plan: Plan,
    streams: Streams,
    asks: bool,
    whole: etree._Element | None,
) -> Agreement:
    """Ask about the change itself; a node in standby is in the CIB, and not lost."""
    (at_once,) = plan.failures
    lost = at_once.lost
    gone = tuple(name for name in lost if name not in played.before.standby)
    asked = plan._replace(failures=(at_once._replace(lost=gone),))
    agreed = agreement(origin, played.before, asked, streams, asks=asks, whole=whole)
    (answer,) = agreed.plan.failures
    plan = agreed.plan._replace(failures=(answer._replace(lost=lost),))
    return agreed._replace(plan=plan)


def _altered(origin: Source, change: Change, played: Played) -> etree._Element | None:
    from vmha.heartbeat.pacemaker.alteration import altered
    from vmha.heartbeat.planning.instructions import instructions
    from vmha.heartbeat.planning.prediction import settled

    before = origin.cluster if origin.document is not None else settled(origin.cluster)
    whole = origin.whole(before)
    if whole is None:
        return None
    old = origin.state.told or instructions(before)
    new = played.before.state.told or instructions(played.before.cluster)
    return altered(whole, change, old, new)


def _again(origin: Source, change: Change, whole: etree._Element | None) -> Played:
    """Play the change with what the changed CIB says."""
    from vmha.heartbeat.pacemaker import live

    told = None
    if whole is not None:
        homes = {g.name: g.runs_on for g in origin.cluster.guests if g.runs_on}
        others = {} if origin.state.told is None else origin.state.told.places()
        told = live.of_document(whole, {**others, **homes}, state=origin.state)
    instructed = told.state.told if told is not None else None
    return changes.played(
        origin.cluster, change, state=origin.state, instructed=instructed
    )


def _after(whole: etree._Element | None, change: Change) -> etree._Element | None:
    """Return the CIB as Pacemaker would leave it, None where it cannot be asked."""
    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.protocol.errors import AgentError
    from vmha.heartbeat.pacemaker import simulate

    lost = change.nodes if isinstance(change, Kill) else ()
    if whole is None:
        return None
    try:
        return simulate.saved(whole, Deadline(PATIENCE_S), lost)
    except AgentError:
        return None
