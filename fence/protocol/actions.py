"""The actions of a power fence agent, from the first read to the last word.

Called in the worker process by ``run``. The sentences on stdout are those of
fence_ipmilan, because programs compare them. Results go out as soon as they are proven:
what happens afterwards (power on, logout) cannot take them back.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import AgentError
from vmha.fence.protocol import sequence
from vmha.fence.protocol.sequence import OFF, ON, UNKNOWN
from vmha.fence.protocol.worker import LEAVING_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.protocol.sequence import Device as PowerDevice
    from vmha.fence.protocol.sequence import Reading

    class Device(PowerDevice, Protocol):
        """A power device that can be left."""

        def close(self, deadline: Deadline) -> None:
            """End what is open, in a second at most."""

    class Report(Protocol):
        """Where the worker tells its parent what it sees and what is proven."""

        def say(self, sentence: str) -> None:
            """Tell the progress."""

        def warn(self, sentence: str) -> None:
            """Tell what did not go well, though the action holds."""

        def result(self, exit_code: int, sentence: str, rest_s: float = ...) -> None:
            """Tell what is proven, and how long the rest may take."""


STATUS_IS_OFF = 2  # the fencer takes 0 and 2 as "this device can fence the node"
SECOND_HALF_S = 5.0  # for the on of a reboot: the cluster waits, and off is proven


class Limits:
    """``power_s``: from an order to its proof; ``on_orders``: how often on is sent."""

    __slots__ = ("on_orders", "power_s")

    def __init__(self, power_s: float, on_orders: int) -> None:
        self.power_s = power_s
        self.on_orders = on_orders


def carry_out(
    action: str, device: PowerDevice, limits: Limits, deadline: Deadline, report: Report
) -> None:
    """Carry out status, monitor, on, off or reboot; raises AgentError if it fails."""
    if action in ("status", "monitor"):
        _look(action, device, deadline, report)
    elif action == ON:
        most = limits.on_orders
        facts = sequence.reach(ON, device, deadline, limits.power_s, report.say, most)
        report.result(0, "Success: Powered ON" if facts.tries else _ALREADY_ON)
    else:
        facts = sequence.reach(OFF, device, deadline, limits.power_s, report.say)
        if action == OFF:
            report.result(0, "Success: Powered OFF" if facts.tries else _ALREADY_OFF)
            return
        report.result(0, "Success: Rebooted", SECOND_HALF_S + LEAVING_S)
        rest = deadline.part(SECOND_HALF_S)
        warning = sequence.turn_on_again(device, rest, facts, report.say)
        if warning:
            report.warn(warning)


_ALREADY_ON = "Success: Already ON"
_ALREADY_OFF = "Success: Already OFF"


def _look(action: str, device: PowerDevice, deadline: Deadline, report: Report) -> None:
    reading = _first_known(device, deadline)
    report.say(f"the node is {reading.state} {reading.evidence}")
    if action == "monitor":
        report.result(0, "")
    else:
        exit_code = STATUS_IS_OFF if reading.state == OFF else 0
        report.result(exit_code, f"Status: {reading.state.upper()}")


def _first_known(device: PowerDevice, deadline: Deadline) -> Reading:
    """Read until the device tells on or off; raises why it never did."""
    facts = sequence.Facts()
    while True:
        deadline.sleep(sequence.pause_s(facts, deadline.elapsed_s()))
        reading = device.power(deadline)
        if reading.state != UNKNOWN:
            return reading
        facts.read(reading)
        if facts.silent or deadline.expired():
            raise facts.failure or AgentError("the device does not tell the power")
