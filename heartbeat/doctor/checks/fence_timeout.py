"""Fencing is given less time than it was measured to take."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.agents.cib import number
from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.check import CIB, Check, Finding, Severity
from vmha.heartbeat.doctor.cib import Resource, seconds
from vmha.heartbeat.doctor.evidence import Evidence

LOGINS = 3
"""An off is the work of a monitor, then an order, and readings until two say off."""
POWER_S = 5.0
"""What a server takes to lose its power once it was told, at least for safety."""


def look(evidence: Evidence) -> Iterator[Finding]:
    """Compare each device's times with the slowest monitor that was seen of it."""
    for device in evidence.cib.devices:
        slowest_s, where = _slowest(evidence, device)
        needed_s = LOGINS * slowest_s + POWER_S if where else 0.0
        for action in ("off", "reboot"):
            given_s = devices.timeout_s(evidence.cib, device, action)
            own_s = _of_agent(device)
            if given_s < needed_s:
                yield Finding(
                    f"fence device {device.id}",
                    f"{action} is given {given_s:g} s; a monitor took {slowest_s:.1f} "
                    f"s {where}, so it may need {needed_s:.0f} s",
                )
            elif given_s < own_s:
                yield Finding(
                    f"fence device {device.id}",
                    f"{action} is given {given_s:g} s, and its own parameters let it "
                    f"take {own_s:g} s",
                )


def _slowest(evidence: Evidence, device: Resource) -> tuple[float, str]:
    """Return the longest time of a monitor in seconds, and where it was seen."""
    times: list[tuple[float, str]] = []
    for node, fencing in evidence.parts("fencing"):
        answers = dict(fencing.members("devices"))
        took_s = answers[device.id].number("took_s") if device.id in answers else None
        if took_s is not None:
            times.append((took_s, f"from {node}"))
    for node, op in evidence.cib.history(device.id):
        if op.get("operation") in ("monitor", "start") and op.get("rc-code") == "0":
            took_s = number(op.get("exec-time", "0")) / 1000
            times.append((took_s, f"in the cluster's monitor on {node}"))
    return max(times, default=(0.0, ""))


def _of_agent(device: Resource) -> float:
    """Return the time that the agent's own parameters allow, 0 where none is given."""
    names = ("power_timeout", "power_wait", "login_timeout", "delay")
    return sum(seconds(device.parameters.get(name, "")) for name in names)


CHECK = Check(
    "fence-timeout",
    "Fencing times out before the device can be done",
    Severity.WARNING,
    "A fencing that is ended by its timeout has failed: it is tried again, and the "
    "guests wait. The time is that of the device's pcmk_off_timeout or "
    "pcmk_reboot_timeout, else the cluster's stonith-timeout (60 s).",
    "Raise the device's pcmk_off_timeout and pcmk_reboot_timeout, or find out why the "
    "device is slow.",
    (CIB,),
    look,
)
