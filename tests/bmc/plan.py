"""How a scripted BMC and the node behind it behave: one declaration, also as JSON.

Times are seconds on the server's clock, counted from its start. Lists named for a
message or command hold what the first ones of that kind meet; afterwards all is well.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from bmc.simulator import PASSWORD

CALLBACK, USER, OPERATOR, ADMINISTRATOR = 1, 2, 3, 4  # IPMI 2.0, 6.8


@dataclass(frozen=True)
class User:
    """An account of the BMC; ``privilege`` is its limit on this channel."""

    name: str
    password: str = PASSWORD
    privilege: int = ADMINISTRATOR


ACCOUNTS = (User("admin"), User("operator", privilege=3), User("user", privilege=2))


@dataclass(frozen=True)
class Plan:
    """The behaviour of one scripted BMC. The default is healthy and instant.

    Login:
        key             Kg, in hexadecimal; "" where the BMC has none
        suites          the cipher suites it takes
        suite_status    status for another suite (IPMI 2.0, table 13-15); None: silence
        only_1_5        it offers IPMI 1.5 only
        too_low_at      where a privilege above the user's is refused: "rakp" (status
                        09h), "session" (completion code 81h of Set Session Privilege
                        Level), "order" (D4h of Chassis Control)
        unknown_user    status in RAKP 2 for a user it does not know; None: silence
        wrong_code      status in RAKP 4 for a wrong RAKP 3; None: silence
        open_status, rakp2_status, rakp4_status
                        what the first ones of these messages carry; 0: all is well
        sessions        so many at a time; the next one gets ``full_status``
        idle_s          a session that is silent so long ends
    Sessions:
        executes_duplicates   a packet that comes twice, or late, is carried out again,
                        as ipmi_sim does; otherwise the sliding window of 6.12.13 holds
        answers         so many commands are answered in all, then nothing
        session_answers     so many commands are answered in each session, then nothing
        is_deaf         what is not answered is not carried out either
        silences        from and until when nothing is answered
        restarts        when the BMC restarts: all sessions are lost
        restart_s       so long a restart takes, and the BMC is deaf
    Commands, by name (see ``commands.NAMES``; orders also as "off", "on", "cycle",
    "diag"):
        codes           completion codes of the first ones; 0: all is well
        carries_out_refused     what got one of these codes is done all the same
        lengths         data bytes of the first answers; None: as it should be
        missing         commands it does not know (C1h)
        disabled_commands, disabled_orders
                        what Get Command Enables and Get Command Sub-function Enables
                        tell to be disabled in the chassis' functions
        updating        Get Device ID tells of an update of the firmware
        bridge          the address of a second controller on IPMB; None: nobody
        embeds_bridged  its answer comes inside that of Send Message
    Packets:
        fates           what happens to the first packets sent: "", "lost", "twice",
                        "garbage", or "cut N" for its first N bytes
        seed            of session numbers, random numbers and garbage
    The node:
        is_on, off_s, on_s, cycle_s (off for so long, after off_s)
        ignored         how many orders of each kind are ignored, by name
        false_reads     what the first reads show: 1, 0, or None for the truth
        lie             what all reads after those show; None: the truth
    """

    users: tuple[User, ...] = ACCOUNTS
    key: str = ""
    guid: str = "a123456789abcdefa123456789abcdef"
    suites: tuple[int, ...] = (3, 17)
    suite_status: int | None = 0x11
    only_1_5: bool = False
    too_low_at: str = "rakp"
    unknown_user: int | None = 0x0D
    wrong_code: int | None = 0x0F
    open_status: tuple[int, ...] = ()
    rakp2_status: tuple[int, ...] = ()
    rakp4_status: tuple[int, ...] = ()
    sessions: int = 8
    full_status: int = 0x01
    idle_s: float = 60.0

    executes_duplicates: bool = True
    answers: int | None = None
    session_answers: int | None = None
    is_deaf: bool = True
    silences: tuple[tuple[float, float], ...] = ()
    restarts: tuple[float, ...] = ()
    restart_s: float = 0.0

    codes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    carries_out_refused: bool = False
    lengths: dict[str, tuple[int | None, ...]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    disabled_commands: tuple[int, ...] = ()
    disabled_orders: tuple[int, ...] = ()
    updating: bool = False
    bridge: int | None = None
    embeds_bridged: bool = False

    fates: tuple[str, ...] = ()
    seed: int = 0

    is_on: bool = True
    off_s: float = 0.0
    on_s: float = 0.0
    cycle_s: float = 1.0
    ignored: dict[str, int] = field(default_factory=dict)
    false_reads: tuple[int | None, ...] = ()
    lie: int | None = None

    def to_json(self) -> str:
        """Return the plan as text that ``from_json`` reads."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Plan:
        """Read a plan; what it does not name is as in a healthy BMC."""
        fields: dict[str, Any] = {k: _frozen(v) for k, v in json.loads(text).items()}
        if "users" in fields:
            fields["users"] = tuple(User(**user) for user in fields["users"])
        return Plan(**fields)


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(entry) for entry in value)
    if isinstance(value, dict):
        return {name: _frozen(entry) for name, entry in value.items()}
    return value
