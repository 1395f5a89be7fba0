"""ipmi_sim as a process: its settings, its start, its freezing.

Used by bmc.py and rack.py. One process holds one or more management controllers; each
answers on one or more addresses of the bridge, port 623, and each has a program as its
hand on the power (``chassis``). Undocumented but true: a controller's LAN channels are
so many networks that reach the same controller.
"""

from __future__ import annotations

import signal
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabError, TimedOut
from .plan import BMC_OPERATOR, BMC_PASSWORD, BMC_USER
from .processes import Process, spawn

if TYPE_CHECKING:
    from collections.abc import Sequence

PORT = 623
FIRST_MC = 0x20
LISTENS_S = 20.0
CONTROLLER = """\
set_working_mc {mc:#x}
{channels}chassis_control "{hand}"
user 1 true "" "nobody" user 10 none md2 md5 straight
user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
user 3 true "{operator}" "{password}" operator 10 none md2 md5 straight
"""
CHANNEL = """\
  startlan {number}
    addr {address} {port}
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid {guid}
  endlan
"""
EMULATED = """\
mc_add {mc:#x} 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
mc_enable {mc:#x}
"""


@dataclass(frozen=True)
class Controller:
    """One management controller: its name, its addresses, its hand on the power."""

    name: str
    addresses: Sequence[str]
    hand: str


class Simulator:
    """The process; ``directory`` is its own, ``network`` the namespace it is in."""

    def __init__(
        self,
        name: str,
        directory: Path,
        network: Path,
        controllers: Sequence[Controller],
    ) -> None:
        self.name = name
        self.directory = directory
        self._network = network
        self._controllers = controllers
        self._record = directory / "process"

    def prepare(self) -> None:
        """Write the settings."""
        (self.directory / "state").mkdir(parents=True)
        lan, emulation = f'name "{self.name}"\n', f"mc_setbmc {FIRST_MC:#x}\n"
        for position, controller in enumerate(self._controllers):
            mc = FIRST_MC + 2 * position
            lan += _settings(controller, mc)
            emulation += EMULATED.format(mc=mc)
        (self.directory / "lan.conf").write_text(lan)
        (self.directory / "sim.emu").write_text(emulation)

    def start(self) -> None:
        """Start it; it answers when this returns."""
        own = self.directory
        argv = ["nsenter", f"--net={self._network}", "--", "ipmi_sim", "-n"]
        argv += ["-c", f"{own}/lan.conf", "-f", f"{own}/sim.emu", "-s", f"{own}/state"]
        process = spawn(argv, own / "log")
        process.write(self._record)
        self._wait_until_it_listens(process)

    def process(self) -> Process | None:
        """The process on record, or None."""
        return Process.read(self._record)

    def freeze(self) -> None:
        """Nothing is answered until thaw()."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        process = self.process()
        if process is None or not process.alive():
            raise LabError(f"{self.name} does not run")
        process.signal(number)

    def _wait_until_it_listens(self, process: Process) -> None:
        """Its sockets show in the namespace's table: local address, in hex."""
        wanted = [_hex(a) for one in self._controllers for a in one.addresses]
        ends = time.monotonic() + LISTENS_S
        while True:
            table = Path(f"/proc/{process.pid}/net/udp")
            if not process.alive():
                said = (self.directory / "log").read_text()[-300:]
                raise LabError(f"{self.name} does not start: {said}")
            text = table.read_text()
            if all(local in text for local in wanted):
                return
            if time.monotonic() > ends:
                raise TimedOut(f"{self.name} does not listen after {LISTENS_S:g} s")
            time.sleep(0.02)


def _settings(controller: Controller, mc: int) -> str:
    """The lines of one controller; its GUID is the same on all its addresses."""
    guid = uuid.uuid5(uuid.NAMESPACE_DNS, controller.name).hex
    channels = "".join(
        CHANNEL.format(number=number, address=address, port=PORT, guid=guid)
        for number, address in enumerate(controller.addresses, 1)
    )
    return CONTROLLER.format(
        mc=mc,
        channels=channels,
        hand=controller.hand,
        user=BMC_USER,
        operator=BMC_OPERATOR,
        password=BMC_PASSWORD,
    )


def _hex(address: str) -> str:
    octets = [int(part) for part in address.split(".")]
    return "".join(f"{octet:02X}" for octet in reversed(octets)) + f":{PORT:04X}"
