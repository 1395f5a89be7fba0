"""Two paths to a BMC, a monitor's proof, and a controller behind it."""

from __future__ import annotations

import pytest
from bmc.plan import Plan, User
from unit.fence.virtual.room import FALLBACK, PRIMARY, Room

from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.fence.ipmi import diagnoses
from vmha.fence.ipmi.access import Access
from vmha.fence.protocol.sequence import OFF, ON, UNKNOWN


@pytest.fixture
def room() -> Room:
    """Return a healthy BMC."""
    return Room()


def test_a_dead_path_leaves_the_other_its_time(room: Room) -> None:
    room.add_fallback()
    room.links[PRIMARY].cut()
    bmc = room.bmc(fallback=FALLBACK)
    begin = room.world.now
    assert bmc.power(room.world.deadline(6)).state == ON
    assert room.world.now - begin < 3.5
    bmc.close(room.world.deadline(1))
    begin = room.world.now
    assert bmc.power(room.world.deadline(6)).state == ON
    assert room.world.now - begin < 0.1, "the path that worked last is tried first"


def test_a_path_that_falls_silent_is_left_for_the_other(room: Room) -> None:
    room.add_fallback()
    bmc = room.bmc(fallback=FALLBACK)
    assert bmc.power(room.world.deadline(9)).state == ON
    room.links[PRIMARY].cut()
    begin = room.world.now
    assert bmc.power(room.world.deadline(9)).state == ON
    assert room.world.now - begin < 3.2


def test_two_dead_paths_are_both_named(room: Room) -> None:
    room.add_fallback()
    for link in room.links.values():
        link.cut()
    reading = room.bmc(fallback=FALLBACK).power(room.world.deadline(20))
    assert reading.state == UNKNOWN
    assert isinstance(reading.failure, Unreachable)
    assert "first port 623" in str(reading.failure)
    assert "second port 623" in str(reading.failure)


def test_a_busy_path_can_be_asked_again() -> None:
    room = Room(Plan(sessions=0))
    room.links[FALLBACK] = room.links[PRIMARY]
    room.links[PRIMARY] = room.link(room.server)
    room.links[PRIMARY].cut()
    reading = room.bmc(fallback=FALLBACK).power(room.world.deadline(20))
    assert isinstance(reading.failure, diagnoses.SessionsTaken)


def test_another_bmc_is_never_read_as_this_one(room: Room) -> None:
    room.add_fallback(Plan(guid="00" * 15 + "07", is_on=False))
    bmc = room.bmc(fallback=FALLBACK)
    assert bmc.power(room.world.deadline(9)).state == ON
    room.links[PRIMARY].cut()
    with pytest.raises(diagnoses.OtherBmc, match="fallback_ip"):
        bmc.power(room.world.deadline(9))
    assert room.links[FALLBACK].server.sessions == {}


@pytest.mark.parametrize("guid", ["00" * 16, "ff" * 16])
def test_bmcs_without_an_identity_are_not_told_apart(guid: str) -> None:
    room = Room(Plan(guid=guid))
    room.add_fallback()
    bmc = room.bmc(fallback=FALLBACK)
    assert bmc.power(room.world.deadline(9)).state == ON
    assert bmc.prove(room.world.deadline(9)) == ""


# A monitor's proof.


def test_a_healthy_bmc_is_proven_without_an_order(room: Room) -> None:
    assert room.bmc().prove(room.world.deadline(9)) == ""
    assert room.node.orders == []


@pytest.mark.parametrize(
    ("plan", "diagnosis", "words"),
    [
        (Plan(updating=True), diagnoses.Updating, "updates its firmware"),
        (Plan(disabled_commands=(2,)), diagnoses.OrderDisabled, "Chassis Control"),
        (Plan(disabled_orders=(0,)), diagnoses.OrderDisabled, "power down"),
        (
            Plan(users=(User("admin", privilege=2),)),
            diagnoses.PrivilegeTooLow,
            "operator or administrator",
        ),
        (
            Plan(users=(User("admin", privilege=2),), too_low_at="order"),
            diagnoses.PrivilegeTooLow,
            "only user",
        ),
    ],
)
def test_a_bmc_that_would_not_fence_fails_the_monitor(
    plan: Plan, diagnosis: type[AgentError], words: str
) -> None:
    room = Room(plan)
    with pytest.raises(diagnosis, match=words):
        room.bmc().prove(room.world.deadline(9))
    assert room.node.orders == []


@pytest.mark.parametrize("privilege", ["callback", "user"])
def test_a_privilege_that_cannot_fence_fails_the_monitor(privilege: str) -> None:
    room = Room(Plan(users=(User("admin"),)))
    with pytest.raises(diagnoses.PrivilegeNotWanted, match="privlvl=operator"):
        room.bmc(privilege=privilege).prove(room.world.deadline(9))


def test_an_operator_is_enough() -> None:
    room = Room(Plan(users=(User("admin", privilege=3),)))
    assert room.bmc().prove(room.world.deadline(9)) == ""


def test_questions_that_a_bmc_refuses_prove_nothing_against_it() -> None:
    optional = ("session info", "channel access", "user access", "enables", "device")
    room = Room(Plan(missing=(*optional, "sub-function enables")))
    assert room.bmc().prove(room.world.deadline(9)) == ""


def test_questions_that_a_bmc_ignores_prove_nothing_against_it() -> None:
    room = Room(Plan(session_answers=3))  # each session is silent from then on
    assert room.bmc().prove(room.world.deadline(60)) == ""


def test_a_bmc_that_fell_silent_fails_the_monitor(room: Room) -> None:
    bmc = room.bmc()
    bmc.power(room.world.deadline(9))
    room.links[PRIMARY].cut()
    with pytest.raises(Unreachable):
        bmc.prove(room.world.deadline(9))


def test_the_last_free_session_is_told() -> None:
    room = Room(Plan(sessions=1))
    assert "all 1 sessions" in room.bmc().prove(room.world.deadline(9))


def test_a_dead_second_path_is_told(room: Room) -> None:
    room.add_fallback()
    room.links[FALLBACK].cut()
    told = room.bmc(fallback=FALLBACK).prove(room.world.deadline(9))
    assert "second port 623, is of no use now" in told
    room.links[PRIMARY].cut()
    room.links[FALLBACK].is_cut = False
    told = room.bmc(fallback=FALLBACK).prove(room.world.deadline(20))
    assert "first port 623, is of no use now" in told


def test_a_second_path_to_another_bmc_fails_the_monitor(room: Room) -> None:
    room.add_fallback(Plan(guid="00" * 15 + "07"))
    with pytest.raises(diagnoses.OtherBmc, match=room.plan.guid):
        room.bmc(fallback=FALLBACK).prove(room.world.deadline(9))


# A controller behind the BMC.


@pytest.mark.parametrize("embeds", [False, True])
def test_a_target_is_read_and_ordered_instead_of_the_bmc(embeds: bool) -> None:
    room = Room(Plan(bridge=0x30, embeds_bridged=embeds))
    bmc = room.bmc(target=0x30)
    assert bmc.power(room.world.deadline(9)).state == ON
    assert bmc.order(OFF, room.world.deadline(9)).failure is None
    assert bmc.power(room.world.deadline(9)).state == OFF
    assert room.server.bridged.names() == ["off"]
    assert room.node.names() == []
    assert bmc.renew(room.world.deadline(9))
    assert bmc.order(ON, room.world.deadline(9)).failure is None
    assert room.server.bridged.is_on
    assert bmc.prove(room.world.deadline(9)) == ""


def test_a_target_that_is_not_there_is_named(room: Room) -> None:
    room = Room(Plan(bridge=0x30))
    bmc = room.bmc(target=0x42)
    reading = bmc.power(room.world.deadline(9))
    assert reading.state == UNKNOWN
    assert "check the parameter target" in str(reading.failure)
    assert bmc.order(OFF, room.world.deadline(9)).failure


def test_a_target_that_falls_silent_is_named() -> None:
    room = Room(Plan(bridge=0x30, session_answers=1))
    reading = room.bmc(target=0x30).power(room.world.deadline(9))
    assert isinstance(reading.failure, Unreachable)
    assert "controller 0x30 behind it" in str(reading.failure)


def test_the_bmcs_own_address_is_no_target() -> None:
    assert Access("a", 623, b"", b"", target=0x20).target is None
