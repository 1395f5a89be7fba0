"""What a scripted Redfish service does: one ``Plan``, and the power of its node.

The service itself is ``redfish_server``. A ``Mishap`` is one thing that goes wrong with
one kind of request; what is not mentioned in a plan is healthy.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ON, OFF = "On", "Off"

# Kinds of requests.
ANY, ROOT, LOGIN, READ, RESET, TASK = "any", "root", "login", "read", "reset", "task"

# What goes wrong with one.
SILENT = "no answer at all"
CUT = "the connection is reset in the middle of the answer"
DRIP = "a byte of the answer every half second"
ENDLESS = "a body without an end"
NOT_JSON = "text that is no JSON"
ARRAY = "JSON that is an array"
STATUS = "a status of its own, and a body that names the error"
AWAY = "a redirect to another host"
SLASH = "a redirect to the same path with a slash"
FORGOTTEN = "all sessions are ended, 401"
RESTART = "the BMC restarts: no answer, no sessions, nobody there for a while"
MISHAPS = (SILENT, CUT, DRIP, ENDLESS, NOT_JSON, ARRAY, STATUS, FORGOTTEN, RESTART)


@dataclass
class Mishap:
    """What goes wrong with the requests ``skip`` to ``skip + times`` of one kind.

    ``done`` tells whether an order is carried out all the same, ``late_s`` how much
    later. ``status``, ``message`` and ``headers`` are those of STATUS.
    """

    kind: str
    on: str = READ
    skip: int = 0
    times: int = 1_000_000
    done: bool = False
    late_s: float = 0.0
    status: int = 500
    message: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    down_s: float = 0.5
    after_order: bool = False  # counts only once a reset was asked for

    def strikes(self) -> bool:
        """Count a request of its kind, and tell whether this is one to go wrong."""
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


@dataclass
class Plan:
    """A service and its node. The defaults are a healthy one, and a node that is on."""

    # Who may log in.
    has_sessions: bool = True
    slots: int = 4
    full_status: int = 503
    role: str = "Administrator"
    shows_accounts: bool = True
    # What there is.
    systems: Sequence[str] = ("1",)
    has_reset: bool = True
    reset_types: Sequence[str] = ("On", "ForceOff", "ForceRestart", "PowerCycle", "Nmi")
    tells_types: str = "annotation"  # or "ActionInfo" or "nowhere"
    demands_etag: int = 0  # the status of an order without one
    # How its power behaves.
    off_takes_s: float = 0.0
    on_takes_s: float = 0.0
    cycle_off_s: float = 1.0
    shows_between: bool = False  # PoweringOff until it is off
    ignored_offs: int = 0
    shown: Sequence[object] = ()  # after an order, one per read; ``...`` is the truth
    always_shown: object = ...
    takes_as_task_s: float = -1.0  # orders are answered 202, and done so much later
    # What goes wrong.
    mishaps: list[Mishap] = field(default_factory=list)


class Node:
    """The true power over time, which is known as soon as an order was taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: list[tuple[float, str]] = [(time.monotonic(), ON)]

    def change(self, power: str, after_s: float = 0.0) -> None:
        """Have the power change, now or later."""
        with self._lock:
            self._changes.append((time.monotonic() + after_s, power))
            self._changes.sort(key=lambda change: change[0])

    def power(self, at: float | None = None) -> str:
        """Return the power now, or at another time."""
        moment = time.monotonic() if at is None else at
        with self._lock:
            return [power for when, power in self._changes if when <= moment][-1]

    def goes_off(self) -> bool:
        """Tell whether it is on and will be off."""
        now = time.monotonic()
        with self._lock:
            coming = {power for when, power in self._changes if when > now}
        return self.power() == ON and OFF in coming

    def was_off(self, begin: float, end: float) -> bool:
        """Tell whether it was off at any time between the two."""
        with self._lock:
            moments = [when for when, _ in self._changes if begin <= when <= end]
        return OFF in {self.power(moment) for moment in (begin, *moments)}

    def went_off(self) -> int:
        """Return how often it went, or will yet go, from on to off."""
        with self._lock:
            powers = [power for _, power in self._changes]
        return sum(pair == (ON, OFF) for pair in zip(powers, powers[1:]))
