"""One monotonic deadline per operation, handed down; and the watchdog that keeps it.

Made by ``agent.run`` from the operation's timeout, given to everything that waits.
Nothing in vmha sleeps or loops without one. The watchdog is the one place below
``main`` that may end the process: a blocked C call or a hung mount cannot be undone,
only left behind.
"""

from __future__ import annotations

import _thread
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable


class Deadline:
    """A point in time after which nothing may be waited for.

    ``timeout_s`` counts from now. ``clock`` and ``sleep`` are effects, so that tests
    run in virtual time.
    """

    __slots__ = ("_clock", "_end", "_sleep", "timeout_s")

    def __init__(
        self,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.timeout_s = timeout_s
        self._clock = clock
        self._sleep = sleep
        self._end = clock() + timeout_s

    def remaining_s(self) -> float:
        """Return the seconds left, never negative."""
        return max(0.0, self._end - self._clock())

    def elapsed_s(self) -> float:
        """Return the seconds since the deadline was made."""
        return self.timeout_s - (self._end - self._clock())

    def expired(self) -> bool:
        """Tell whether the time is over."""
        return self._clock() >= self._end

    def sleep(self, seconds: float) -> None:
        """Sleep, but never past the end."""
        self._sleep(min(seconds, self.remaining_s()))

    def part(self, seconds: float) -> Deadline:
        """Return a deadline ``seconds`` from now that ends no later than this one."""
        return Deadline(min(seconds, self.remaining_s()), self._clock, self._sleep)


class Watchdog:
    """Leaves the process at the deadline, whatever the main thread waits in.

    ``leave`` gets the last sentence said and must end the process; it runs in a thread
    of its own. The race left: a C call that holds the interpreter's lock holds the
    watchdog too; libvirt and the file system release it.
    """

    __slots__ = ("_cancelled", "_deadline", "_leave", "_sentence")

    def __init__(self, deadline: Deadline, leave: Callable[[str], None]) -> None:
        self._deadline = deadline
        self._leave = leave
        self._sentence = "the operation did not end in its time"
        self._cancelled = _thread.allocate_lock()

    def start(self) -> None:
        """Begin to watch."""
        self._cancelled.acquire()
        _thread.start_new_thread(self._watch, ())

    def say(self, sentence: str) -> None:
        """Set the sentence that is given if the deadline passes from here on."""
        self._sentence = sentence

    def cancel(self) -> None:
        """Stop watching; call it once, after ``start``."""
        self._cancelled.release()

    def _watch(self) -> None:
        if not self._cancelled.acquire(timeout=self._deadline.remaining_s()):
            self._leave(self._sentence)


def leave_process(exit_code: int) -> None:
    """End the process at once, without waiting for threads or destructors."""
    os._exit(exit_code)
