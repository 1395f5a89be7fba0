"""fence_vmha_redfish against a Redfish service in virtual time."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.fence.devices import Clock, Notes
from unit.fence.redfish_service import (
    DONE,
    LATE,
    LATE_S,
    LOST,
    ROLE,
    ROOT,
    SECRET,
    SESSIONS,
    SYSTEM,
    TARGET,
    TASK,
    TASKED,
    UNHEARD,
    Service,
)

from vmha.agents.protocol.errors import AgentError
from vmha.fence.protocol.actions import Limits, carry_out
from vmha.fence.protocol.sequence import OFF, ON, UNKNOWN
from vmha.fence.redfish import diagnoses
from vmha.fence.redfish.access import PLAIN, Access
from vmha.fence.redfish.channel import Answer
from vmha.fence.redfish.client import message_of, path_in, path_of, retry_after_s

LIMITS = Limits(power_s=30.0, on_orders=2)
BY_CYCLE = Limits(power_s=30.0, on_orders=2, by_cycle=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> Service:
    return Service(clock)


def do(action: str, service: Service, limits: Limits = LIMITS) -> Notes:
    """Carry out an action, as a worker does, and return what it told."""
    notes = Notes()
    bmc = service.bmc()
    try:
        carry_out(action, bmc, limits, service.clock.deadline(60.0), notes)
    finally:
        bmc.close(service.clock.deadline(1.0))
    return notes


def failure_of(action: str, service: Service, limits: Limits = LIMITS) -> str:
    """Carry out an action that must fail, and return its sentence."""
    with pytest.raises(AgentError) as caught:
        do(action, service, limits)
    sentence = str(caught.value)
    assert SECRET not in sentence
    assert "timeout" not in sentence
    return sentence


def test_off_takes_one_session_and_one_reset(service: Service) -> None:
    assert do("off", service).results == [(0, "Success: Powered OFF")]
    assert service.truth() == OFF
    assert service.resets == ["ForceOff"]
    assert service.journal.count(f"POST {SESSIONS}") == 1
    assert service.open_sessions == set()


def test_off_of_a_node_that_is_off_sends_nothing(clock: Clock) -> None:
    service = Service(clock, OFF)
    assert do("off", service).results == [(0, "Success: Already OFF")]
    assert service.resets == []


def test_reboot_ends_with_the_node_on(service: Service) -> None:
    assert do("reboot", service).results == [(0, "Success: Rebooted")]
    assert service.resets == ["ForceOff", "On"]
    assert service.truth() == ON


@pytest.mark.parametrize(
    "shown",
    ["PoweringOn", "PoweringOff", "Paused", "off", "OFF", 0, None, ["Off"], {}, True],
)
def test_only_the_word_off_is_off(service: Service, shown: object) -> None:
    service.shows = shown
    reading = service.bmc().power(service.clock.deadline(9.0))
    assert (reading.state, reading.answered) == (UNKNOWN, True)
    assert "neither on nor off" in failure_of("status", service)
    assert "is not proven off" in failure_of("off", service)
    assert "ForceOff" in service.resets, "a node that hangs in between is powered off"


def test_a_missing_power_state_is_not_off(service: Service) -> None:
    service.documents[SYSTEM] = {"Actions": {}}
    assert service.bmc().power(service.clock.deadline(9.0)).state == UNKNOWN


@pytest.mark.parametrize(
    ("allowed", "orders"),
    [
        (["On", "ForceOff"], ["ForceOff", "On"]),
        (["ForceOn", "ForceOff", "PushPowerButton"], ["ForceOff", "ForceOn"]),
        (None, ["ForceOff", "On"]),
    ],
)
def test_the_reset_is_one_that_the_system_allows(
    service: Service, allowed: object, orders: list[str]
) -> None:
    service.allowed = allowed
    do("reboot", service)
    assert service.resets == orders


def test_a_system_that_only_asks_the_node_is_no_fencing(service: Service) -> None:
    service.allowed = ["On", "GracefulShutdown", "PushPowerButton"]
    for action in ("off", "reboot", "monitor"):
        sentence = failure_of(action, service)
        assert "ForceOff, only On, GracefulShutdown, PushPowerButton" in sentence
    assert service.resets == []
    assert do("status", service).results == [(0, "Status: ON")]


def test_the_allowed_resets_may_stand_in_an_action_info(service: Service) -> None:
    info = f"{ROOT}/Systems/1/ResetActionInfo"
    reset = {"target": TARGET, "@Redfish.ActionInfo": info}
    service.documents[SYSTEM] = {
        "PowerState": "On",
        "Actions": {"#ComputerSystem.Reset": reset},
    }
    values = ["On", "GracefulShutdown"]
    service.documents[info] = {
        "Parameters": [{"Name": "ResetType", "AllowableValues": values}]
    }
    assert "only On, GracefulShutdown" in failure_of("off", service)


def test_several_systems_are_listed_and_none_is_chosen(service: Service) -> None:
    service.members = [SYSTEM, f"{ROOT}/Systems/2"]
    sentence = failure_of("off", service)
    assert f"systems_uri to one of {SYSTEM}, {ROOT}/Systems/2" in sentence
    assert service.resets == []


def test_a_service_with_hundreds_of_systems_lists_some(service: Service) -> None:
    service.members = [f"{ROOT}/Systems/{n}" for n in range(500)]
    assert failure_of("off", service).endswith("480 more")


def test_a_chosen_system_that_is_not_there_is_answered_with_those_that_are(
    service: Service,
) -> None:
    bmc = service.bmc()
    bmc._client.access.system = f"{ROOT}/Systems/9"
    with pytest.raises(diagnoses.UnknownSystem, match=f"one of {SYSTEM}"):
        bmc.power(service.clock.deadline(9.0))


def test_no_system_is_named(service: Service) -> None:
    service.members = []
    assert "shows no system" in failure_of("off", service)


def test_a_reset_is_sent_again_with_the_etag_that_the_service_demands(
    service: Service,
) -> None:
    service.fates = [428]
    assert do("off", service).results == [(0, "Success: Powered OFF")]
    assert service.resets == ["ForceOff", "ForceOff"]


@pytest.mark.parametrize("status", [409, 412, 429, 503])
def test_a_refusal_that_says_later_is_asked_again(
    service: Service, status: int
) -> None:
    service.fates = [status, status]
    notes = do("reboot", service)
    assert notes.results == [(0, "Success: Rebooted")]
    assert notes.warnings == []
    assert service.truth() == ON


def test_a_refusal_for_a_node_that_is_off_by_now_is_success(
    service: Service, clock: Clock
) -> None:
    service.fates = [400]
    service._coming = [(clock.now + 6 * service.asked_s, OFF)]
    assert do("off", service).results == [(0, "Success: Powered OFF")]
    assert service.resets == ["ForceOff"]


@pytest.mark.parametrize("status", [301, 400, 405])
def test_a_refusal_for_good_fails_at_once(
    service: Service, clock: Clock, status: int
) -> None:
    service.fates = [status]
    began = clock.now
    assert f"HTTP status {status}" in failure_of("off", service)
    assert clock.now - began < 1.0


def test_an_account_that_may_not_reset_is_told(service: Service) -> None:
    service.fates = [403]
    assert "Operator or Administrator" in failure_of("off", service)


def test_an_error_of_the_service_is_not_taken_for_a_refusal(service: Service) -> None:
    service.fates = [500]
    notes = do("reboot", service)
    assert service.resets[:2] == ["ForceOff", "ForceOff"]
    assert "On" not in service.resets, "the first off may still be carried out"
    assert "stays off" in notes.warnings[0]


def test_an_off_without_an_answer_keeps_the_node_off(service: Service) -> None:
    service.fates = [UNHEARD]
    notes = do("reboot", service)
    assert notes.results == [(0, "Success: Rebooted")]
    assert service.resets == ["ForceOff"]
    assert "stays off" in notes.warnings[0]


def test_a_service_that_cannot_be_reached_for_the_order_has_not_got_it(
    service: Service,
) -> None:
    bmc = service.bmc()
    bmc.power(service.clock.deadline(9.0))
    service.away = True
    receipt = bmc.order(OFF, service.clock.deadline(9.0))
    assert not receipt.sent
    service.away = False
    assert bmc.renew(service.clock.deadline(9.0))


def test_a_login_without_an_answer_is_no_order_without_one(service: Service) -> None:
    bmc = service.bmc()
    bmc.power(service.clock.deadline(9.0))
    service.open_sessions.clear()
    service.refusals[f"POST {SESSIONS}"] = [Answer(503, {}, b"")]
    receipt = bmc.order(OFF, service.clock.deadline(9.0))
    assert isinstance(receipt.failure, diagnoses.SessionsTaken)
    assert not receipt.sent
    assert bmc.renew(service.clock.deadline(9.0))


def test_on_waits_for_the_end_of_the_task_that_is_the_off(service: Service) -> None:
    service.fates = [TASKED]
    service.takes_s = 2.0
    notes = do("reboot", service)
    assert (notes.warnings, service.resets) == ([], ["ForceOff", "On"])
    assert f"GET {TASK}" in service.journal


def test_on_waits_until_a_repeated_off_must_have_been_carried_out(
    service: Service, clock: Clock
) -> None:
    service.takes_s = 4.5  # later than the off is repeated
    assert do("reboot", service).warnings == []
    assert service.resets == ["ForceOff", "ForceOff", "On"]
    clock.now += 60
    assert service.truth() == ON


def test_an_off_that_takes_long_and_was_repeated_keeps_the_node_off(
    service: Service, clock: Clock
) -> None:
    service.takes_s = 9.0
    notes = do("reboot", service)
    assert "stays off" in notes.warnings[0]
    clock.now += 60
    assert service.truth() == OFF


@pytest.mark.parametrize("fate", [DONE, UNHEARD, LATE, LOST, 500])
def test_a_cycle_goes_out_once(service: Service, fate: str | int) -> None:
    service.fates = [fate]
    try:
        do("reboot", service, BY_CYCLE)
    except AgentError:
        assert fate in (LATE, LOST, UNHEARD, 500)
    assert [kind for kind in service.resets if kind != "On"] == ["PowerCycle"]


def test_an_interrupt_goes_out_once(service: Service) -> None:
    service.fates = [UNHEARD]
    failure_of("diag", service)
    assert service.resets == ["Nmi"]


def test_a_session_that_the_service_ended_is_begun_anew(service: Service) -> None:
    bmc = service.bmc()
    bmc.power(service.clock.deadline(9.0))
    service.open_sessions.clear()
    assert bmc.order(OFF, service.clock.deadline(9.0)).failure is None
    assert service.resets == ["ForceOff"]


def test_a_bmc_that_knows_nobody_after_the_order_is_waited_for(
    service: Service,
) -> None:
    bmc = service.bmc()
    bmc.power(service.clock.deadline(9.0))
    bmc.order(OFF, service.clock.deadline(9.0))
    service.open_sessions.clear()
    service.refusals[f"POST {SESSIONS}"] = [Answer(401, {}, b"")]
    assert bmc.power(service.clock.deadline(9.0)).state == UNKNOWN
    assert bmc.power(service.clock.deadline(9.0)).state == OFF


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


def test_a_full_service_may_say_so_with_400(service: Service) -> None:
    told = {"error": {"code": "Base.1.5.SessionLimitExceeded"}}
    full = Answer(400, {}, json.dumps(told).encode())
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


RESETS = st.sampled_from([DONE, TASKED, UNHEARD, LOST, LATE, 409, 412, 429, 500, 503])


@settings(max_examples=500)
@given(
    fates=st.lists(RESETS, max_size=6),
    takes_s=st.floats(0.0, 12.0),
    asked_s=st.floats(0.001, 1.0),
    action=st.sampled_from(["off", "reboot"]),
)
def test_whatever_becomes_of_the_orders_nothing_false_is_claimed(
    fates: list[str | int], takes_s: float, asked_s: float, action: str
) -> None:
    clock = Clock()
    service = Service(clock, ON, takes_s)
    service.fates, service.asked_s = fates, asked_s
    notes = Notes()
    off_when_told = []
    notes.result = lambda *_: off_when_told.append(service.truth() == OFF)  # type: ignore[method-assign]
    began = clock.now
    bmc = service.bmc()
    try:
        carry_out(action, bmc, LIMITS, clock.deadline(40.0), notes)
    except AgentError:
        assert off_when_told == []
    bmc.close(clock.deadline(1.0))
    assert off_when_told in ([], [True])
    assert clock.now - began < 40.0 + 2.0
    clock.now += LATE_S + 60
    service.truth()
    assert not service.killed, "no late off kills a node that is on again"


def test_addresses_of_the_service_are_followed_and_no_others() -> None:
    client = Service(Clock()).bmc()._client
    assert client.own_path("/redfish/v1/") == "/redfish/v1/"
    assert client.own_path("https://BMC/a") == "/a"
    assert client.own_path("https://bmc:443/a#b") == "/a"
    for other in ("http://bmc/a", "https://evil/a", "https://bmc:8443/a", "//evil/a"):
        assert client.own_path(other) == ""
    assert path_in("https://other-name/a/b") == "/a/b"
    assert path_in("//evil/a") == path_in("a b") == ""


@pytest.mark.parametrize(
    "link", [None, "x", {}, {"@odata.id": 7}, {"@odata.id": "a"}, {"@odata.id": "/ü"}]
)
def test_a_link_that_cannot_be_followed_is_none(link: object) -> None:
    assert path_of({"it": link}, "it") == ""


@pytest.mark.parametrize(
    ("host", "port", "security", "shown"),
    [
        ("bmc", 443, "verified", "bmc"),
        ("bmc", 443, PLAIN, "bmc:443"),
        ("[fe80::1%eth0]", 8443, "verified", "[fe80::1]:8443"),
    ],
)
def test_an_address_is_written_as_http_wants_it(
    host: str, port: int, security: str, shown: str
) -> None:
    assert Access(host, port, "u", "p", security).authority == shown


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", ""),
        (b"[]", ""),
        (b'{"error": 7}', ""),
        (b'{"error": {"code": "Base.1.0.GeneralError"}}', "Base.1.0.GeneralError"),
        (b'{"error": {"@Message.ExtendedInfo": [{"MessageId": "A.B"}]}}', "A.B"),
        (b'{"error": {"@Message.ExtendedInfo": []}}', ""),
    ],
)
def test_what_a_service_says_to_an_error_is_read_with_care(
    body: bytes, message: str
) -> None:
    assert message_of(Answer(400, {}, body)) == message


def test_a_wait_that_the_service_asks_for_is_read_in_seconds_only() -> None:
    given = {"5": 5.0, "-1": 0.0, "Wed, 21 Oct": 0.0, "999999": 0.0, "": 0.0}
    for text, seconds in given.items():
        assert retry_after_s(Answer(503, {"retry-after": text}, b"")) == seconds


def test_words_of_a_service_cannot_mislead_the_fencer() -> None:
    assert diagnoses.harmless("Base.1.0.OperationTimeout") == ""
    assert diagnoses.harmless("\x1b[31m") == ""
    assert diagnoses.harmless("x" * 5000) == "x" * 100
