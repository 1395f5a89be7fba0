"""A scripted BMC in virtual time, one or two paths to it, and the agent's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bmc.plan import Plan
from bmc.proxy import Trouble
from bmc.rmcp import Server
from bmc.simulator import PASSWORD
from unit.fence.virtual.world import Link, LyingNode, Wires, World

from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.power import Bmc
from vmha.fence.ipmi.session import open_session

if TYPE_CHECKING:
    from vmha.fence.ipmi.session import Session

PRIMARY, FALLBACK = "first", "second"


class Room:
    """A BMC that two paths lead to, and an agent."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.world = World()
        self.plan = plan or Plan()
        self.node = LyingNode(self.plan, self.world.clock)
        self.server = Server(self.plan, self.world.clock, self.node)
        self.links = {PRIMARY: self.link(self.server)}

    def link(self, server: Server, **trouble: object) -> Link:
        return Link(self.world, server, Trouble(delay_s=0.001, **trouble))  # type: ignore[arg-type]

    def access(self, **changed: object) -> Access:
        access = Access(PRIMARY, 623, b"admin", PASSWORD.encode())
        for name, value in changed.items():
            setattr(access, name, value)
        return access

    def bmc(self, **changed: object) -> Bmc:
        network = Wires(self.world, self.links)
        return Bmc(self.access(**changed), 5, 3, 0, network)

    def session(self, **changed: object) -> Session:
        network = Wires(self.world, self.links)
        return open_session(self.access(**changed), self.world.deadline(5), network)

    def add_fallback(self, plan: Plan | None = None) -> None:
        server = Server(plan, self.world.clock) if plan else self.server
        self.links[FALLBACK] = self.link(server)
