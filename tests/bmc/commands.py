"""What a scripted BMC answers to IPMI commands: pure, one table of commands.

Commands, data and completion codes are those of the IPMI 2.0 specification, revision
1.1; the section or table is named at each. Which privilege a command needs is from its
appendix G.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from bmc.frames import SUITES
from bmc.node import NAMES as ORDER_NAMES
from bmc.plan import CALLBACK, OPERATOR, USER

if TYPE_CHECKING:
    from collections.abc import Callable

    from bmc.frames import Request
    from bmc.node import Node
    from bmc.plan import Plan, User

CHASSIS, APPLICATION = 0x00, 0x06

# Completion codes, table 5-2, and those of single commands.
OK, BAD_COMMAND, BAD_LENGTH, BAD_FIELD, NO_PRIVILEGE = 0x00, 0xC1, 0xC7, 0xCC, 0xD4
LEVEL_TOO_HIGH = 0x81  # 22.18: exceeds channel or user privilege limit
NO_SUCH_SESSION = 0x87  # 22.19
LAN_CHANNEL = 1


class Session:
    """One session: who opened it, what it may do, and when it was last used."""

    def __init__(self, number: int, user: User, most: int, now: float) -> None:
        self.number = number
        self.user = user
        self.most = most  # the privilege it may rise to
        self.privilege = min(most, USER)  # 6.9: a session begins as USER
        self.used_at = now
        self.answers = 0


class Command(NamedTuple):
    """A command: its name in plans, what it needs, and how it is answered."""

    name: str
    privilege: int
    work: Callable[[Controller, Session, bytes], tuple[int, bytes]]


class Controller:
    """A management controller: its plan, its node, and the sessions of its channel."""

    def __init__(self, plan: Plan, node: Node, sessions: dict[int, Session]) -> None:
        self.plan = plan
        self.node = node
        self.sessions = sessions
        self._seen: dict[str, int] = {}

    def answer(self, session: Session, request: Request) -> tuple[int, bytes]:
        """Carry a request out, unless the plan has a code for it."""
        command = COMMANDS.get((request.netfn, request.command))
        if command is None or command.name in self.plan.missing:
            return BAD_COMMAND, b""
        if session.privilege < command.privilege:
            return NO_PRIVILEGE, b""
        if command.name == "control" and self._may_not_order(session):
            return NO_PRIVILEGE, b""
        code = self._planned_code(command.name, request.data)
        if code and not self.plan.carries_out_refused:
            return code, b""
        done, data = command.work(self, session, request.data)
        if code or done:
            return code or done, b""
        return OK, self._cut(command.name, data)

    def _may_not_order(self, session: Session) -> bool:
        return self.plan.too_low_at == "order" and session.user.privilege < OPERATOR

    def _planned_code(self, name: str, data: bytes) -> int:
        """Take the next codes for this command and this order; the first one counts."""
        names = [name]
        if name == "control" and data:
            names.append(ORDER_NAMES.get(data[0], ""))
        codes = [self._next(f"code {n}", self.plan.codes.get(n, ())) for n in names]
        return next((code for code in codes if code), OK)

    def _cut(self, name: str, data: bytes) -> bytes:
        length = self._next(f"length {name}", self.plan.lengths.get(name, ()))
        return data if length is None else data.ljust(length, b"\0")[:length]

    def _next(self, what: str, entries: tuple[int | None, ...]) -> int | None:
        number = self._seen.get(what, 0)
        self._seen[what] = number + 1
        return entries[number] if number < len(entries) else None


def capabilities(plan: Plan, data: bytes) -> tuple[int, bytes]:
    """Answer Get Channel Authentication Capabilities (table 22-15)."""
    if len(data) < 2:
        return BAD_LENGTH, b""
    wants_2_0 = data[0] & 0x80 and not plan.only_1_5
    types = 0x15 | (0x80 if wants_2_0 else 0)  # none, MD5, straight password
    status = 0x04 | (0x20 if plan.key and wants_2_0 else 0)  # names; Kg is set
    extended = 0x03 if wants_2_0 else 0
    return OK, bytes((LAN_CHANNEL, types, status, extended, 0, 0, 0, 0))


def cipher_suites(plan: Plan, data: bytes) -> tuple[int, bytes]:
    """Answer Get Channel Cipher Suites (table 22-18), with records of table 22-19."""
    if len(data) < 3:
        return BAD_LENGTH, b""
    records = b""
    for number in plan.suites:
        suite = SUITES[number]
        algorithms = (suite.authentication, 0x40 | suite.integrity, 0x80 | 1)
        records += bytes((0xC0, number, *algorithms))
    begin = (data[2] & 0x3F) * 16
    return OK, bytes((LAN_CHANNEL,)) + records[begin : begin + 16]


def _status(bmc: Controller, _session: Session, _data: bytes) -> tuple[int, bytes]:
    """Answer Get Chassis Status (table 28-3): restore policy "as it was"."""
    return OK, bytes((0x20 | bmc.node.show(), 0x00, 0x00))


def _control(bmc: Controller, session: Session, data: bytes) -> tuple[int, bytes]:
    """Carry out Chassis Control (table 28-4)."""
    if len(data) != 1:
        return BAD_LENGTH, b""
    is_known = bmc.node.order(data[0] & 0x0F, session.number)
    return (OK if is_known else BAD_FIELD), b""


def _set_privilege(_: Controller, session: Session, data: bytes) -> tuple[int, bytes]:
    """Carry out Set Session Privilege Level (table 22-23); 0 asks for the present."""
    if len(data) != 1:
        return BAD_LENGTH, b""
    wanted = data[0] & 0x0F
    if wanted > session.most:
        return LEVEL_TOO_HIGH, b""
    session.privilege = wanted or session.privilege
    return OK, bytes((session.privilege,))


def _close(bmc: Controller, _session: Session, data: bytes) -> tuple[int, bytes]:
    """Carry out Close Session (table 22-24); the answer still goes out in it."""
    if len(data) < 4:
        return BAD_LENGTH, b""
    known = bmc.sessions.pop(struct.unpack("<I", data[:4])[0], None)
    return (OK if known else NO_SUCH_SESSION), b""


def _device(bmc: Controller, _session: Session, _data: bytes) -> tuple[int, bytes]:
    """Answer Get Device ID (table 20-2); bit 7 of byte 3 tells of an update."""
    updating = 0x80 if bmc.plan.updating else 0
    return OK, bytes((0x23, 0x01, 9 | updating, 0x08, 0x02, 0x9F, *bytes(5)))


def _guid(bmc: Controller, _session: Session, _data: bytes) -> tuple[int, bytes]:
    """Answer Get System GUID (22.14) and Get Device GUID (20.8)."""
    return OK, bytes.fromhex(bmc.plan.guid)


def _enables(bmc: Controller, _session: Session, data: bytes) -> tuple[int, bytes]:
    """Answer Get Command Enables (21.8): a bit per command, set where enabled."""
    if len(data) < 3:
        return BAD_LENGTH, b""
    off = bmc.plan.disabled_commands if data[1] & 0x3F == CHASSIS else ()
    first = 0x80 if data[1] >> 6 else 0
    return OK, _bits([first + n not in off for n in range(0x80)])


def _sub_enables(bmc: Controller, _session: Session, data: bytes) -> tuple[int, bytes]:
    """Answer Get Command Sub-function Enables (21.10): a bit per order."""
    if len(data) < 4:
        return BAD_LENGTH, b""
    is_control = (data[1] & 0x3F, data[3]) == (CHASSIS, 0x02)
    off = bmc.plan.disabled_orders if is_control else ()
    return OK, _bits([n not in off for n in range(32)])


def _bits(flags: list[bool]) -> bytes:
    number = sum(flag << place for place, flag in enumerate(flags))
    return number.to_bytes(len(flags) // 8, "little")


def _channel_access(_b: Controller, _s: Session, _data: bytes) -> tuple[int, bytes]:
    """Answer Get Channel Access (22.23): always available, administrator."""
    return OK, bytes((0x02, 0x04))


def _user_access(bmc: Controller, _session: Session, data: bytes) -> tuple[int, bytes]:
    """Answer Get User Access (22.27); IPMI messaging is enabled."""
    if len(data) != 2:
        return BAD_LENGTH, b""
    user = _user(bmc.plan, data[1])
    if user is None:
        return BAD_FIELD, b""
    count = len(bmc.plan.users) + 1
    return OK, bytes((count, 0x40 | count, 1, 0x10 | user.privilege))


def _user_name(bmc: Controller, _session: Session, data: bytes) -> tuple[int, bytes]:
    """Answer Get User Name (22.29); user 1 has no name (6.9.1)."""
    user = _user(bmc.plan, data[0]) if data else None
    if user is None:
        return BAD_FIELD, b""
    return OK, user.name.encode().ljust(16, b"\0")


def _user(plan: Plan, number: int) -> User | None:
    number &= 0x3F
    return plan.users[number - 2] if 2 <= number < len(plan.users) + 2 else None


def _session_info(bmc: Controller, session: Session, _: bytes) -> tuple[int, bytes]:
    """Answer Get Session Info (table 22-25) for the session that asks."""
    user = bmc.plan.users.index(session.user) + 2
    counts = (1, bmc.plan.sessions, len(bmc.sessions))
    return OK, bytes((*counts, user, session.privilege, 0x10 | LAN_CHANNEL))


def _capabilities(bmc: Controller, _s: Session, data: bytes) -> tuple[int, bytes]:
    return capabilities(bmc.plan, data)


def _suites(bmc: Controller, _session: Session, data: bytes) -> tuple[int, bytes]:
    return cipher_suites(bmc.plan, data)


COMMANDS = {
    (CHASSIS, 0x01): Command("status", USER, _status),
    (CHASSIS, 0x02): Command("control", OPERATOR, _control),
    (APPLICATION, 0x01): Command("device", USER, _device),
    (APPLICATION, 0x08): Command("device guid", USER, _guid),
    (APPLICATION, 0x37): Command("system guid", USER, _guid),
    (APPLICATION, 0x38): Command("capabilities", CALLBACK, _capabilities),
    (APPLICATION, 0x3B): Command("privilege", CALLBACK, _set_privilege),
    (APPLICATION, 0x3C): Command("close", CALLBACK, _close),
    (APPLICATION, 0x3D): Command("session info", USER, _session_info),
    (APPLICATION, 0x41): Command("channel access", USER, _channel_access),
    (APPLICATION, 0x44): Command("user access", OPERATOR, _user_access),
    (APPLICATION, 0x46): Command("user name", OPERATOR, _user_name),
    (APPLICATION, 0x54): Command("suites", CALLBACK, _suites),
    (APPLICATION, 0x61): Command("enables", USER, _enables),
    (APPLICATION, 0x63): Command("sub-function enables", USER, _sub_enables),
}
NAMES = tuple(command.name for command in COMMANDS.values())
