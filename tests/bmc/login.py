"""The login of RMCP+ on the BMC's side: Open Session and RAKP 1 to 4, pure.

Payloads and status codes: IPMI 2.0, tables 13-9 to 13-15; keyed hashes: 13.20 to 13.24
and 13.31. Used by ``rmcp``.
"""

from __future__ import annotations

import hmac
import struct
from typing import TYPE_CHECKING

from bmc.frames import AES, OPENED, RAKP2, RAKP4, SUITES, Keys, bare

if TYPE_CHECKING:
    from random import Random

    from bmc.frames import Suite
    from bmc.plan import Plan, User

# Status codes, table 13-15.
OK, BAD_SESSION, ROLE_TOO_HIGH = 0x00, 0x02, 0x09
HIGHEST = 0x04


class Login:
    """A login under way: both session numbers, the suite, and the state of the keys."""

    def __init__(self, number: int, console: int, suite: Suite, random: Random) -> None:
        self.number = number
        self.console = console
        self.suite = suite
        self.random = random.randbytes(16)
        self.console_random = b""
        self.role = 0
        self.name = b""
        self.user: User | None = None
        self.keys: Keys | None = None  # set when the login is complete

    def identity(self) -> bytes:
        """Return role and name as they are signed."""
        return bytes((self.role, len(self.name))) + self.name

    def sik(self, plan: Plan) -> bytes:
        """Return the session integrity key: Kg, or the user's key without one."""
        assert self.user is not None
        key = bytes.fromhex(plan.key) or self.user.password.encode()
        text = self.console_random + self.random + self.identity()
        return self.suite.keyed(key, text)


class Logins:
    """The logins under way, by the BMC's session number."""

    def __init__(self, plan: Plan, random: Random) -> None:
        self.plan = plan
        self.random = random
        self.waiting: dict[int, Login] = {}
        self._seen: dict[int, int] = {}

    def open(self, payload: bytes, is_full: bool) -> bytes | None:
        """Answer an Open Session Request."""
        if len(payload) < 32:
            return None
        tag, role, console = struct.unpack("<BBxxI", payload[:8])
        algorithms = payload[12], payload[20], payload[28]
        suite = _suite(self.plan, algorithms)
        status = self._planned(OPENED, self.plan.open_status)
        if suite is None and not status:
            if self.plan.suite_status is None:
                return None
            status = self.plan.suite_status
        if is_full and not status:
            status = self.plan.full_status
        head = struct.pack("<BBBxI", tag, status, role & 0x0F or HIGHEST, console)
        if suite is None or status:
            return bare(OPENED, head)
        login = Login(self._number(), console, suite, self.random)
        self.waiting[login.number] = login
        return bare(OPENED, head + struct.pack("<I", login.number) + payload[8:32])

    def rakp1(self, payload: bytes) -> bytes | None:
        """Answer RAKP 1; a repeated one gets the same answer."""
        if len(payload) < 28 or len(payload) < 28 + payload[27]:
            return None
        tag, number = struct.unpack("<BxxxI", payload[:8])
        login = self.waiting.get(number)
        if login is None or login.keys:
            return bare(RAKP2, struct.pack("<BBxxI", tag, BAD_SESSION, 0))
        login.console_random = payload[8:24]
        login.role = payload[24]
        login.name = payload[28 : 28 + payload[27]]
        login.user = _user(self.plan, login)
        status = self._planned(RAKP2, self.plan.rakp2_status)
        if login.user is None and not status:
            if self.plan.unknown_user is None:
                return None
            status = self.plan.unknown_user
        if not status and self.plan.too_low_at == "rakp" and login.user:
            too_high = login.role & 0x0F > login.user.privilege
            status = ROLE_TOO_HIGH if too_high else OK
        head = struct.pack("<BBxxI", tag, status, login.console)
        if status or login.user is None:
            return bare(RAKP2, head)
        guid = bytes.fromhex(self.plan.guid)
        numbers = struct.pack("<II", login.console, login.number)
        text = numbers + login.console_random + login.random + guid + login.identity()
        code = login.suite.keyed(login.user.password.encode(), text)
        return bare(RAKP2, head + login.random + guid + code)

    def rakp3(self, payload: bytes) -> tuple[Login | None, bytes | None]:
        """Answer RAKP 3; also return the login if it is complete now."""
        if len(payload) < 8:
            return None, None
        tag, status, number = struct.unpack("<BBxxI", payload[:8])
        login = self.waiting.get(number)
        if login is None or login.user is None:
            return None, bare(RAKP4, struct.pack("<BBxxI", tag, BAD_SESSION, 0))
        if status:  # the console gives up, 13.22
            del self.waiting[number]
            return None, None
        console = struct.pack("<I", login.console)
        text = login.random + console + login.identity()
        right = login.suite.keyed(login.user.password.encode(), text)
        status = self._planned(RAKP4, self.plan.rakp4_status)
        if not hmac.compare_digest(right, payload[8:]) and not status:
            if self.plan.wrong_code is None:
                return None, None
            status = self.plan.wrong_code
        head = struct.pack("<BBxxI", tag, status, login.console)
        if status:
            return None, bare(RAKP4, head)
        return login, bare(RAKP4, head + self._complete(login))

    def _complete(self, login: Login) -> bytes:
        """Make the keys; return the integrity code of RAKP 4."""
        sik = login.sik(self.plan)
        login.keys = login.keys or Keys(login.suite, sik)
        number = struct.pack("<I", login.number)
        text = login.console_random + number + bytes.fromhex(self.plan.guid)
        return login.suite.keyed(sik, text)[: login.suite.code_bytes]

    def _planned(self, kind: int, statuses: tuple[int, ...]) -> int:
        number = self._seen.get(kind, 0)
        self._seen[kind] = number + 1
        return statuses[number] if number < len(statuses) else OK

    def _number(self) -> int:
        while True:
            number = self.random.randrange(1, 2**32)
            if number not in self.waiting:
                return number


def _suite(plan: Plan, algorithms: tuple[int, int, int]) -> Suite | None:
    for number in plan.suites:
        suite = SUITES[number]
        if algorithms == (suite.authentication, suite.integrity, AES):
            return suite
    return None


def _user(plan: Plan, login: Login) -> User | None:
    """Look the user up by name (13.20); by name and role it is refused in RAKP 2."""
    found = [user for user in plan.users if user.name.encode() == login.name]
    return found[0] if found else None
