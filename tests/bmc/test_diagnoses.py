"""Every cause has one line on stderr, and no two causes have the same.

All situations are played at the same time, each with a BMC of its own and the agent as
a process: they mostly wait.
"""

from __future__ import annotations

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from bmc.calls import Caller
from bmc.listener import Listener
from bmc.plan import Plan
from bmc.simulator import PASSWORD, free_port

if TYPE_CHECKING:
    from pathlib import Path

    from bmc.calls import Outcome

SHORT = {"login_timeout": 1, "shell_timeout": 1, "power_timeout": 2}
KEY = "6b65792d6f662d626d63"
ALWAYS = 1000
HEALTHY = Plan()
# Words by which Pacemaker's fencer sorts what it reads there.
CLASSIFIED = ("timed out", "timeout", "unrecognised", "unrecognized", "unsupported")


@dataclass(frozen=True)
class Cause:
    """A situation: a BMC, a call, and what the line must say of it."""

    words: tuple[str, ...]
    plan: Plan = HEALTHY
    action: str = "off"
    parameters: dict[str, object] = field(default_factory=dict)


CAUSES = {
    "the name is not resolved": Cause(
        ("bmc.invalid", "cannot be resolved", "/etc/hosts"),
        parameters={"ip": "bmc.invalid"},
    ),
    "nobody answers": Cause(
        ("does not answer", "check its address"), parameters={"ipport": "silent"}
    ),
    "the port is closed": Cause(
        ("nothing listens", "ipport"), parameters={"ipport": "closed"}
    ),
    "the user is wrong": Cause(
        ("no user 'nobody'", "username"), parameters={"username": "nobody"}
    ),
    "the password is wrong": Cause(
        ("password of user 'admin'", "check password"),
        parameters={"password": "wrong-secret"},
    ),
    "Kg is wrong": Cause(("another key Kg", "hexadecimal_kg"), Plan(key=KEY)),
    "the privilege is too low": Cause(
        ("privilege", "'user'", "role"), parameters={"username": "user"}
    ),
    "the order is above the privilege": Cause(
        ("'user'", "the right for power off", "role"),
        Plan(too_low_at="order"),
        parameters={"username": "user"},
    ),
    "the suite is refused": Cause(
        ("cipher suite 17", "cipher=auto"),
        Plan(suites=(3,)),
        parameters={"cipher": 17},
    ),
    "all sessions are taken": Cause(("sessions are taken",), Plan(sessions=0)),
    "only IPMI 1.5 is offered": Cause(("IPMI 1.5 only",), Plan(only_1_5=True)),
    "the BMC is busy": Cause(
        ("busy", "0xc0"), Plan(codes={"status": (0xC0,) * ALWAYS}), "status"
    ),
    "the BMC is busy with the order": Cause(
        ("not proven off", "busy", "0xc0"), Plan(codes={"off": (0xC0,) * ALWAYS})
    ),
    "the order is refused in the present state": Cause(
        ("not proven off", "present state"), Plan(codes={"off": (0xD5,) * ALWAYS})
    ),
    "the BMC hangs in the middle of a session": Cause(
        ("stopped answering",), Plan(session_answers=1), "status"
    ),
    "the BMC hangs after the order": Cause(
        ("not proven off", "does not answer"), Plan(answers=3, off_s=60)
    ),
    "the order is ignored": Cause(
        ("not proven off", "was sent once"), Plan(ignored={"off": ALWAYS})
    ),
    "the answer is too short": Cause(
        ("chassis status with 2 bytes", "firmware"),
        Plan(lengths={"status": (2,) * ALWAYS}),
        "status",
    ),
    "the command is not known": Cause(
        ("refused to tell the power", "0xc1"), Plan(missing=("status",)), "status"
    ),
    "login is refused for a reason without a name": Cause(
        ("refused to log in", "0x12"), Plan(open_status=(0x12,) * ALWAYS), "status"
    ),
}


def play(executable: Path, cause: Cause) -> Outcome:
    """Call the agent once in this situation."""
    with ExitStack() as stack:
        bmc = stack.enter_context(Listener(cause.plan))
        silent = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        silent.bind(("127.0.0.1", 0))
        ports = {"silent": silent.getsockname()[1], "closed": free_port()}
        wishes = {**SHORT, **cause.parameters}
        if wishes.get("ipport") in ports:
            wishes["ipport"] = ports[str(wishes["ipport"])]
        outcome = Caller(executable, bmc)(cause.action, None, **wishes)
        assert bmc.node.is_on
        return outcome


@pytest.fixture(scope="module")
def outcomes(root: Path) -> dict[str, Outcome]:
    """Return how each situation ended."""
    executable = root / "sbin/fence_vmha_ipmi"
    with ThreadPoolExecutor(10) as pool:
        played = pool.map(lambda cause: play(executable, cause), CAUSES.values())
        return dict(zip(CAUSES, played))


@pytest.mark.parametrize("name", CAUSES)
def test_a_cause_is_named_in_one_line(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    (line,) = outcome.stderr.splitlines()
    for word in CAUSES[name].words:
        assert word in line
    for word in CLASSIFIED:
        assert word not in line.lower()
    for secret in (PASSWORD, "wrong-secret", KEY):
        assert secret not in line


def test_no_two_causes_share_a_line(outcomes: dict[str, Outcome]) -> None:
    lines = [without_numbers(outcome.stderr) for outcome in outcomes.values()]
    assert len(set(lines)) == len(CAUSES)


def test_no_cause_takes_longer_than_its_limits(outcomes: dict[str, Outcome]) -> None:
    for name, outcome in outcomes.items():
        assert outcome.seconds < sum(SHORT.values()) + 1.5 + 2, (name, outcome)


def without_numbers(line: str) -> str:
    """Return a line without what differs from call to call: ports and seconds."""
    return re.sub(r"port \d+|\d+\.\d s|\d+ times", "", line)
