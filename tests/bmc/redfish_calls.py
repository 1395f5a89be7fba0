"""Calls of fence_vmha_redfish on scripted services, many at once, and their ends."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bmc.calls import Caller
from bmc.redfish_plan import Plan
from bmc.redfish_server import PASSWORD, USER, RedfishServer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from pathlib import Path

    from bmc.calls import Outcome
    from bmc.redfish_authority import Authority

FENCER = {"PCMK_service": "pacemaker-fenced"}
FENCING_S = 10
CLASSIFIED = ("timed out", "timeout", "unrecognised", "unsupported")
AT_ONCE = 16
IN_FLIGHT_S = 0.3  # for what was sent to arrive
SLACK_S = 1.5  # for a machine that is busy


@dataclass
class Case:
    """One call: what the service does, what is asked, and the words of a failure."""

    plan: Plan = field(default_factory=Plan)
    action: str = "off"
    words: tuple[str, ...] = ()
    stdout: str = ""
    given: Mapping[str, object] = field(default_factory=dict)
    certificate: str = "right"  # or "expired", "other", "own", "none"
    may_leave_session: bool = False  # the service never told that there is one
    warned: bool = False  # the node is off and stays off, says a line on stderr


class Ended:
    """A call that has ended, and the service it was made to."""

    def __init__(
        self, case: Case, bmc: RedfishServer, outcome: Outcome, begin: float
    ) -> None:
        self.case = case
        self.bmc = bmc
        self.outcome = outcome
        self.begin = begin
        self.end = begin + outcome.seconds

    def __repr__(self) -> str:
        orders = [(round(at - self.begin, 2), kind) for at, kind in self.bmc.orders]
        return f"{self.outcome!r}, orders {orders}"


class Calls:
    """Makes calls to services that trust is put in by ``authority``."""

    def __init__(self, sbin: Path, authority: Authority) -> None:
        self.executable = sbin / "fence_vmha_redfish"
        self.authority = authority
        self._contexts: dict[str, ssl.SSLContext | None] = {
            "right": authority.context("127.0.0.1", "localhost", "::1"),
            "expired": authority.context("127.0.0.1", expired=True),
            "other": authority.context("other.example"),
            "own": authority.context("127.0.0.1", by_itself=True),
            "none": None,
        }

    def service(
        self, plan: Plan, certificate: str = "right", host: str = "127.0.0.1"
    ) -> RedfishServer:
        """Return a service that is not running yet."""
        return RedfishServer(plan, self._contexts[certificate], host)

    def caller(self, bmc: RedfishServer, **more: object) -> Caller:
        """Return the agent, set up for the service."""
        standard: dict[str, object] = {
            "ip": bmc.host,
            "username": USER,
            "password": PASSWORD,
            "ca_file": self.authority.path,
            "login_timeout": 2,
            "shell_timeout": 1,
            "fencing_timeout": FENCING_S,
        }
        return Caller(self.executable, bmc, **{**standard, **more})

    def end(self, case: Case) -> Ended:
        """Make one call, as the fencer does."""
        with self.service(case.plan, case.certificate) as bmc:
            begin = time.monotonic()
            outcome = self.caller(bmc, **case.given)(case.action, FENCER)
            time.sleep(IN_FLIGHT_S)
            return Ended(case, bmc, outcome, begin)

    def ends(self, cases: Mapping[str, Case]) -> dict[str, Ended]:
        """Make many calls side by side."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(zip(cases, pool.map(self.end, cases.values())))


def assert_safe(ended: Ended) -> None:
    """Check what holds after every call, whatever the service did."""
    outcome, bmc = ended.outcome, ended.bmc
    if ended.case.action in ("off", "reboot") and outcome.exit_code == 0:
        assert bmc.node.was_off(ended.begin, ended.end), ended
    assert outcome.seconds < 0.6 * FENCING_S + SLACK_S, ended
    assert PASSWORD not in outcome.stdout + outcome.stderr
    if ended.case.action == "reboot":
        assert bmc.node.went_off() <= 1, ended
    if not ended.case.may_leave_session:
        assert bmc.sessions == {}, ended
    if ended.case.warned:
        assert "the node is off and stays off" in outcome.stderr, ended
        assert len(outcome.stderr.splitlines()) == 1, ended
    elif outcome.exit_code:
        is_off = outcome.stdout == "Status: OFF\n"
        assert is_off or len(outcome.stderr.splitlines()) == 1, ended
    else:
        assert outcome.stderr == "", ended
    for word in CLASSIFIED:
        assert word not in outcome.stderr.lower(), ended


def assert_fails(ended: Ended) -> None:
    """Check a failure: exit code 1, a silent stdout, all the words of its case."""
    assert_safe(ended)
    assert (ended.outcome.exit_code, ended.outcome.stdout) == (1, ""), ended
    for word in ended.case.words:
        assert word in ended.outcome.stderr, ended
