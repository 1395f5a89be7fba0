"""Logins, orders and the end of sessions, in virtual time."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from bmc.frames import RMCP_IPMI, Request
from bmc.plan import Plan, User
from bmc.proxy import Trouble
from bmc.simulator import PASSWORD
from unit.fence.virtual.room import FALLBACK, PRIMARY, Room
from unit.fence.virtual.world import Link

from vmha.agents.protocol.errors import AgentError
from vmha.fence.ipmi import diagnoses
from vmha.fence.protocol.sequence import CYCLE, DIAG, OFF, ON


@pytest.fixture
def room() -> Room:
    """Return a healthy BMC."""
    return Room()


# Orders, and what must be past before a power on.


@pytest.mark.parametrize("order", [CYCLE, DIAG])
def test_an_order_that_may_come_once_is_sent_once(room: Room, order: str) -> None:
    room.links[PRIMARY] = room.link(room.server, session_packets=2)
    bmc = room.bmc()
    assert bmc.power(room.world.deadline(9)).state == ON
    begin = room.server.received
    receipt = bmc.order(order, room.world.deadline(9))
    assert receipt.sent
    assert isinstance(receipt.failure, diagnoses.FellSilent)
    assert room.server.received == begin, "neither the order nor a second one came"
    room.links[PRIMARY] = room.link(room.server)
    bmc.power(room.world.deadline(9))
    assert room.node.orders == [], "nor in the session that follows"


def test_an_order_whose_answer_is_lost_is_done_once(room: Room) -> None:
    room = Room(Plan(codes={}, session_answers=2, is_deaf=False))
    bmc = room.bmc()
    bmc.power(room.world.deadline(9))
    assert bmc.order(CYCLE, room.world.deadline(9)).sent
    assert room.node.names() == ["cycle"]


def test_on_waits_for_the_end_of_a_session_that_carried_a_refused_off() -> None:
    room = Room(Plan(codes={"off": (0xC0,)}))
    bmc = room.bmc()
    assert not bmc.order(OFF, room.world.deadline(9)).sent
    bmc.order(ON, room.world.deadline(9))
    assert len({order.session for order in room.node.orders}) == 1
    assert room.server.logins == 2


def test_no_on_leaves_when_the_end_is_not_confirmed() -> None:
    room = Room(Plan(codes={"close": (0xCC,) * 9}))
    bmc = room.bmc()
    assert bmc.order(OFF, room.world.deadline(9)).failure is None
    with pytest.raises(diagnoses.OffMayArrive, match="by hand"):
        bmc.order(ON, room.world.deadline(5))
    assert room.node.names() == ["off"]


def test_every_silent_session_that_carried_an_off_is_ended_before_on() -> None:
    room = Room(Plan(session_answers=2, is_deaf=False, codes={"off": (0, 0, 0, 0)}))
    bmc = room.bmc()
    for _ in range(2):
        bmc.power(room.world.deadline(20))
        assert bmc.order(OFF, room.world.deadline(20)).sent
    assert bmc.renew(room.world.deadline(20))
    assert len(room.server.sessions) <= 1


def test_a_bmc_that_lost_its_sessions_confirms_that_they_are_gone(room: Room) -> None:
    bmc = room.bmc()
    bmc.order(OFF, room.world.deadline(9))
    room.server.restart()
    assert bmc.renew(room.world.deadline(9))


def test_an_unknown_session_is_gone_only_on_the_path_it_was_opened_on(
    room: Room,
) -> None:
    room.add_fallback()
    bmc = room.bmc(fallback=FALLBACK)
    bmc.order(OFF, room.world.deadline(9))
    room.server.restart()
    room.links[PRIMARY].cut()
    assert not bmc.renew(room.world.deadline(9))


def test_a_session_of_a_dead_path_is_ended_by_the_other(room: Room) -> None:
    room.add_fallback()
    bmc = room.bmc(fallback=FALLBACK)
    bmc.order(OFF, room.world.deadline(9))
    room.links[PRIMARY].cut()
    assert bmc.renew(room.world.deadline(9))
    assert len(room.server.sessions) == 1


def test_a_late_answer_is_not_taken_for_that_to_another_request(room: Room) -> None:
    one, other = room.session(), room.session()
    room.links[PRIMARY] = Link(room.world, room.server, Trouble(delay_s=0.4))
    slow = room.session()
    with pytest.raises(diagnoses.FellSilent):
        slow.close_other(one.number, True, room.world.deadline(0.7))
    # Now the answer to that is under way, and must not count for this:
    with pytest.raises(diagnoses.FellSilent):
        slow.close_other(other.number, True, room.world.deadline(0.2))


def test_a_slow_bmc_is_given_its_time_to_log_in(room: Room) -> None:
    room.links[PRIMARY] = Link(room.world, room.server, Trouble(delay_s=0.4))
    begin = room.world.now
    assert room.session().granted == 4
    assert room.world.now - begin < 5 * 0.8 + 0.1, "an answer per question, none anew"


def test_closing_its_own_session_is_confirmed_by_zero_only() -> None:
    room = Room(Plan(codes={"close": (0x87,)}))
    assert not room.session().close(room.world.deadline(1))
    assert room.session().close(room.world.deadline(1))


# Login.


@pytest.mark.parametrize(
    ("plan", "diagnosis", "words"),
    [
        (Plan(users=()), diagnoses.WrongUser, "check username"),
        (Plan(users=(User("admin", "x"),)), diagnoses.WrongPassword, "check password"),
        (Plan(key="aabb"), diagnoses.WrongKey, "hexadecimal_kg"),
        (Plan(suites=(), suite_status=0x11), diagnoses.SuiteRefused, "cipher=auto"),
        (Plan(only_1_5=True), diagnoses.OldProtocol, "enable IPMI 2.0"),
        (Plan(sessions=0), diagnoses.SessionsTaken, "sessions are taken"),
        (Plan(sessions=0, full_status=0x0B), diagnoses.SessionsTaken, "ask it less"),
        (Plan(users=(User("admin", privilege=2),)), diagnoses.PrivilegeTooLow, "role"),
        (Plan(rakp2_status=(0x12,)), diagnoses.LoginRefused, "table 13-15"),
        (Plan(silences=((0, 99),)), diagnoses.NoAnswer, "cable and power"),
        (
            Plan(users=(), unknown_user=None),
            diagnoses.LoginUnanswered,
            "username and password, which some BMCs ignore",
        ),
        (
            Plan(suites=(), suite_status=None),
            diagnoses.LoginUnanswered,
            "the parameter cipher, which some BMCs ignore",
        ),
    ],
)
def test_each_refusal_of_login_is_one_sentence_with_the_next_step(
    plan: Plan, diagnosis: type[AgentError], words: str
) -> None:
    room = Room(plan)
    with pytest.raises(diagnosis, match=words) as caught:
        room.session()
    assert "\n" not in str(caught.value)
    assert "time" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_name_that_nobody_knows_is_named(room: Room) -> None:
    with pytest.raises(diagnoses.NameUnresolved, match="nobody"):
        room.session(host="nobody")


def test_a_key_exchange_that_reached_the_bmc_twice_is_no_wrong_password() -> None:
    assert Room(Plan(rakp4_status=(0x0F, 0x02))).session().number
    with pytest.raises(diagnoses.WrongPassword):
        Room(Plan(rakp4_status=(0x0F,) * 9)).session()


def test_logins_that_were_given_up_do_not_occupy_sessions() -> None:
    room = Room(Plan(fates=("", "", "", "lost", "lost")))  # RAKP 4 does not come
    room.session()
    room.world.sleep(1)
    assert room.server.logins == 2
    assert len(room.server.sessions) == 1


def test_a_login_whose_privilege_is_not_answered_is_ended() -> None:
    room = Room(Plan(session_answers=0, is_deaf=False))
    with pytest.raises(diagnoses.LoginUnanswered):
        room.session()
    room.world.sleep(1)
    assert room.server.sessions == {}


# Answers that are not what IPMI says.


def test_the_end_of_a_session_is_believed_only_if_it_is_signed(room: Room) -> None:
    session = room.session()
    room.links[PRIMARY].cut()
    wire = session._wire
    for code in (0x00, 0x87):
        for sequence in range(64):
            request = Request(0x20, 0x06, 0, 0x81, sequence << 2, 0x3C, b"")
            payload = request.answer(code)
            head = struct.pack("<BBIIH", 6, 0, wire.localsid, 99, len(payload))
            wire.channel._arrived.append(RMCP_IPMI + head + payload)  # type: ignore[attr-defined]
    assert not session.close(room.world.deadline(1))


def test_a_forged_packet_of_ipmi_1_5_changes_nothing_in_a_session(room: Room) -> None:
    session = room.session()
    forged = bytes.fromhex("0600ff0700") + struct.pack("<IIB", 2**31, 0, 1) + b"\0"
    session._wire.channel._arrived.append(forged)  # type: ignore[attr-defined]
    assert session.command(0, 1, (), room.world.deadline(2))[0] == 0


def test_answers_cut_anywhere_are_as_if_lost() -> None:
    for size in range(0, 70, 3):
        plan = replace(Plan(), fates=("", f"cut {size}", "", f"cut {size}", "", ""))
        assert Room(plan).session().granted == 4
