"""An agent that SIGKILLs itself at a chosen call into libvirt.

``build`` makes the executable: the agent of this checkout, with libvirt's C library
behind a counter. It sees every call, however the agent comes to it. Without a kill
point it is the agent as it is; the calls of each run are written to CALLS.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.ocf_root import CHECKOUT, FIRST_LINE

from hosts.host import Host
from hosts.operation import Resource

CALLS = "/run/guests/calls"
POINT = "VMHA_TEST_KILL"

# Local questions to an object at hand are no calls: nothing reaches a daemon.
HOOK = f"""
import os
if {POINT!r} in os.environ:
    import _thread, signal, time, libvirt
    edge, number, delay_s = os.environ[{POINT!r}].split()
    count, counting = 0, _thread.allocate_lock()
    log = os.open({CALLS!r}, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    local = ("Free", "Ref", "GetName", "GetUUIDString", "Error", "ErrorHandler")

    def die():
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)

    def die_later():
        time.sleep(float(delay_s))
        die()

    class Door:
        def __init__(self, real):
            self.real = real

        def __getattr__(self, name):
            found = getattr(self.real, name)
            if not name.startswith("vir") or name.endswith(local):
                return found
            def call(*args, **named):
                global count
                with counting:
                    count += 1
                    own = count
                    mine = own == int(number)
                if mine and edge == "before":
                    die()
                if mine and edge == "during":
                    _thread.start_new_thread(die_later, ())
                began = time.monotonic()
                try:
                    return found(*args, **named)
                finally:
                    took_s = time.monotonic() - began
                    os.write(log, f"{{own}} {{name}} {{took_s}}\\n".encode())
                    if mine and edge == "after":
                        die()
            return call

    libvirt.libvirtmod = Door(libvirt.libvirtmod)
"""


@dataclass(frozen=True)
class KillPoint:
    """Before or after a call, counted from 1, or some seconds after it began."""

    edge: str
    number: int
    delay_s: float = 0.0

    def __str__(self) -> str:
        later = f" {self.delay_s:.2f} s" if self.delay_s else ""
        return f"killed{later} {self.edge} call {self.number}"


NEVER = KillPoint("never", 0)


@dataclass(frozen=True)
class Call:
    """A call of a run that was not killed, and how long it took."""

    name: str
    seconds: float


def drawn(chance: random.Random, calls: list[Call], share: float) -> KillPoint:
    """Draw a kill point: beside a call near a share (0 to 1) of all, or at any moment.

    A moment falls into the calls that take long: there the daemons work on.
    """
    edge = chance.choice(("before", "after", "during"))
    if edge != "during":
        return KillPoint(edge, 1 + min(len(calls) - 1, int(share * len(calls))))
    moment_s = share * sum(call.seconds for call in calls)
    number = 0
    while moment_s > calls[number].seconds and number < len(calls) - 1:
        moment_s -= calls[number].seconds
        number += 1
    return KillPoint(edge, number + 1, moment_s)


class Mortal(Resource):
    """A resource whose next operations end at a kill point."""

    point: KillPoint | None = None

    def environment(
        self,
        host: Host,
        action: str,
        timeout_s: float,
        interval_s: float,
        meta: Mapping[str, str],
    ) -> dict[str, str]:
        """Return what the executor gives, and the kill point."""
        given = super().environment(host, action, timeout_s, interval_s, meta)
        if self.point is None:
            return given
        at = self.point
        return {**given, POINT: f"{at.edge} {at.number} {at.delay_s}"}

    def mortal(self, point: KillPoint) -> Mortal:
        """Return the same resource, to be killed."""
        same = Mortal(self.agent, self.instance, **self.parameters)
        same.point = point
        return same


def build(folder: Path) -> Path:
    """Write the executable below ``folder`` and return its path."""
    path = folder / "resource.d/vmha/VirtualMachine"
    path.parent.mkdir(parents=True)
    text = (CHECKOUT / "agents/resource.d/VirtualMachine").read_text()
    see = f"import sys; sys.path.insert(0, {str(CHECKOUT / 'tests/path')!r})\n"
    path.write_text(FIRST_LINE + see + HOOK + text.removeprefix(FIRST_LINE))
    path.chmod(0o755)
    return path


def calls(host: Host) -> list[Call]:
    """Return the calls of the last run with a kill point on a host, in their order."""
    lines = [line.split() for line in host.path(CALLS).read_text().splitlines()]
    lines.sort(key=lambda line: int(line[0]))
    return [Call(name, float(seconds)) for _, name, seconds in lines]
