"""Guests that would stay down after a failure: the planner's answer."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import CIB, Answer, Check, Finding, Severity, Unknown
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.planning.reasons import NOT_HA

NAMED = 4
DOUBT = "Not reckoned with"


def look(evidence: Evidence) -> Iterator[Answer]:
    """Look in the plan for failures after which not all guests run again."""
    plan = evidence.plan
    if plan is None:
        if evidence.cib.guests and len(evidence.cib.nodes) > 1:
            yield Unknown("the cluster", evidence.why_no_plan or "it was not planned")
        return
    if plan.tolerates >= evidence.wanted:
        return
    if not plan.is_certain:
        doubts = [told for told in plan.warnings if told.startswith(DOUBT)]
        yield Unknown("the cluster", "; ".join(doubts))
    for outcome in plan.failures:
        down = [entry.guest for entry in outcome.unplaced if entry.reason != NOT_HA]
        stopped = [entry.guest for entry in outcome.preempted]
        if down or stopped:
            lost = " and ".join(outcome.lost)
            yield Finding(f"without {lost}", _told(sorted({*down, *stopped})))


def _told(guests: list[str]) -> str:
    more = f" and {len(guests) - NAMED} more" if guests[NAMED:] else ""
    verb = "stays" if len(guests) == 1 else "stay"
    return f"{', '.join(guests[:NAMED])}{more} {verb} down"


CHECK = Check(
    "failure-margin",
    "Guests that a failure would leave down",
    Severity.ERROR,
    "After the failures that the cluster is to survive (policy.tolerate of the cluster "
    "file, else one node), what is left does not have the place for all guests, or not "
    "in pieces that fit. Summing up capacities hides this; Pacemaker will not.",
    "vmha plan tells what is missing where. Add capacity, remove guests, or give those "
    "that may stay down a lower class.",
    (CIB,),
    look,
)
