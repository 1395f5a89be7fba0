"""The story of a failover, read from the nodes' logs and the BMCs' journals.

``Story`` collects what every node's Pacemaker wrote (pacemaker.log, milliseconds) and
what every BMC did, all on one monotonic clock, and answers when a stage was reached.
Parsing is pure; only ``Reader`` reads files. Written for Pacemaker 2.1 and 3.0.
"""

from __future__ import annotations

import calendar
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .node import Node

LOG = "var/log/pacemaker/pacemaker.log"
LINE = re.compile(
    r"^(?P<month>\w{3}) (?P<day>[\d ]\d) (?P<clock>\d\d:\d\d:\d\d)"
    r"(?P<fraction>\.\d+)? (?P<node>\S+) (?P<daemon>[\w-]+)\s*\[\d+\] "
    r"\((?P<function>[^)]*)\)\s+(?P<level>\w+): (?P<text>.*)$"
)
MONTHS = [*calendar.month_abbr]


@dataclass(frozen=True, order=True)
class Event:
    """Something that happened: monotonic time, its kind, the node or guest it befell.

    ``by`` is the node that says so, ``result`` an exit status where there is one; of a
    fencing device asked its name, and of an agent its sentence.
    """

    time_s: float
    kind: str
    subject: str
    by: str
    result: str = ""


# kind, daemon, the sentence; group 1 is the subject, group 2 the result.
KINDS = [
    ("lost", "pacemaker-controld", r"Node (\S+) state is now lost"),
    ("member", "pacemaker-controld", r"Node (\S+) state is now member"),
    (
        "fencing requested",
        "pacemaker-controld",
        r"Requesting fencing \(\w+\) (?:of|targeting) node (\S+)",
    ),
    (
        "fencing confirmed",
        "pacemaker-fenced",
        r"Operation '\w+' targeting (\S+) by .*: (OK|\w+)",
    ),
    (
        "device asked",
        "pacemaker-fenced",
        r"Requesting that \S+ perform '\w+' action targeting (\S+) using '?([^'\s]+)",
    ),
    (
        "device answered",
        "pacemaker-fenced",
        r"Operation '\w+' \[\d+\] targeting (\S+) using (\S+ returned \d+)",
    ),
    ("agent said", "pacemaker-fenced", r"(fence_\w+)\[\d+\] stderr: \[ (.*) \]"),
    ("start begun", "pacemaker-execd", r"executing - rsc:(\S+) action:start"),
    ("stop begun", "pacemaker-execd", r"executing - rsc:(\S+) action:stop"),
    ("migrate_to begun", "pacemaker-execd", r"executing - rsc:(\S+) action:migrate_to"),
    (
        "migrate_from begun",
        "pacemaker-execd",
        r"executing - rsc:(\S+) action:migrate_from",
    ),
    ("reloaded", "pacemaker-execd", r"executing - rsc:(\S+) action:reload-agent"),
]
ENDED = re.compile(
    r"(\S+) (start|stop|migrate_to|migrate_from) \(call \d+.*\) "
    r"exited with status (\d+)"
)
SENTENCES = [(kind, daemon, re.compile(text)) for kind, daemon, text in KINDS]


def parse(text: str, year: int, offset_s: float) -> Iterator[Event]:
    """The events in a pacemaker.log.

    ``year`` is not in the log; ``offset_s`` is what to take from the wall clock to get
    the monotonic one. Nodes keep UTC.
    """
    for line in text.splitlines():
        found = LINE.match(line)
        event = _event(found["node"], found["daemon"], found["text"]) if found else None
        if found is None or event is None:
            continue
        stamp = f"{year} {MONTHS.index(found['month'])} {found['day']} {found['clock']}"
        wall = calendar.timegm(time.strptime(stamp, "%Y %m %d %H:%M:%S"))
        when = wall + float(found["fraction"] or 0) - offset_s
        yield replace(event, time_s=when)


def _event(node: str, daemon: str, text: str) -> Event | None:
    """What a sentence in the log says, its time aside."""
    for kind, by, sentence in SENTENCES:
        found = sentence.match(text) if daemon == by else None
        if found is not None:
            result = found[2] if sentence.groups > 1 else ""
            return Event(0.0, kind, found[1], node, result)
    ended = ENDED.match(text) if daemon == "pacemaker-execd" else None
    if ended is not None:
        return Event(0.0, f"{ended[2]} ended", ended[1], node, ended[3])
    return None


class Story:
    """Events in the order they happened."""

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = sorted(events)

    def first(
        self, kind: str, subject: str, since_s: float = 0.0, result: str = ""
    ) -> Event | None:
        """The first event of a kind that befell a node or guest after an instant."""
        for event in self.events:
            if event.time_s < since_s or (event.kind, event.subject) != (kind, subject):
                continue
            if not result or event.result == result:
                return event
        return None

    def since(self, instant_s: float, kind: str = "") -> list[Event]:
        """Everything (of a kind, if one is named) after an instant."""
        late = [event for event in self.events if event.time_s >= instant_s]
        return [event for event in late if not kind or event.kind == kind]


class Reader:
    """Reads the nodes' logs and the BMCs' journals, each line once."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._read: dict[str, int] = {}
        self._events: list[Event] = []

    def story(self) -> Story:
        """The story so far."""
        wall, now = time.time(), time.monotonic()
        year = time.gmtime(wall).tm_year
        slept = time.clock_gettime(time.CLOCK_BOOTTIME) - now
        journals: list[Event] = []
        for node in self._nodes:
            self._events += parse(self._news(node), year, wall - now)
            for when, what in node.bmc.journal():
                by = f"{node.name}-bmc"
                journals.append(Event(when - slept, what, node.name, by))
        return Story([*self._events, *journals])

    def _news(self, node: Node) -> str:
        """What the node has logged since the last look, in whole lines."""
        done = self._read.get(node.name, 0)
        try:
            with (node.disk / LOG).open("rb") as file:
                file.seek(done)
                text = file.read()
        except OSError:
            return ""
        whole = text[: text.rfind(b"\n") + 1]
        self._read[node.name] = done + len(whole)
        return whole.decode(errors="replace")
