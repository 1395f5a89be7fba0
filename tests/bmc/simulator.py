"""Real BMCs for tests: ipmi_sim processes on loopback, each with a chassis of its own.

A ``Simulator`` owns its folder, its UDP port and its process. It is ready when its
port answers an RMCP ping, is frozen with SIGSTOP, and ends with its context. What its
chassis was asked, and how it misbehaves, are files (see ``chassis.py``).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bmc.node import Change

if TYPE_CHECKING:
    from types import TracebackType

CHASSIS = Path(__file__).with_name("chassis.py")
PASSWORD = "tell-nobody-1"
READY_S = 10.0
# RMCP presence ping, IPMI 2.0, table 13-6.
PING = bytes.fromhex("0600ff06 000011be 80000000")

LAN = """\
name "simulated"
set_working_mc 0x20
startlan 1
  addr {address} {port}
  priv_limit admin
  allowed_auths_callback none md2 md5 straight
  allowed_auths_user none md2 md5 straight
  allowed_auths_operator none md2 md5 straight
  allowed_auths_admin none md2 md5 straight
  guid a123456789abcdefa123456789abcdef
  {key}
endlan
chassis_control "{chassis} {folder}"
user 2 true "admin" "{password}" admin 10
user 3 true "operator" "{password}" operator 10
"""

EMULATOR = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""


def free_port() -> int:
    """Return a UDP port that nobody used a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Simulator:
    """One simulated BMC and the power of the node behind it."""

    host = "127.0.0.1"

    def __init__(
        self,
        folder: Path,
        port: int | None = None,
        key: str | None = None,
        address: str = "127.0.0.1",
    ) -> None:
        self.folder = folder
        self.address = address
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "state").mkdir(parents=True)
        (folder / "bmc.emu").write_text(EMULATOR)
        text = LAN.format(
            address=address,
            port=self.port,
            key=f'bmc_key "{key}"' if key else "",
            chassis=CHASSIS,
            folder=folder,
            password=PASSWORD,
        )
        (folder / "lan.conf").write_text(text)
        (folder / "log").write_text("")

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, wrapper: tuple[str, ...] = ()) -> None:
        """Start the BMC and return when it answers."""
        command = ["ipmi_sim", "-n", "-c", "lan.conf", "-f", "bmc.emu", "-s", "state"]
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [*wrapper, *command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not wrapper:
            self._wait_ready(time.monotonic() + READY_S)

    def stop(self) -> None:
        """End the BMC, also a frozen one."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let the BMC hang: its port stays open, nothing answers."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the BMC go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def plan(self, **faults: object) -> None:
        """Say how the chassis misbehaves from now on; see ``chassis.py``."""
        for counter in self.folder.glob("*.count"):
            counter.unlink()
        (self.folder / "plan.json").write_text(json.dumps(faults))

    def set_power(self, power: int) -> None:
        """Set the true power, without anybody asking."""
        (self.folder / "off_at").unlink(missing_ok=True)
        (self.folder / "power").write_text(str(power))

    @property
    def power(self) -> int:
        """Return the true power."""
        answer = subprocess.run(
            [sys.executable, "-I", CHASSIS, self.folder, "peek", "power"],
            check=True,
            capture_output=True,
            text=True,
        )
        return int(answer.stdout)

    def changes(self) -> list[Change]:
        """Return the true power over time; it was on before the first change."""
        pairs = [line.split() for line in self._text("changes").splitlines()]
        changes = [Change(float(at), power == "1") for at, power in pairs]
        due = self._text("off_at")
        if due and float(due) <= time.monotonic():
            changes.append(Change(float(due), False))
        return [Change(0.0, True), *changes]

    def _text(self, name: str) -> str:
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def log(self) -> list[str]:
        """Return what the chassis was asked, in order: "get power", "set power 0"."""
        lines = (self.folder / "log").read_text().splitlines()
        return [line.partition(" ")[2] for line in lines]

    def orders(self) -> list[str]:
        """Return the orders the chassis got: "set power 0" and the like."""
        return [line for line in self.log() if line.startswith("set")]

    def times(self, what: str) -> list[float]:
        """Return when, on the monotonic clock, the chassis was asked this."""
        lines = (self.folder / "log").read_text().splitlines()
        return [float(line.split()[0]) for line in lines if line.endswith(what)]

    def forget(self) -> None:
        """Empty the log."""
        (self.folder / "log").write_text("")

    def _wait_ready(self, end: float) -> None:
        assert self._process is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((self.address, self.port))
            probe.settimeout(0.05)
            while time.monotonic() < end and self._process.poll() is None:
                try:
                    probe.send(PING)
                    probe.recv(100)
                except OSError:
                    time.sleep(0.02)
                    continue
                return
        output = (self.folder / "output").read_text(errors="replace")
        raise AssertionError(f"ipmi_sim did not become ready: {output}")
