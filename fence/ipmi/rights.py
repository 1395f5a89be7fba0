"""What a BMC tells of our right to power its node off, asked without trying it.

No order is sent, not even an invalid one. All questions but those of login may be
refused: IPMI makes most of them optional, and a BMC that does not tell may still
fence. One that tells that it will not is a failure. Used by ``power`` for monitors.
"""

from __future__ import annotations

from vmha.fence.ipmi import diagnoses
from vmha.fence.ipmi.access import OPERATOR, PRIVILEGES, level_name
from vmha.fence.ipmi.wire import APPLICATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Callable

    from vmha.fence.ipmi.access import Access

    # Asks a command and its data; gives what the BMC tells, nothing if it will not.
    Ask = Callable[[int, int, Sequence[int]], bytes]

# IPMI 2.0, tables 20-2, 22-25, 22-29, 22-33, 21-9 and 21-11.
GET_DEVICE_ID = 0x01
GET_SESSION_INFO = 0x3D
GET_CHANNEL_ACCESS = 0x41
GET_USER_ACCESS = 0x44
GET_COMMAND_ENABLES = 0x61
GET_SUB_FUNCTION_ENABLES = 0x63

THIS_SESSION = 0x00
THIS_CHANNEL = 0x0E
NOW = 0x80  # not what is stored for the next start
NOT_AVAILABLE = 0x80
SIX_BITS = 0x3F
LEVEL = 0x0F

CHASSIS, LUN = 0x00, 0
STATUS_BIT, CONTROL_BIT = 1 << 0x01, 1 << 0x02
CONTROL = 0x02
DOWN_BIT = 1 << 0x00  # IPMI 2.0, table H-1: the sub-functions are the orders


def check_granted(access: Access, granted: int) -> None:
    """Check what was asked for at login, and what was granted."""
    if access.privilege and PRIVILEGES[access.privilege] < OPERATOR:
        raise diagnoses.PrivilegeNotWanted(access.privilege)
    if not granted:
        raise diagnoses.Unintelligible(access.label, "no privilege level to the login")
    if granted < OPERATOR:
        raise _too_low(access, granted)


def check_state(access: Access, ask: Ask) -> None:
    """Check that the controller is neither starting nor renewing its firmware."""
    told = ask(APPLICATION, GET_DEVICE_ID, ())
    if len(told) > 2 and told[2] & NOT_AVAILABLE:
        raise diagnoses.Updating(access.label)


def check_limits(access: Access, ask: Ask) -> str:
    """Check the limits of channel and user; return "" or a sentence for the log."""
    channel = ask(APPLICATION, GET_CHANNEL_ACCESS, (THIS_CHANNEL, NOW))
    if len(channel) > 1 and 0 < channel[1] & LEVEL < OPERATOR:
        raise diagnoses.ChannelTooLow(access.label, level_name(channel[1] & LEVEL))
    info = ask(APPLICATION, GET_SESSION_INFO, (THIS_SESSION,))
    if len(info) < 5:
        return ""
    most, active, user, level = (byte & SIX_BITS for byte in info[1:5])
    if 0 < level & LEVEL < OPERATOR:
        raise _too_low(access, level & LEVEL)
    limits = ask(APPLICATION, GET_USER_ACCESS, (THIS_CHANNEL, user)) if user else b""
    if len(limits) > 3 and 0 < limits[3] & LEVEL < OPERATOR:
        raise _too_low(access, limits[3] & LEVEL)
    if most and active >= most:
        return f"all {most} sessions of the BMC at {access.label} are in use"
    return ""


def check_firewall(access: Access, ask: Ask) -> str:
    """Check the firmware firewall; return "" or a sentence for the log.

    A mask that denies what was just done is not believed.
    """
    commands = ask(APPLICATION, GET_COMMAND_ENABLES, (THIS_CHANNEL, CHASSIS, LUN))
    if commands and commands[0] & STATUS_BIT and not commands[0] & CONTROL_BIT:
        raise diagnoses.OrderDisabled(access.label, "Chassis Control")
    question = (THIS_CHANNEL, CHASSIS, LUN, CONTROL)
    orders = ask(APPLICATION, GET_SUB_FUNCTION_ENABLES, question)
    if any(orders) and not orders[0] & DOWN_BIT:
        raise diagnoses.OrderDisabled(access.label, "power down")
    if orders and not any(orders):
        return f"the BMC at {access.label} tells of no order that is enabled"
    return ""


def _too_low(access: Access, granted: int) -> diagnoses.PrivilegeTooLow:
    wanted = f"the privilege operator, only {level_name(granted)}"
    return diagnoses.PrivilegeTooLow(access.label, access.user, wanted)
