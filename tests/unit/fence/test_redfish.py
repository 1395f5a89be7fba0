"""Orders and readings of fence_vmha_redfish, at a Redfish service in virtual time."""

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
    LIMITS,
    LOST,
    ROOT,
    SESSIONS,
    SYSTEM,
    TARGET,
    TASK,
    TASKED,
    UNHEARD,
    Service,
    do,
    failure_of,
)

from vmha.agents.protocol.errors import AgentError
from vmha.fence.protocol.actions import Limits, carry_out
from vmha.fence.protocol.sequence import OFF, ON, UNKNOWN
from vmha.fence.redfish import diagnoses
from vmha.fence.redfish.channel import Answer

BY_CYCLE = Limits(power_s=30.0, on_orders=2, by_cycle=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> Service:
    return Service(clock)


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


def test_a_part_of_a_list_of_systems_is_not_taken_for_the_whole(
    service: Service,
) -> None:
    members = [{"@odata.id": SYSTEM}]
    for more in ({"Members@odata.count": 2}, {"Members@odata.nextLink": "/more"}):
        service.documents[f"{ROOT}/Systems"] = {"Members": members, **more}
        assert "list of systems" in failure_of("off", service)
    service.documents[f"{ROOT}/Systems"] = {
        "Members": members,
        "Members@odata.count": 1,
    }
    assert do("off", service).results == [(0, "Success: Powered OFF")]


def test_the_power_of_a_chassis_is_not_that_of_the_node(service: Service) -> None:
    kind = "#Chassis.v1_25_0.Chassis"
    service.documents[SYSTEM] = {"@odata.type": kind, "PowerState": "Off"}
    for action in ("off", "status"):
        assert "is no ComputerSystem (#Chassis" in failure_of(action, service)


def test_no_system_is_named(service: Service) -> None:
    service.members = []
    assert "shows no system" in failure_of("off", service)


def test_a_reset_is_sent_again_with_the_etag_that_the_service_demands(
    service: Service,
) -> None:
    service.fates = [428]
    assert do("off", service).results == [(0, "Success: Powered OFF")]
    assert service.resets == ["ForceOff", "ForceOff"]


def test_a_service_that_is_busy_and_names_no_time_may_do_it_all_the_same(
    service: Service,
) -> None:
    service.fates = [503]
    notes = do("reboot", service)
    assert notes.results == [(0, "Success: Rebooted")]
    assert "stays off" in notes.warnings[0]
    assert service.truth() == OFF
    assert service.resets == ["ForceOff", "ForceOff"]


@pytest.mark.parametrize("status", [409, 412, 429])
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


def test_a_full_service_may_say_so_with_400(service: Service) -> None:
    told = {"error": {"code": "Base.1.5.SessionLimitExceeded"}}
    full = Answer(400, {}, json.dumps(told).encode())
    service.refusals[f"POST {SESSIONS}"] = [full] * 99
    assert "all sessions of the BMC" in failure_of("status", service)


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


def test_a_read_that_our_own_deadline_cuts_off_blames_nobody(service: Service) -> None:
    bmc = service.bmc()
    bmc.power(service.clock.deadline(9.0))
    service.asked_s = 20.0
    assert bmc.power(service.clock.deadline(0.5)).failure is None
    assert isinstance(
        bmc.power(service.clock.deadline(9.0)).failure, diagnoses.FellSilent
    )


@pytest.mark.parametrize("action", ["off", "reboot", "status", "monitor"])
def test_a_bmc_that_takes_four_seconds_for_each_answer_is_used_all_the_same(
    service: Service, action: str
) -> None:
    service.asked_s = 4.0
    assert do(action, service).results[0][0] == 0


def test_a_bmc_that_cannot_be_connected_to_is_given_up_soon(
    service: Service, clock: Clock
) -> None:
    service.away = True
    began = clock.now
    assert "does not answer" in failure_of("off", service)
    assert clock.now - began < 5.5
