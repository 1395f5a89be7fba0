"""A bad network between an agent and its BMC: a UDP proxy whose faults have a seed.

``Trouble`` says what happens to packets, ``Fate`` decides it for each of them: the
same seed gives the n-th packet of a direction the same fate, whatever comes in between.
``Proxy`` is the real thing on loopback: it has a port for the agent, and a socket to
the BMC for each socket of the agent, so that sessions stay apart. All that went to the
BMC is kept, so that it can be sent again when everybody thinks that it is over.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import threading
import time
from dataclasses import asdict, dataclass
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import TracebackType

TO_BMC, TO_AGENT = "to the BMC", "to the agent"
Address = tuple[Any, ...]
LOOK_S = 0.1  # how often the thread looks whether it is to end


@dataclass(frozen=True)
class Trouble:
    """What a network does: shares of all packets, seconds, and silences.

    loss, twice     the share that is lost, or comes twice
    late, late_s    the share that is held back for up to so long, and overtaken
    delay_s         every packet takes so long, and ``jitter_s`` at most in addition
    copies_s        every packet to the BMC comes again, so long after the first
    deaf_after, mute_after
                    so many packets reach the BMC, or the agent; then none
    session_packets     so many packets with a session number reach the BMC in each
                    session: silence after login
    silences        from and until when nothing comes through, ``one_way`` or both
    seed            of all that is random
    """

    loss: float = 0.0
    twice: float = 0.0
    late: float = 0.0
    late_s: float = 3.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    copies_s: tuple[float, ...] = ()
    deaf_after: int | None = None
    mute_after: int | None = None
    session_packets: int | None = None
    silences: tuple[tuple[float, float], ...] = ()
    one_way: str = ""
    seed: int = 0

    def __str__(self) -> str:
        told = asdict(self).items()
        usual = asdict(Trouble())
        return ", ".join(
            f"{name}={value}" for name, value in told if value != usual[name]
        )


class Fate:
    """Decides about each packet of one direction; pure."""

    def __init__(self, trouble: Trouble, direction: str) -> None:
        self.trouble = trouble
        self._direction = direction
        self._numbers = itertools.count()
        self._sessions: dict[bytes, int] = {}

    def delays(self, packet: bytes, elapsed_s: float) -> list[float]:
        """Return after how many seconds each copy of the next packet goes on."""
        number = next(self._numbers)
        trouble = self.trouble
        chance = Random(f"{trouble.seed} {self._direction} {number}")
        is_lost = chance.random() < trouble.loss
        is_twice = chance.random() < trouble.twice
        is_late = chance.random() < trouble.late
        late_s = [chance.uniform(0, trouble.late_s) for _ in range(2)]
        jitter_s = [chance.uniform(0, trouble.jitter_s) for _ in range(2)]
        if is_lost or self._is_silent(number, elapsed_s) or self._is_over(packet):
            return []
        delays = [trouble.delay_s + jitter_s[0] + is_late * late_s[0]]
        if is_twice:
            delays.append(trouble.delay_s + jitter_s[1] + is_late * late_s[1])
        if self._direction == TO_BMC:
            delays += trouble.copies_s
        return delays

    def _is_silent(self, number: int, elapsed_s: float) -> bool:
        trouble = self.trouble
        to_bmc = self._direction == TO_BMC
        most = trouble.deaf_after if to_bmc else trouble.mute_after
        if most is not None and number >= most:
            return True
        if trouble.one_way and trouble.one_way != self._direction:
            return False
        return any(begin <= elapsed_s < end for begin, end in trouble.silences)

    def _is_over(self, packet: bytes) -> bool:
        """Tell whether this session has had its packets."""
        if self.trouble.session_packets is None or self._direction != TO_BMC:
            return False
        session = packet[6:10]
        if packet[4:5] != b"\x06" or session == bytes(4):
            return False
        seen = self._sessions.get(session, 0)
        self._sessions[session] = seen + 1
        return seen >= self.trouble.session_packets


class Kept(NamedTuple):
    """A packet that went to the BMC: when, from whom, and the packet."""

    at_s: float
    peer: Address
    packet: bytes


class Proxy:
    """A port on loopback that stands for a BMC while its context lasts.

    ``seen`` and ``dropped`` count packets by direction.
    """

    def __init__(
        self, port: int, trouble: Trouble | None = None, host: str = "127.0.0.1"
    ) -> None:
        self.trouble = trouble or Trouble()
        self.host = host
        self.seen = {TO_BMC: 0, TO_AGENT: 0}
        self.dropped = {TO_BMC: 0, TO_AGENT: 0}
        self.kept: list[Kept] = []
        self._bmc: Address = (host, port)
        self._fates = {way: Fate(self.trouble, way) for way in self.seen}
        self._front = self._socket()
        self._front.bind((host, 0))
        self.port: int = self._front.getsockname()[1]
        self._backs: dict[Address, socket.socket] = {}
        self._due: list[tuple[float, int, socket.socket, bytes, Address]] = []
        self._count = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._front, selectors.EVENT_READ, None)
        self._begin = time.monotonic()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._selector.close()
        for each in (self._front, *self._backs.values()):
            each.close()

    def replay(self, kept: list[Kept] | None = None) -> int:
        """Send to the BMC again what went there; return how many packets that were."""
        again = list(self.kept) if kept is None else kept
        for packet in again:
            self._backs[packet.peer].sendto(packet.packet, self._bmc)
        return len(again)

    def _socket(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.setblocking(False)
        return made

    def _run(self) -> None:
        while not self._is_over.is_set():
            for key, _ in self._selector.select(self._patience_s()):
                self._read(key)
            self._send_due()

    def _patience_s(self) -> float:
        if not self._due:
            return LOOK_S
        return min(LOOK_S, max(0.0, self._due[0][0] - time.monotonic()))

    def _read(self, key: selectors.SelectorKey) -> None:
        sock = key.fileobj
        assert isinstance(sock, socket.socket)
        try:
            packet, sender = sock.recvfrom(4096)
        except OSError:
            return  # nobody listens there: the agent is to see silence
        if key.data is None:
            self._pass_on(TO_BMC, packet, self._back(sender), self._bmc, sender)
        else:
            self._pass_on(TO_AGENT, packet, self._front, key.data, sender)

    def _back(self, peer: Address) -> socket.socket:
        """Return the socket to the BMC that belongs to a socket of the agent."""
        if peer not in self._backs:
            back = self._socket()
            self._backs[peer] = back
            self._selector.register(back, selectors.EVENT_READ, peer)
        return self._backs[peer]

    def _pass_on(
        self,
        way: str,
        packet: bytes,
        sock: socket.socket,
        target: Address,
        sender: Address,
    ) -> None:
        now = time.monotonic()
        self.seen[way] += 1
        if way == TO_BMC:
            self.kept.append(Kept(now, sender, packet))
        delays = self._fates[way].delays(packet, now - self._begin)
        self.dropped[way] += not delays
        for delay_s in delays:
            entry = (now + delay_s, next(self._count), sock, packet, target)
            heapq.heappush(self._due, entry)

    def _send_due(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            _, _, sock, packet, target = heapq.heappop(self._due)
            try:
                sock.sendto(packet, target)
            except OSError:
                continue  # who waited for it has left
