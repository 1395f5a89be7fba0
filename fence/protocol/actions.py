"""The actions of a power fence agent, from the first read to the last word.

Called in the worker process by ``run``. The sentences on stdout are those of
fence_ipmilan, because programs compare them. Results go out as soon as they are proven:
what happens afterwards (power on, logout) cannot take them back.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import AgentError
from vmha.fence.protocol import sequence
from vmha.fence.protocol.sequence import DIAG, OFF, ON, UNKNOWN
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

        def note(self, sentence: str) -> None:
            """Tell the log what should be mended some day."""

        def result(self, exit_code: int, sentence: str, rest_s: float = ...) -> None:
            """Tell what is proven, and how long the rest may take."""


STATUS_IS_OFF = 2  # the fencer takes 0 and 2 as "this device can fence the node"
SECOND_HALF_S = 5.0  # for the on of a reboot: the cluster waits, and off is proven


class Limits:
    """How long, how often, and in which way; the same for every device of a call.

    ``power_s``    from an order to its proof
    ``on_orders``  how often on is sent
    ``by_cycle``   a reboot is one power cycle (method=cycle)
    ``softoff_s``  an off that took so long was a shutdown; 0 asks nothing
    ``fencing``    the fencer calls: exit code 0 permits the start of guests elsewhere
    """

    __slots__ = ("by_cycle", "fencing", "on_orders", "power_s", "softoff_s")

    def __init__(
        self,
        power_s: float,
        on_orders: int,
        by_cycle: bool = False,
        softoff_s: float = 0.0,
        fencing: bool = False,
    ) -> None:
        self.power_s = power_s
        self.on_orders = on_orders
        self.by_cycle = by_cycle
        self.softoff_s = softoff_s
        self.fencing = fencing


def carry_out(
    action: str, device: PowerDevice, limits: Limits, deadline: Deadline, report: Report
) -> None:
    """Carry out an action on one node; raises AgentError if it fails."""
    if action in ("status", "monitor"):
        _look(action, device, deadline, report)
    elif action == DIAG:
        _interrupt(device, limits, deadline, report)
    elif action == ON:
        most = limits.on_orders
        facts = sequence.reach(ON, device, deadline, limits.power_s, report.say, most)
        report.result(0, "Success: Powered ON" if facts.tries else _ALREADY_ON)
    elif action == OFF:
        facts = sequence.reach(OFF, device, deadline, limits.power_s, report.say)
        report.result(0, "Success: Powered OFF" if facts.tries else _ALREADY_OFF)
        _note_a_soft_off(facts, limits, report)
    else:
        _reboot(device, limits, deadline, report)


_ALREADY_ON = "Success: Already ON"
_ALREADY_OFF = "Success: Already OFF"


def _reboot(
    device: PowerDevice, limits: Limits, deadline: Deadline, report: Report
) -> None:
    """Prove the node off, say so, then see to it that it comes back."""
    order, most = (sequence.CYCLE, 1) if limits.by_cycle else (OFF, None)
    power_s = limits.power_s
    facts = sequence.reach(OFF, device, deadline, power_s, report.say, most, order)
    report.result(0, "Success: Rebooted", SECOND_HALF_S + LEAVING_S)
    _note_a_soft_off(facts, limits, report)
    rest = deadline.part(SECOND_HALF_S)
    if limits.by_cycle and facts.orders:
        warning = sequence.come_back(device, rest, report.say)
    else:
        warning = sequence.turn_on_again(device, rest, facts, report.say)
    if warning:
        report.warn(warning)


def _note_a_soft_off(facts: sequence.Facts, limits: Limits, report: Report) -> None:
    """Hint at a node whose power button asks the system instead of cutting power.

    Such a node is off only when its system wants to be: one that hangs never is, or
    after the 4 s override of its hardware (ACPI 6.5, 4.8.2.2.1.2).
    """
    took_s = facts.off_after_s
    if facts.orders and 0 < limits.softoff_s <= took_s:
        report.note(
            f"the node took {took_s:.1f} s to go off, as long as an ACPI shutdown: set "
            "power off to instant in its firmware, and HandlePowerKey=ignore in "
            "/etc/systemd/logind.conf on the node"
        )


def _interrupt(
    device: PowerDevice, limits: Limits, deadline: Deadline, report: Report
) -> None:
    """Send a diagnostic interrupt (NMI) once. It is no fencing: the node may run on."""
    reading = _first_known(device, deadline)
    if reading.state == OFF:
        raise AgentError("the node is off: there is nothing to interrupt")
    report.say("a diagnostic interrupt is sent")
    failure = device.order(DIAG, deadline).failure
    if failure:
        raise failure
    if limits.fencing:
        raise AgentError(
            "the diagnostic interrupt was sent, which proves nothing about the node: "
            "it counts as running; let fence_kdump or an off in the next level tell"
        )
    report.result(0, "Success: Diagnostic interrupt sent")


def _look(action: str, device: PowerDevice, deadline: Deadline, report: Report) -> None:
    reading = _first_known(device, deadline)
    report.say(f"the node is {reading.state} {reading.evidence}")
    if action == "monitor":
        hint = device.prove(deadline)
        if hint:
            report.note(hint)
        report.result(0, "")
    else:
        exit_code = STATUS_IS_OFF if reading.state == OFF else 0
        report.result(exit_code, f"Status: {reading.state.upper()}")


def _first_known(device: PowerDevice, deadline: Deadline) -> Reading:
    """Read until the device tells on or off; raises why it never did."""
    facts = sequence.Facts()
    while True:
        reading = device.power(deadline)
        if reading.state != UNKNOWN:
            return reading
        facts.read(reading)
        if not facts.silent:
            deadline.sleep(sequence.pause_s(facts, deadline.elapsed_s()))
        if facts.silent or deadline.expired():
            raise facts.failure or AgentError("the device does not tell the power")
