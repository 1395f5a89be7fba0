"""One real IPMI BMC per node: ipmi_sim, with the chassis script as its hand.

Called when a lab comes up and by the power commands. A BMC answers on two addresses of
its own on the bridge, as one with two network ports does, port 623, to user ``admin``;
its orders really kill and boot the node. It can be frozen, lose a network, be made
slow, or made to lie (see the script ``chassis``).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import machine, network
from .commands import run
from .errors import LabError, TimedOut
from .plan import BMC_PASSWORD, BMC_USER
from .simulator import PORT, Controller, Simulator

if TYPE_CHECKING:
    from .plan import Plan
    from .processes import Process

FAULTS = ("latency", "slow", "lie", "pretend", "deaf", "refuse")


class Bmc:
    """The BMC of one node: its settings, its process, its power switch."""

    user = BMC_USER
    password = BMC_PASSWORD
    port = PORT

    def __init__(self, plan: Plan, name: str) -> None:
        self._plan = plan
        self.name = name
        self.address = plan.bmc_address(name)
        self.second_address = plan.second_bmc_address(name)
        self.directory = plan.node_directory(name)
        hand = f"{self._chassis} {self.directory}"
        both = (self.address, self.second_address)
        self._simulator = Simulator(
            f"the BMC of {name}",
            self.directory / "bmc",
            plan.hub,
            [Controller(name, both, hand)],
        )

    def prepare(self) -> None:
        """Write the settings; the node's power is off."""
        self._simulator.prepare()
        (self.directory / "power").write_text("off\n")
        (self.directory / "program").write_text(f"{machine.__file__}\n")
        self.set_boot_delay(self._plan.boot_delay_s)

    def set_boot_delay(self, seconds: float) -> None:
        """How long the node's self-test takes when it is switched on."""
        (self.directory / "boot_delay").write_text(f"{seconds:g}\n")

    def start(self) -> None:
        """Start the BMC; it answers when this returns."""
        self._simulator.start()

    def process(self) -> Process | None:
        """The BMC's own process, for instance to freeze it."""
        return self._simulator.process()

    def freeze(self) -> None:
        """The BMC answers nothing until thaw()."""
        self._simulator.freeze()

    def thaw(self) -> None:
        self._simulator.thaw()

    def unplug(self, *addresses: str) -> None:
        """Nobody answers at these of its addresses (none named: at both)."""
        for address in addresses or (self.address, self.second_address):
            network.withdraw(self._plan, address)

    def plug(self) -> None:
        """Both addresses answer."""
        for address in (self.address, self.second_address):
            network.announce(self._plan, address)

    def set_fault(self, fault: str, value: str | None = "1") -> None:
        """Make the BMC misbehave, or (value None) behave again; see ``chassis``."""
        if fault not in FAULTS:
            raise LabError(f"a BMC has no fault {fault!r}; it has {', '.join(FAULTS)}")
        file = self.directory / "bmc" / fault
        if value is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text(f"{value}\n")

    def recover(self) -> None:
        """Undo every fault of the BMC."""
        self.thaw()
        self.plug()
        for fault in FAULTS:
            self.set_fault(fault, None)

    def power(self) -> str:
        """``on`` or ``off`` as the BMC would answer; off: the last process is gone."""
        said = run([str(self._chassis), str(self.directory), "get", "power"], 30)
        return "on" if "power:1" in said.stdout else "off"

    def switch(self, power: str, timeout_s: float = 30.0) -> None:
        """Press the power switch; for off, wait until the node is really off."""
        wanted = {"on": "1", "off": "0"}[power]
        order = [str(self._chassis), str(self.directory), "set", "power", wanted]
        run(order, timeout_s)
        ends = time.monotonic() + timeout_s
        while self.power() != power:
            if time.monotonic() > ends:
                raise TimedOut(f"{self.name} is not {power} after {timeout_s:g} s")
            time.sleep(0.02)

    def journal(self) -> list[tuple[float, str]]:
        """What happened to the node's power: seconds since boot, what."""
        try:
            lines = (self.directory / "journal").read_text().splitlines()
        except OSError:
            return []
        pairs = (line.partition(" ") for line in lines)
        return [(float(when), what) for when, _, what in pairs]

    @property
    def _chassis(self) -> Path:
        return self._plan.directory / "chassis"
