"""One real IPMI BMC per node: ipmi_sim, with the chassis script as its hand.

Called when a lab comes up and by the power commands. A BMC answers on its own address
on the bridge, port 623, to user ``admin``; its orders really kill and boot the node.
It can be frozen, made slow, or made to lie (see the script ``chassis``).
"""

from __future__ import annotations

import signal
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from . import machine
from .commands import run
from .errors import LabError, TimedOut
from .plan import BMC_PASSWORD, BMC_USER
from .processes import Process, spawn

if TYPE_CHECKING:
    from .plan import Plan

PORT = 623
LAN = """\
name "{name}"
set_working_mc 0x20
  startlan 1
    addr {address} {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid {guid}
  endlan
chassis_control "{chassis} {directory}"
user 1 true "" "nobody" user 10 none md2 md5 straight
user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""
EMULATION = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""
FAULTS = ("latency", "slow", "lie", "deaf", "refuse")


class Bmc:
    """The BMC of one node: its settings, its process, its power switch."""

    user = BMC_USER
    password = BMC_PASSWORD
    port = PORT

    def __init__(self, plan: Plan, name: str) -> None:
        self._plan = plan
        self.name = name
        self.address = plan.bmc_address(name)
        self.directory = plan.node_directory(name)
        self._record = self.directory / "bmc" / "process"

    def prepare(self) -> None:
        """Write the settings; the node's power is off."""
        own = self.directory / "bmc"
        own.mkdir()
        (own / "state").mkdir()
        (own / "lan.conf").write_text(
            LAN.format(
                name=self.name,
                address=self.address,
                port=PORT,
                guid=uuid.uuid5(uuid.NAMESPACE_DNS, self.name).hex,
                chassis=self._chassis,
                directory=self.directory,
                user=BMC_USER,
                password=BMC_PASSWORD,
            )
        )
        (own / "sim.emu").write_text(EMULATION)
        (self.directory / "power").write_text("off\n")
        (self.directory / "program").write_text(f"{machine.__file__}\n")
        self.set_boot_delay(self._plan.boot_delay_s)

    def set_boot_delay(self, seconds: float) -> None:
        """How long the node's self-test takes when it is switched on."""
        (self.directory / "boot_delay").write_text(f"{seconds:g}\n")

    def start(self) -> None:
        """Start the BMC; it answers when this returns."""
        own = self.directory / "bmc"
        argv = ["nsenter", f"--net={self._plan.hub}", "--", "ipmi_sim", "-n"]
        argv += ["-c", f"{own}/lan.conf", "-f", f"{own}/sim.emu", "-s", f"{own}/state"]
        process = spawn(argv, own / "log")
        process.write(self._record)
        self._wait_until_it_listens(process)

    def process(self) -> Process | None:
        """The BMC's own process, for instance to freeze it."""
        return Process.read(self._record)

    def freeze(self) -> None:
        """The BMC answers nothing until thaw()."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

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

    def _signal(self, number: int) -> None:
        process = self.process()
        if process is None or not process.alive():
            raise LabError(f"the BMC of {self.name} does not run")
        process.signal(number)

    def _wait_until_it_listens(self, process: Process) -> None:
        """Its socket shows in the namespace's table: local address, in hex."""
        octets = [int(part) for part in self.address.split(".")]
        local = "".join(f"{octet:02X}" for octet in reversed(octets)) + f":{PORT:04X}"
        ends = time.monotonic() + 20
        while True:
            table = Path(f"/proc/{process.pid}/net/udp")
            if not process.alive():
                said = (self.directory / "bmc" / "log").read_text()[-300:]
                raise LabError(f"the BMC of {self.name} does not start: {said}")
            if local in table.read_text():
                return
            if time.monotonic() > ends:
                raise TimedOut(f"the BMC of {self.name} does not listen after 20 s")
            time.sleep(0.02)
