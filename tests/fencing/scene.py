"""How a situation is brought about: a BMC, the network before it, the node behind it.

Most scenes are played with ipmi_sim, the rest with the scripted BMC. Either way the
true power of the node over time is known, whatever the BMC says of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bmc.calls import Reachable
from bmc.listener import Listener
from bmc.node import Change
from bmc.plan import Plan
from bmc.proxy import Proxy, Trouble
from bmc.simulator import Simulator

ORDERS = {"set power 0": "off", "set power 1": "on"}


@dataclass(frozen=True)
class Scene:
    """A BMC and its misbehaviour.

    chassis    faults of ipmi_sim's chassis, see ``bmc/chassis.py``
    scripted   a plan for the scripted BMC, in place of ipmi_sim
    network    what befalls packets
    is_on      the true power before
    is_frozen  nothing answers, the port is open
    """

    chassis: Mapping[str, Any] = field(default_factory=dict)
    scripted: Plan | None = None
    network: Trouble | None = None
    is_on: bool = True
    is_frozen: bool = False

    def seeded(self, seed: int) -> Scene:
        """Return the scene with this seed for what is random in its network."""
        if self.network is None:
            return self
        return replace(self, network=replace(self.network, seed=seed))


class Truth:
    """The true power of a node over time, and the orders that reached its chassis."""

    def __init__(self, bmc: Simulator | Listener, is_on: bool) -> None:
        self._bmc = bmc
        self._was_on = is_on

    def changes(self) -> list[Change]:
        """Return the true power from each point in time on, the first one first."""
        if isinstance(self._bmc, Simulator):
            return [Change(0.0, self._was_on), *self._bmc.changes()[1:]]
        self._bmc.node.was_on(time.monotonic())
        return list(self._bmc.node.changes)

    def orders(self) -> list[str]:
        """Return "off", "on" and the like as they came."""
        if isinstance(self._bmc, Simulator):
            return [ORDERS.get(order, order) for order in self._bmc.orders()]
        return self._bmc.node.names()


@contextmanager
def staged(scene: Scene, folder: Path) -> Iterator[tuple[Reachable, Truth]]:
    """Bring a scene about; give what an agent talks to, and the truth."""
    with ExitStack() as stack:
        bmc: Simulator | Listener
        if scene.scripted is None:
            bmc = stack.enter_context(Simulator(folder))
            bmc.plan(**scene.chassis)
            bmc.set_power(int(scene.is_on))
            if scene.is_frozen:
                bmc.freeze()
        else:
            plan = replace(scene.scripted, is_on=scene.is_on)
            bmc = stack.enter_context(Listener(plan))
        face: Reachable = bmc
        if scene.network is not None:
            face = stack.enter_context(Proxy(bmc.port, scene.network))
        yield face, Truth(bmc, scene.is_on)
