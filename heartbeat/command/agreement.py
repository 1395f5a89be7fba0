"""Whether Pacemaker's own scheduler agrees with a plan, told below it.

Called by plan and whatif. Nothing is asked where crm_simulate is missing or the cluster
is large.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from vmha.heartbeat.command.source import Source
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.planning.outcome import Outcome

PATIENCE_S = 20.0


class Agreement(NamedTuple):
    """A sentence for people ("" if nothing was asked), and what differs."""

    sentence: str
    differences: tuple[str, ...]


NOT_ASKED = Agreement("", ())


def agreement(
    origin: Source, outcomes: Sequence[Outcome], streams: Streams
) -> Agreement:
    """Ask crm_simulate about each outcome, for a limited time."""
    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker import confirmation

    if not confirmation.is_possible(origin.cluster):
        return NOT_ASKED
    streams.progress("asking crm_simulate whether it agrees")
    found = confirmation.confirm(
        origin.cluster, outcomes, Deadline(PATIENCE_S), origin.document
    )
    streams.end_progress()
    if found.trouble:
        streams.say(f"vmha: not all was confirmed: {found.trouble}")
    if not found.asked:
        return NOT_ASKED
    count = "1 failure" if found.asked == 1 else f"{found.asked} failures"
    if found.differences:
        return Agreement(
            f"crm_simulate was asked about {count} and differs: see the warnings.",
            found.differences,
        )
    return Agreement(f"crm_simulate agrees on {count}.", ())
