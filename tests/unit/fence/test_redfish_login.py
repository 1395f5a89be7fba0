"""Sessions, accounts and what they may, at a Redfish service in virtual time."""

from __future__ import annotations

import pytest
from unit.fence.devices import Clock
from unit.fence.redfish_service import (
    ROLE,
    ROOT,
    SESSIONS,
    Service,
    do,
    failure_of,
)

from vmha.fence.protocol.sequence import OFF
from vmha.fence.redfish.channel import Answer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> Service:
    return Service(clock)


def test_off_takes_one_session_and_one_reset(service: Service) -> None:
    assert do("off", service).results == [(0, "Success: Powered OFF")]
    assert service.truth() == OFF
    assert service.resets == ["ForceOff"]
    assert service.journal.count(f"POST {SESSIONS}") == 1
    assert service.open_sessions == set()


def test_an_account_that_may_not_reset_is_told(service: Service) -> None:
    service.fates = [403]
    assert "Operator or Administrator" in failure_of("off", service)


def test_a_session_that_the_service_ended_is_begun_anew(service: Service) -> None:
    bmc = service.bmc()
    bmc.power(service.clock.deadline(9.0))
    service.open_sessions.clear()
    assert bmc.order(OFF, service.clock.deadline(9.0)).failure is None
    assert service.resets == ["ForceOff"]


def test_full_session_slots_are_waited_for_and_named(
    service: Service, clock: Clock
) -> None:
    full = Answer(503, {"retry-after": "2"}, b"")
    service.refusals[f"POST {SESSIONS}"] = [full] * 3
    began = clock.now
    assert do("off", service).results == [(0, "Success: Powered OFF")]
    assert clock.now - began > 3 * 2
    service.refusals[f"POST {SESSIONS}"] = [full] * 99
    assert "all sessions of the BMC" in failure_of("status", service)


def test_a_wrong_password_is_not_tried_twice(service: Service) -> None:
    service.refusals[f"POST {SESSIONS}"] = [Answer(401, {}, b"")] * 9
    assert "does not accept user 'fencer'" in failure_of("off", service)
    assert service.journal.count(f"POST {SESSIONS}") == 1


def test_a_service_without_sessions_is_spoken_to_with_each_password(
    service: Service,
) -> None:
    for status in (404, 405, 501):
        service.refusals[f"POST {SESSIONS}"] = [Answer(status, {}, b"")]
        failure_of("status", service)  # this service knows tokens only
        assert service.bmc()._client.session == ""


@pytest.mark.parametrize("privileges", [["Login"], []])
def test_a_monitor_fails_for_an_account_that_may_only_look(
    service: Service, privileges: list[str]
) -> None:
    service.privileges = privileges
    assert "no ConfigureComponents" in failure_of("monitor", service)
    assert do("status", service).results == [(0, "Status: ON")]


def test_a_monitor_knows_the_role_that_only_looks_by_its_name(
    service: Service,
) -> None:
    account = f"{ROOT}/AccountService/Accounts/2"
    service.documents[account] = {"UserName": "fencer", "RoleId": "ReadOnly"}
    assert "ReadOnly" in failure_of("monitor", service)


@pytest.mark.parametrize("hidden", [ROLE, f"{ROOT}/AccountService"])
def test_a_monitor_is_fine_where_accounts_are_not_shown(
    service: Service, hidden: str
) -> None:
    service.refusals[f"GET {hidden}"] = [Answer(403, {}, b"")]
    assert do("monitor", service).results == [(0, "")]


def test_a_monitor_does_not_wait_for_slow_accounts(
    service: Service, clock: Clock
) -> None:
    service.asked_s = 1.0
    accounts = [{"@odata.id": f"{ROOT}/AccountService/Accounts/{n}"} for n in range(9)]
    service.documents[f"{ROOT}/AccountService/Accounts"] = {"Members": accounts[3:]}
    began = clock.now
    assert do("monitor", service).results == [(0, "")]
    assert clock.now - began < 12


def test_a_monitor_hints_at_a_system_that_cannot_be_turned_on(
    service: Service,
) -> None:
    service.allowed = ["ForceOff"]
    notes = do("monitor", service)
    assert notes.results == [(0, "")]
    assert "no power on" in notes.notes[0]
