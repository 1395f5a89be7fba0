"""Several questions at once, each in a thread, all within one deadline.

Called where nodes and devices are asked. A question that does not come back is left
behind in its thread, which ends with the process; its answer is then an Unreachable.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from typing import Callable, TypeVar

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Unreachable

Answer = TypeVar("Answer")
LATE_S = 0.2  # a question that ends with the deadline may still tell its own reason


def together(
    questions: Mapping[str, Callable[[], Answer]], deadline: Deadline, at_once: int = 64
) -> dict[str, Answer | AgentError]:
    """Ask all; return for each its answer, or the AgentError that says why not.

    ``at_once`` limits how many are under way; they begin in their order.
    """
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    answered: queue.SimpleQueue[tuple[str, Answer | AgentError]] = queue.SimpleQueue()
    for name in questions:
        waiting.put(name)

    def work() -> None:
        while True:
            try:
                name = waiting.get_nowait()
            except queue.Empty:
                return
            answered.put((name, _asked(questions[name])))

    for _ in range(min(at_once, len(questions))):
        threading.Thread(target=work, daemon=True).start()
    found: dict[str, Answer | AgentError] = {}
    while len(found) < len(questions):
        try:
            name, answer = answered.get(timeout=deadline.remaining_s() + LATE_S)
        except queue.Empty:
            break
        found[name] = answer
    late = Unreachable(f"no answer within {deadline.timeout_s:.1f} s")
    return {name: found.get(name, late) for name in questions}


def _asked(question: Callable[[], Answer]) -> Answer | AgentError:
    try:
        return question()
    except AgentError as error:
        return error
    except (OSError, ValueError, LookupError) as error:
        return Unreachable(f"it cannot be told: {type(error).__name__}: {error}")
