"""Where a BMC is and how to log in to it. Made by ``main``, used by ``session``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# IPMI 2.0, 6.8: the privilege levels that may log in.
PRIVILEGES = {"callback": 1, "user": 2, "operator": 3, "administrator": 4}

# IPMI 2.0, appendix G: Chassis Control is for operators.
OPERATOR = PRIVILEGES["operator"]

BMC_ADDRESS = 0x20  # IPMI 2.0, 5.1: the BMC's own address on IPMB


def level_name(level: int) -> str:
    """Return a privilege level's name for sentences."""
    names = {number: name for name, number in PRIVILEGES.items()}
    return names.get(level, f"level {level}")


class Access:
    """Where a BMC is and how to log in: address, credentials, suites, privilege.

    ``label`` names the BMC in sentences. ``suites`` are tried in their order.
    ``privilege`` None asks for administrator and is content with operator. User and
    password are bytes: as text they confuse pyghmi. ``fallback`` is a second name or
    address of the same BMC. ``target`` is the IPMB address of the controller behind
    the BMC that has the node's power; None where that is the BMC itself.
    """

    __slots__ = (
        "fallback",
        "host",
        "key",
        "password",
        "port",
        "privilege",
        "suites",
        "target",
        "username",
    )

    def __init__(
        self,
        host: str,
        port: int,
        username: bytes,
        password: bytes,
        suites: Sequence[int] = (17, 3),
        privilege: str | None = None,
        key: bytes | None = None,
        fallback: str | None = None,
        target: int | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.username = username
        self.password = password
        self.suites = tuple(suites)
        self.privilege = privilege
        self.key = key
        self.fallback = fallback
        self.target = None if target == BMC_ADDRESS else target

    @property
    def label(self) -> str:
        """Return the BMC's name for sentences."""
        return f"{self.host} port {self.port}"

    @property
    def user(self) -> str:
        """Return the user's name for sentences."""
        return self.username.decode(errors="replace")

    def paths(self) -> list[Access]:
        """Return every way to the BMC, the preferred one first."""
        if not self.fallback:
            return [self]
        other = Access(
            self.fallback,
            self.port,
            self.username,
            self.password,
            self.suites,
            self.privilege,
            self.key,
            target=self.target,
        )
        return [self, other]
