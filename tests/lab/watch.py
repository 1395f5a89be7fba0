"""The witness for "never two copies": what really executes, where, and when.

Two independent signs are sampled over all nodes, many times a second, with the
monotonic clock. The first is the processor time of each QEMU's virtual CPU: it grows
only while the guest executes; a process that waits for a migration, or is paused, has
none. The second is the guest's own counter on each node's console file. Two copies of a
guest have executed together when one of them executes after the other began and before
it ended; a live migration, which hands over, never shows that.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import TimedOut
from .files import SERIALS
from .guest import Tick, guest_name, ticks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    from .node import Node

SAMPLE_S = 0.02
SEARCH_S = 0.1
# A fresh thread uses half a millisecond before the guest's first instruction; a guest
# that does nothing but tick uses two for each tick. All in nanoseconds.
BIRTH_NS = 1_000_000
GROWN_NS = 200_000
# A thread that is killed may be the one that gives the memory back: two milliseconds
# and more that are the kernel's work, not the guest's (PF_EXITING, proc(5), flags).
EXITING = 0x4
FLAGS = 6  # the place of the flags behind the name


@dataclass(frozen=True)
class Sighting:
    """A tick, the node on whose console it was seen, and when (monotonic)."""

    time_s: float
    node: str
    tick: Tick


@dataclass
class Copy:
    """One QEMU process of a guest: when its virtual CPU was seen to have worked.

    What is seen in one look was done at some instant since the look before, which
    ``proven_s`` names for the last work seen: a busy machine may lie between the two.
    """

    guest: str
    node: str
    pid: int
    worked_s: list[float] = field(default_factory=list)
    proven_s: float = 0.0
    ended_s: float | None = None

    @property
    def began_s(self) -> float:
        return self.worked_s[0]

    @property
    def last_s(self) -> float:
        return self.worked_s[-1]


def together(spans: Sequence[tuple[float, float]]) -> int:
    """How many of these spans (began, last) overlap at most.

    Touching is not overlapping: what was seen in one sample happened before it, in
    whichever order.
    """
    most = 0
    for began, last in spans:
        inside = sum(first < began < end for first, end in spans)
        alike = sum(first == began and end > began < last for first, end in spans)
        most = max(most, inside + max(alike, 1))
    return most


def overlap_s(copies: Sequence[Copy]) -> float:
    """The longest time for which two of these copies executed together."""
    spans = [(copy.began_s, copy.proven_s) for copy in copies]
    shared = [
        min(end, other_end) - max(began, other_began)
        for number, (began, end) in enumerate(spans)
        for other_began, other_end in spans[:number]
    ]
    return max([0.0, *shared])


def by_counter(sightings: Sequence[Sighting]) -> int:
    """How many copies executed together, as the guest's own counter tells.

    Different boots are different copies. Within one boot a copy that went on beside
    another repeats the other's numbers, which a migration, even there and back, never
    does.
    """
    spans: dict[str, tuple[float, float]] = {}
    said: dict[tuple[str, int], int] = {}
    for seen in sightings:
        boot = seen.tick.boot
        spans[boot] = (spans.get(boot, (seen.time_s, 0.0))[0], seen.time_s)
        number = (boot, seen.tick.count)
        said[number] = said.get(number, 0) + 1
    return max(together(list(spans.values())), max(said.values(), default=0))


class Watch:
    """Watches every guest on the given nodes from start() to stop()."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._networks = {
            os.stat(node.directory.parent.parent / "net" / node.name).st_ino: node.name
            for node in nodes
        }
        self._consoles = {node.name: node.disk / SERIALS[1:] for node in nodes}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, name="watch", daemon=True)
        self._copies: dict[tuple[int, str], _Seen] = {}
        self._sightings: dict[str, list[Sighting]] = {}
        self._read: dict[Path, int] = {}
        self.worst_gap_s = 0.0
        self.failure: Exception | None = None

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start to watch; what the consoles hold already is not seen."""
        for directory in self._consoles.values():
            for console in _serials(directory):
                self._read[console] = console.stat().st_size
        self._thread.start()

    def stop(self) -> None:
        """End the watch; raises what broke it, for then it has proved nothing."""
        self._stop.set()
        self._thread.join(30)
        if self.failure is not None:
            raise self.failure

    def guests(self) -> list[str]:
        """The guests that were seen at all."""
        with self._lock:
            names = {seen.copy.guest for seen in self._copies.values()}
            return sorted(names | set(self._sightings))

    def copies(self, guest: str) -> list[Copy]:
        """The copies of a guest that executed, in the order they began."""
        with self._lock:
            found = [
                Copy(
                    seen.copy.guest,
                    seen.copy.node,
                    seen.copy.pid,
                    list(seen.copy.worked_s),
                    seen.copy.proven_s,
                    seen.copy.ended_s,
                )
                for seen in self._copies.values()
                if seen.copy.guest == guest and seen.copy.worked_s
            ]
        return sorted(found, key=lambda copy: copy.began_s)

    def sightings(self, guest: str, since_s: float = 0.0) -> list[Sighting]:
        """The guest's ticks in the order they were seen, from an instant on."""
        with self._lock:
            seen = list(self._sightings.get(guest, ()))
        return [one for one in seen if one.time_s >= since_s]

    def most_copies(self, guest: str) -> int:
        """The most copies of a guest that executed together, by either sign."""
        by_processor = [(copy.began_s, copy.proven_s) for copy in self.copies(guest)]
        return max(together(by_processor), by_counter(self.sightings(guest)))

    def executing(self, guest: str, within_s: float = 0.5) -> list[str]:
        """The nodes on which the guest has executed just now."""
        since = time.monotonic() - within_s
        return [copy.node for copy in self.copies(guest) if copy.last_s >= since]

    def first_execution(
        self, guest: str, since_s: float, node: str = "", not_on: str = ""
    ) -> float | None:
        """When a copy (on this node, not on that) first executed after an instant."""
        found = [
            when
            for copy in self.copies(guest)
            if (not node or copy.node == node) and copy.node != not_on
            for when in copy.worked_s
            if when >= since_s
        ]
        return min(found, default=None)

    def first_tick(
        self, guest: str, since_s: float, node: str = "", not_on: str = ""
    ) -> Sighting | None:
        """The first tick (on this node, or not on that) seen after an instant."""
        for seen in self.sightings(guest, since_s):
            if (not node or seen.node == node) and seen.node != not_on:
                return seen
        return None

    def wait_tick(
        self,
        guest: str,
        since_s: float,
        timeout_s: float,
        node: str = "",
        not_on: str = "",
    ) -> Sighting:
        """Wait for a tick; raises TimedOut."""
        ends = time.monotonic() + timeout_s
        while True:
            found = self.first_tick(guest, since_s, node, not_on)
            if found is not None:
                return found
            if self.failure is not None:
                raise self.failure
            if time.monotonic() > ends:
                place = f" on {node}" if node else ""
                raise TimedOut(f"{guest} has not ticked{place} within {timeout_s:g} s")
            time.sleep(SAMPLE_S)

    def blackout_s(self, guest: str, since_s: float = 0.0) -> float:
        """The longest time between two ticks that were seen one after the other."""
        times = [seen.time_s for seen in self.sightings(guest, since_s)]
        return max((b - a for a, b in zip(times, times[1:])), default=0.0)

    def unbroken(self, guest: str, since_s: float = 0.0) -> bool:
        """Whether the ticks are those of one boot and none is missing or repeated."""
        seen = [one.tick for one in self.sightings(guest, since_s)]
        boots = {tick.boot for tick in seen}
        counts = [tick.count for tick in seen]
        whole = counts == list(range(counts[0], counts[0] + len(counts))) if seen else 0
        return bool(whole) and len(boots) == 1

    def _live(self) -> None:
        try:
            searched = last = 0.0
            while not self._stop.is_set():
                now = time.monotonic()
                if last:
                    self.worst_gap_s = max(self.worst_gap_s, now - last)
                last = now
                if now - searched >= SEARCH_S:
                    searched = now
                    self._search()
                self._sample()
                self._listen()
                self._stop.wait(SAMPLE_S)
        except Exception as error:  # noqa: BLE001 - a broken witness must say so
            self.failure = error

    def _search(self) -> None:
        """Find the QEMU processes that are new."""
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            comm, started = _identity(entry)
            key = (int(entry), started)
            if comm.startswith("qemu-system") and key not in self._copies:
                self._meet(key)

    def _meet(self, key: tuple[int, str]) -> None:
        pid = key[0]
        try:
            node = self._networks.get(os.stat(f"/proc/{pid}/ns/net").st_ino)
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            return
        guest = guest_name(words)
        if node is None or not guest:
            return
        with self._lock:
            self._copies[key] = _Seen(Copy(guest, node, pid))

    def _sample(self) -> None:
        for (pid, started), seen in self._copies.items():
            if seen.copy.ended_s is not None:
                continue
            spent = seen.spent_ns()
            now = time.monotonic()
            before, seen.looked_s = seen.looked_s, now
            if spent is None and _identity(str(pid))[1] != started:
                seen.copy.ended_s = now
            if spent is None or spent < BIRTH_NS or spent - seen.last_ns < GROWN_NS:
                continue
            seen.last_ns = spent
            with self._lock:
                seen.copy.worked_s.append(now)
                seen.copy.proven_s = max(before, seen.copy.began_s)

    def _listen(self) -> None:
        for node, directory in self._consoles.items():
            for console in _serials(directory):
                text = self._news(console)
                now = time.monotonic()
                found = [Sighting(now, node, tick) for tick in ticks(text)]
                if found:
                    with self._lock:
                        self._sightings.setdefault(console.stem, []).extend(found)

    def _news(self, console: Path) -> str:
        """What was written since the last look, up to the last whole line."""
        done = self._read.get(console, 0)
        try:
            size = console.stat().st_size
            if size == done:
                return ""
            with console.open("rb") as file:
                file.seek(done if size > done else 0)
                text = file.read()
        except OSError:
            return ""
        whole = text[: text.rfind(b"\n") + 1]
        self._read[console] = (done if size > done else 0) + len(whole)
        return whole.decode(errors="replace")


class _Seen:
    """A copy with what the sampling needs to know about it."""

    def __init__(self, copy: Copy) -> None:
        self.copy = copy
        self.last_ns = 0
        self.looked_s = 0.0
        self._threads: list[str] = []

    def spent_ns(self) -> int | None:
        """The processor time of the virtual CPUs.

        None when it cannot be read, or is not the guest's any more: what was read
        before the threads were seen to live was used by living ones.
        """
        try:
            if not self._threads:
                self._threads = _vcpus(self.copy.pid)
            total = 0
            for thread in self._threads:
                with open(f"{thread}/schedstat", encoding="ascii") as stat:
                    total += int(stat.read().split()[0])
            if any(is_exiting(thread) for thread in self._threads):
                return None
        except (OSError, ValueError, IndexError):
            return None
        return total if self._threads else None


def _vcpus(pid: int) -> list[str]:
    """The threads of a QEMU's virtual CPUs in /proc (libvirt names them)."""
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
            if file.read().startswith("CPU "):
                found.append(f"/proc/{pid}/task/{thread}")
    return found


def is_exiting(thread: str) -> bool:
    """Whether a thread, by its folder in /proc, is on its way out of the kernel."""
    with open(f"{thread}/stat", encoding="utf-8", errors="replace") as stat:
        flags = stat.read().rpartition(")")[2].split()[FLAGS]
    return bool(int(flags) & EXITING)


def _identity(pid: str) -> tuple[str, str]:
    """Name and start time of a process; empty when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            head, _, tail = file.read().rpartition(")")
    except OSError:
        return "", ""
    return head.partition("(")[2], tail.split()[19]


def _serials(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.serial"))
