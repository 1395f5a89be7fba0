"""A network, a clock and BMCs in memory, for the agent's real session code.

``World`` is the time: it moves only when somebody waits, and carries out on the way
what was due. ``Wires`` is the network effect that the agent gets; each host is a
``Link`` to a scripted server, with troubles of its own. ``LyingNode`` is the truth.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from typing import TYPE_CHECKING, Callable

from bmc.node import Node
from bmc.proxy import TO_AGENT, TO_BMC, Fate, Trouble

from vmha.agents.protocol.deadline import Deadline
from vmha.fence.ipmi.network import Network

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bmc.plan import Plan
    from bmc.rmcp import Server

    from vmha.fence.ipmi.network import Channel
    from vmha.fence.protocol.names import Address

SHORTEST_S = 0.0002  # no packet and no pause takes no time at all


class World:
    """Virtual time, and what happens in it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def clock(self) -> float:
        """Return the virtual seconds."""
        return self.now

    def deadline(self, seconds: float) -> Deadline:
        """Return a deadline in virtual time."""
        return Deadline(seconds, self.clock, self.sleep)

    def after(self, delay_s: float, action: Callable[[], None]) -> None:
        """Let something happen later."""
        at_s = self.now + max(delay_s, SHORTEST_S)
        heapq.heappush(self._due, (at_s, next(self._order), action))

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        assert seconds >= 0
        end = self.now + max(seconds, SHORTEST_S)
        while self.step(end):
            pass

    def step(self, end: float) -> bool:
        """Go on to the next event, or to the end if there is none before."""
        if self._due and self._due[0][0] <= end:
            self.now, _, action = heapq.heappop(self._due)
            action()
            return True
        self.now = max(self.now, end)
        return False


class Link:
    """The way from the agent to one BMC, and what goes wrong on it.

    With ``echo_s`` everything that reaches the BMC comes again that much later.
    """

    def __init__(
        self, world: World, server: Server, trouble: Trouble, echo_s: float = 0.0
    ) -> None:
        self.world = world
        self.server = server
        self.echo_s = echo_s
        self.is_cut = False
        self._begin = world.now
        self._fates = {way: Fate(trouble, way) for way in (TO_BMC, TO_AGENT)}

    def cut(self) -> None:
        """Carry nothing any more."""
        self.is_cut = True

    def carry(self, way: str, packet: bytes, hand_in: Callable[[], None]) -> None:
        """Have a packet arrive as often and as late as its fate is."""
        if self.is_cut:
            return
        elapsed_s = self.world.now - self._begin
        for delay_s in self._fates[way].delays(packet, elapsed_s):
            self.world.after(delay_s, hand_in)
            if way == TO_BMC and self.echo_s:
                self.world.after(delay_s + self.echo_s, hand_in)


class Line:
    """A channel of the agent: its packets go to the server, answers come back."""

    is_refused = False

    def __init__(self, link: Link) -> None:
        self._link = link
        self._arrived: deque[bytes] = deque()

    def send(self, packet: bytes) -> None:
        """Send a packet to the BMC."""
        self._link.carry(TO_BMC, packet, lambda: self._reach_bmc(packet))

    def receive(self, wait_s: float) -> bytes:
        """Return the next packet; time passes until it is there."""
        world = self._link.world
        end = world.now + max(wait_s, SHORTEST_S)
        while not self._arrived and world.step(end):
            pass
        return self._arrived.popleft() if self._arrived else b""

    def close(self) -> None:
        """Leave; what still arrives is not read."""

    def _reach_bmc(self, packet: bytes) -> None:
        for answer in self._link.server.receive(packet, id(self)):
            self._link.carry(TO_AGENT, answer, lambda a=answer: self._arrive(a))  # type: ignore[misc]

    def _arrive(self, packet: bytes) -> None:
        self._arrived.append(packet)


class Wires(Network):
    """The network effect of the agent: hosts by name, each a link."""

    def __init__(self, world: World, links: Mapping[str, Link]) -> None:
        super().__init__()
        self._world = world
        self._links = links

    def resolve(self, host: str, port: int, wait_s: float) -> list[Address]:
        """Return the one address of a host."""
        if host not in self._links:
            raise OSError(-2, "Name or service not known")
        return [(0, 0, 0, "", (host, port))]

    def connect(self, address: Address) -> Channel:
        """Return a line to the host."""
        return Line(self._links[address[4][0]])  # type: ignore[return-value]

    def clock(self) -> float:
        """Return the virtual seconds."""
        return self._world.now


class LyingNode(Node):
    """A node whose BMC shows the contrary of the truth in some looks of the agent.

    ``looks`` counts the agent's looks, however often a look's request arrives: the
    fault model has no two false looks in a row, and a lost answer must not make some.
    An off that reaches a node which is off does nothing.
    """

    def __init__(
        self, plan: Plan, clock: Callable[[], float], lies: Collection[int] = ()
    ) -> None:
        super().__init__(plan, clock)
        self.lies = lies
        self.looks = 0

    def show(self) -> bool:
        """Answer a read."""
        return self.is_on != (self.looks in self.lies)

    def _plan_changes(self, name: str, now: float) -> None:
        is_off = not self.is_on  # also carries out what is due
        if not (name == "off" and is_off and not self._due):
            super()._plan_changes(name, now)
