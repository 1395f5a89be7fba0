"""What becomes of one CIB in each of many failures: crm_simulate, question by question.

Called by ``confirmation``. One after the other: lxml in several threads makes libvirt's
use of the same libxml2 crash later.
"""

from __future__ import annotations

from typing import Union

from lxml import etree

from vmha.agents.protocol.errors import AgentError, Refused, Unreachable
from vmha.heartbeat.pacemaker import simulate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vmha.agents.protocol.deadline import Deadline

    Progress = Callable[[int, int], None]

Answer = Union[simulate.Outcome, AgentError]


def shown(say: Callable[[str], None]) -> Progress:
    """Return a progress that is told to people by ``say``."""

    def progress(done: int, questions: int) -> None:
        say(f"asking crm_simulate about failures: {done} of {questions}")

    return progress


class Unasked(Unreachable):
    """Another question had no answer; the reason is that one's."""


def ask(
    whole: etree._Element,
    losses: Sequence[tuple[str, ...]],
    deadline: Deadline,
    progress: Progress | None = None,
) -> list[Answer]:
    """Return for each loss its outcome, or the AgentError that says why there is none.

    After the first that has no answer nothing more is asked; a transition without end
    (Unfinished) is an answer. ``progress`` is told how many of how many are done.
    """
    found: list[Answer] = []
    for lost in losses:
        if progress:
            progress(len(found), len(losses))
        found.append(_answer(whole, lost, deadline))
        is_end = isinstance(found[-1], simulate.Unfinished)
        if isinstance(found[-1], AgentError) and not is_end:
            break
    left = len(losses) - len(found)
    unasked = Unasked("it was not asked, because another had no answer")
    return [*found, *([unasked] * left)]


def _answer(whole: etree._Element, lost: Sequence[str], deadline: Deadline) -> Answer:
    try:
        return simulate.simulate(whole, deadline, lost)
    except AgentError as error:
        return error
    except etree.XMLSyntaxError as error:
        return Refused(f"what crm_simulate has written is no XML: {error}")
