"""A rack controller: it switches one of the power supplies of every node.

Another device than the BMCs, which live on the power they switch: it answers when a
node is dead to the last wire. One ipmi_sim per rack controller, with a management
controller per outlet, so that freezing it silences all outlets at once. A node is cut
only when every supply that a rack controller feeds is off, and starts by itself when
the first one is given back, as servers do that are set to. Made by Lab.rack().
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import network
from .plan import BMC_PASSWORD, BMC_USER
from .simulator import PORT, Controller, Simulator

if TYPE_CHECKING:
    from .plan import Plan


class Rack:
    """One rack controller, ``a`` or ``b``: an outlet, with an address, per node."""

    user = BMC_USER
    password = BMC_PASSWORD
    port = PORT

    def __init__(self, plan: Plan, name: str) -> None:
        self._plan = plan
        self.name = name
        self._simulator = Simulator(
            f"rack-{name}",
            plan.directory / f"rack-{name}",
            plan.hub,
            [
                Controller(
                    f"{node}-{name}",
                    [self.address(node)],
                    f"{plan.directory}/chassis {plan.node_directory(node)} feed {name}",
                )
                for node in plan.names()
            ],
        )

    def address(self, node: str) -> str:
        """Where the outlet of a node is switched."""
        return self._plan.outlet_address(self.name, node)

    def start(self) -> None:
        """Feed every node and answer."""
        for node in self._plan.names():
            network.announce(self._plan, self.address(node))
        self.feed()
        self._simulator.prepare()
        self._simulator.start()

    def feed(self) -> None:
        """Every outlet is on."""
        for node in self._plan.names():
            feeds = self._plan.node_directory(node) / "feeds"
            feeds.mkdir(exist_ok=True)
            (feeds / self.name).write_text("on\n")

    def freeze(self) -> None:
        """No outlet answers until thaw()."""
        self._simulator.freeze()

    def thaw(self) -> None:
        self._simulator.thaw()

    def recover(self) -> None:
        """Answer again, with every outlet on; the nodes' own power stays as it is."""
        self.thaw()
        self.feed()
