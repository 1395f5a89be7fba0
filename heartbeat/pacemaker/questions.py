"""What becomes of one CIB in each of many failures: crm_simulate on every processor.

Called by ``confirmation``. Each question is a process of its own that keeps one
processor busy, and none depends on another's answer.
"""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import Union

from lxml import etree

from vmha.agents.protocol.errors import AgentError, Refused, Unreachable
from vmha.heartbeat.pacemaker import simulate
from vmha.heartbeat.pacemaker.parallel import together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vmha.agents.protocol.deadline import Deadline

    Progress = Callable[[int, int], None]

Answer = Union[simulate.Outcome, AgentError]
MOST_AT_ONCE = 4
"""Each takes 50 MiB for 100 guests on 8 nodes, and more for more."""


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
    failed = threading.Event()
    done: list[int] = []

    def question(number: int) -> Answer:
        if failed.is_set():
            raise Unasked("it was not asked, because another had no answer")
        if progress:
            progress(len(done), len(losses))
        try:
            return simulate.simulate(whole, deadline, losses[number])
        except simulate.Unfinished as error:
            return error
        except etree.XMLSyntaxError as error:
            failed.set()
            raise Refused(
                f"what crm_simulate has written is no XML: {error}"
            ) from error
        except AgentError:
            failed.set()
            raise
        finally:
            done.append(number)

    numbers = range(len(losses))
    asked = {str(number): partial(question, number) for number in numbers}
    processors = len(os.sched_getaffinity(0))
    found = together(asked, deadline, min(processors, MOST_AT_ONCE))
    return [found[str(number)] for number in numbers]
