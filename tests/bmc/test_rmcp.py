"""The scripted BMC speaks IPMI: our client says so, and ipmitool as second witness."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from bmc.listener import Listener
from bmc.plan import Plan, User
from bmc.simulator import PASSWORD

from vmha.agents.protocol.deadline import Deadline
from vmha.fence.ipmi import diagnoses
from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.session import Session, open_session

if TYPE_CHECKING:
    from vmha.agents.protocol.errors import AgentError

CHASSIS, APPLICATION = 0x00, 0x06
STATUS, CONTROL = 0x01, 0x02
KEY = "6b65792d6f662d626d63"


def log_in(bmc: Listener, suites: tuple[int, ...] = (17, 3), **more: object) -> Session:
    """Open a session with the client that the agent uses."""
    given = {"username": b"admin", "password": PASSWORD.encode(), **more}
    return open_session(Access(bmc.host, bmc.port, suites=suites, **given), Deadline(5))  # type: ignore[arg-type]


def ask(
    session: Session, command: int, *data: int, netfn: int = 0
) -> tuple[int, bytes]:
    return session.command(netfn, command, data, Deadline(5))


def ipmitool(
    bmc: Listener, suite: int, *words: str
) -> subprocess.CompletedProcess[str]:
    """Ask with ipmitool, which shares no code with the agent or the scripted BMC."""
    address = ("-H", bmc.host, "-p", str(bmc.port), "-U", "admin", "-P", PASSWORD)
    how = ("-I", "lanplus", "-C", str(suite), "-N", "1", "-R", "1")
    return subprocess.run(
        ["ipmitool", *how, *address, *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )


@pytest.mark.parametrize("suite", [3, 17])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_our_client_logs_in_asks_orders_and_leaves(suite: int, host: str) -> None:
    with Listener(host=host) as bmc:
        session = log_in(bmc, (suite,))
        assert session.suite == suite
        assert ask(session, STATUS) == (0, b"\x21\0\0")
        assert ask(session, CONTROL, 0) == (0, b"")
        assert ask(session, STATUS) == (0, b"\x20\0\0")
        assert session.close(Deadline(1))
        assert bmc.server.sessions == {}
        (order,) = bmc.node.orders
        assert (order.name, order.session, order.is_done) == (
            "off",
            session.number,
            True,
        )


@pytest.mark.parametrize("suite", [3, 17])
def test_ipmitool_takes_it_for_a_bmc(suite: int) -> None:
    with Listener() as bmc:
        told = ipmitool(bmc, suite, "chassis", "status")
        assert "System Power         : on" in told.stdout, told.stderr
        assert "Chassis Power Control: Down/Off" in (
            ipmitool(bmc, suite, "chassis", "power", "off").stdout
        )
        assert "is off" in ipmitool(bmc, suite, "chassis", "power", "status").stdout
        device = ipmitool(bmc, suite, "mc", "info")
        assert "IPMI Version              : 2.0" in device.stdout
        assert bmc.node.names() == ["off"]
        assert bmc.server.sessions == {}


@pytest.mark.parametrize("suite", [3, 17])
def test_ipmitool_uses_the_key_kg(suite: int) -> None:
    with Listener(Plan(key=KEY)) as bmc:
        assert ipmitool(bmc, suite, "-y", KEY, "chassis", "status").returncode == 0
        assert ipmitool(bmc, suite, "chassis", "status").returncode == 1
        session = log_in(bmc, (suite,), key=bytes.fromhex(KEY))
        assert ask(session, STATUS)[0] == 0
        assert session.close(Deadline(1))


def test_ipmitool_finds_the_strongest_suite_and_the_guid() -> None:
    with Listener() as bmc:
        suites = ipmitool(bmc, 3, "channel", "getciphers", "ipmi", "1").stdout
        assert "17" in suites
        assert "hmac_sha256" in suites
        guid = ipmitool(bmc, 3, "-v", "mc", "guid").stdout
        assert "a1" in guid.lower()


def test_ipmitool_is_told_what_is_wrong() -> None:
    users = (User("admin", "other"),)
    with Listener(Plan(users=users)) as bmc:
        assert "RAKP 2 HMAC is invalid" in ipmitool(bmc, 3, "-v", "mc", "info").stderr
    with Listener(Plan(users=())) as bmc:
        told = ipmitool(bmc, 3, "-v", "mc", "info").stderr
        assert "unauthorized name" in told.lower()
    with Listener(Plan(suites=(17,))) as bmc:
        assert ipmitool(bmc, 3, "mc", "info").returncode == 1


@pytest.mark.parametrize(
    ("plan", "suites", "diagnosis"),
    [
        (Plan(users=(User("admin", "other"),)), (17, 3), diagnoses.WrongPassword),
        (Plan(users=()), (17, 3), diagnoses.WrongUser),
        (Plan(key=KEY), (17, 3), diagnoses.WrongKey),
        (Plan(suites=(3,)), (17,), diagnoses.SuiteRefused),
        (Plan(only_1_5=True), (17, 3), diagnoses.OldProtocol),
        (Plan(sessions=0), (17, 3), diagnoses.Busy),
        (Plan(users=(User("admin", privilege=2),)), (3,), diagnoses.PrivilegeTooLow),
        (Plan(rakp4_status=(0x0F,) * 20), (3,), diagnoses.WrongPassword),
    ],
)
def test_our_client_is_told_what_is_wrong(
    plan: Plan, suites: tuple[int, ...], diagnosis: type[AgentError]
) -> None:
    with Listener(plan) as bmc, pytest.raises(diagnosis):
        log_in(bmc, suites)


def test_a_suite_that_is_met_with_silence_is_followed_by_the_next() -> None:
    with Listener(Plan(suites=(3,), suite_status=None)) as bmc:
        session = log_in(bmc)
        assert session.suite == 3
        assert session.close(Deadline(1))
