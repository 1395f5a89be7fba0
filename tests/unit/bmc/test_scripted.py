"""The scripted BMC does what its plan says, and nothing else."""

from __future__ import annotations

import pytest
from bmc import frames
from bmc.node import Node
from bmc.plan import Plan, User
from unit.bmc.console import Console

STATUS = (0x00, 0x01)
OFF, ON, CYCLE, DIAG = ((0x00, 0x02, order) for order in (0, 1, 2, 4))
SHOWN_ON, SHOWN_OFF = (0, b"\x21\0\0"), (0, b"\x20\0\0")
DONE = (0, b"")


def logged_in(plan: Plan, privilege: int = 4, name: bytes = b"admin") -> Console:
    """Return a console with a session that has risen to its privilege."""
    console = Console(plan)
    console.log_in(privilege, name)
    console.ask(0x06, 0x3B, privilege)
    return console


class Time:
    """A clock for a node alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_plan_is_read_back_from_its_text() -> None:
    plan = Plan(
        users=(User("root", "secret", 3),),
        codes={"off": (0xC0, 0xD5)},
        false_reads=(1, None, 0),
        silences=((1.0, 2.0),),
        lengths={"status": (2, None)},
    )
    assert Plan.from_json(plan.to_json()) == plan
    assert Plan.from_json("{}") == Plan()


def test_power_follows_orders_after_its_time() -> None:
    time = Time()
    node = Node(Plan(off_s=2, on_s=1), time)
    node.order(0, session=7)
    time.now = 1.5
    node.order(0, session=8)
    time.now = 2.5
    assert (node.was_on(1.5), node.was_on(2.5)) == (True, False)
    assert (node.was_on(1.9), node.was_on(2.0)) == (True, False)
    time.now = 60.0
    assert len(node.changes) == 2, "the second off came while the first was under way"
    node.order(1, session=9)
    time.now = 61.0
    assert node.was_on(61.0)
    assert [order.session for order in node.orders] == [7, 8, 9]


def test_a_cycle_is_off_for_its_time_and_nothing_to_a_node_that_is_off() -> None:
    time = Time()
    node = Node(Plan(off_s=1, cycle_s=2), time)
    node.order(2, session=1)
    seen = []
    for time.now in (0.5, 1.5, 2.5, 3.5):
        seen.append(node.is_on)
    assert seen == [True, False, False, True]
    node.set_power(False)
    node.order(2, session=1)
    time.now = 60.0
    assert not node.is_on


def test_orders_are_ignored_and_reads_are_false_as_planned() -> None:
    plan = Plan(ignored={"off": 1}, false_reads=(0, None), lie=1)
    console = logged_in(plan)
    assert [console.ask(*STATUS) for _ in range(2)] == [SHOWN_OFF, SHOWN_ON]
    power = []
    for _ in range(2):
        assert console.ask(*OFF) == DONE
        power.append(console.server.node.is_on)
    assert power == [True, False]
    assert console.ask(*STATUS) == SHOWN_ON
    assert [order.is_done for order in console.server.node.orders] == [False, True]


def test_codes_come_first_and_then_all_is_well() -> None:
    console = logged_in(Plan(codes={"off": (0xC0, 0xD5), "status": (0xC3,)}))
    assert [console.ask(*OFF) for _ in range(3)] == [(0xC0, b""), (0xD5, b""), DONE]
    assert [console.ask(*STATUS) for _ in range(2)] == [(0xC3, b""), SHOWN_OFF]
    assert console.server.node.names() == ["off"]


def test_an_order_can_be_carried_out_though_it_was_refused() -> None:
    console = logged_in(Plan(codes={"off": (0xC3,)}, carries_out_refused=True))
    assert console.ask(*OFF) == (0xC3, b"")
    assert not console.server.node.is_on


@pytest.mark.parametrize("length", [0, 1, 2, 4, 16])
def test_an_answer_has_the_length_that_is_planned(length: int) -> None:
    console = logged_in(Plan(lengths={"status": (length, None)}))
    first = console.ask(*STATUS)
    assert first == (0, b"\x21\0\0".ljust(length, b"\0")[:length])
    assert console.ask(*STATUS) == SHOWN_ON


def test_packets_meet_their_fates() -> None:
    # The first four are those of login and of the privilege.
    console = logged_in(Plan(fates=("", "", "", "", "lost", "twice", "cut 20")))
    assert console.ask(*STATUS) is None
    answers = console.send(console.packet(*STATUS))
    assert len(answers) == 2
    assert answers[0] == answers[1]
    (short,) = console.send(console.packet(*STATUS))
    assert len(short) == 20
    assert console.ask(*STATUS) == SHOWN_ON


def test_garbage_is_as_long_as_the_answer_and_no_packet() -> None:
    console = logged_in(Plan(fates=("", "", "", "", "garbage")))
    (garbage,) = console.send(console.packet(*STATUS))
    assert frames.read_envelope(garbage) is None
    assert console.ask(*STATUS) == SHOWN_ON


def test_a_closed_session_carries_nothing_more() -> None:
    console = logged_in(Plan())
    late = console.packet(*OFF)
    number = console.session.to_bytes(4, "little")
    assert console.ask(0x06, 0x3C, *number) == DONE
    assert console.send(late) == []
    assert console.server.node.orders == []
    console.log_in()
    assert console.ask(0x06, 0x3C, *number) == (0x87, b"")


@pytest.mark.parametrize("executes", [True, False])
def test_a_packet_that_comes_twice_is_carried_out_again_or_not(executes: bool) -> None:
    console = logged_in(Plan(executes_duplicates=executes))
    packet = console.packet(*OFF)
    assert console.send(packet)
    assert bool(console.send(packet)) is executes
    assert console.server.node.names() == ["off"] * (2 if executes else 1)


def test_the_sliding_window_takes_what_is_late_but_not_what_is_too_late() -> None:
    console = logged_in(Plan(executes_duplicates=False))
    late, too_late = console.packet(*OFF), console.packet(*OFF)
    for _ in range(15):
        assert console.ask(*STATUS)
    assert console.send(late)
    for _ in range(15):
        assert console.ask(*STATUS)
    assert console.send(too_late) == []
    assert console.server.node.names() == ["off"]


def test_a_foreign_or_unsigned_packet_is_not_carried_out() -> None:
    console = logged_in(Plan())
    packet = bytearray(console.packet(*OFF))
    packet[-1] ^= 1
    assert console.send(bytes(packet)) == []
    assert console.send(b"") == []
    assert console.send(b"\x06\0\xff\x07") == []
    assert console.server.node.orders == []


def test_an_idle_session_ends() -> None:
    console = logged_in(Plan(idle_s=60))
    console.now += 59
    assert console.ask(*STATUS) == SHOWN_ON
    console.now += 60
    assert console.ask(*STATUS) is None


def test_a_restart_loses_every_session_and_is_deaf_for_its_time() -> None:
    console = logged_in(Plan(restarts=(5.0,), restart_s=3))
    console.now += 5
    assert console.send(frames.bare(frames.OPEN, console.proposal())) == []
    console.now += 3
    assert console.ask(*STATUS) is None
    console.log_in()
    assert console.ask(*STATUS) == SHOWN_ON


def test_sessions_run_out_and_come_back() -> None:
    console = logged_in(Plan(sessions=1))
    (refused,) = console.send(frames.bare(frames.OPEN, console.proposal()))
    envelope = frames.read_envelope(refused)
    assert envelope is not None
    assert envelope.payload[1] == 0x01
    assert console.ask(0x06, 0x3C, *console.session.to_bytes(4, "little")) == DONE
    console.log_in()


@pytest.mark.parametrize("is_deaf", [True, False])
def test_silence_in_the_middle_is_deaf_or_only_mute(is_deaf: bool) -> None:
    console = logged_in(Plan(answers=2, is_deaf=is_deaf))
    assert console.ask(*STATUS) == SHOWN_ON
    assert console.ask(*OFF) is None
    assert console.server.node.is_on is is_deaf
    assert console.send(frames.bare(frames.OPEN, console.proposal())) == []


def test_each_session_falls_silent_and_the_next_one_can_begin() -> None:
    console = logged_in(Plan(session_answers=1))
    assert console.ask(*STATUS) is None
    console.log_in()
    assert console.ask(*STATUS) == SHOWN_ON
    assert console.ask(*OFF) is None
    assert console.server.node.is_on


def test_silence_has_a_beginning_and_an_end() -> None:
    console = logged_in(Plan(silences=((1.0, 2.0),)))
    seen = []
    for _ in range(3):
        seen.append(console.ask(*STATUS))
        console.now += 1
    assert seen == [SHOWN_ON, None, SHOWN_ON]


def test_a_user_may_look_but_not_order() -> None:
    console = logged_in(Plan(), privilege=2, name=b"user")
    assert console.ask(*STATUS) == SHOWN_ON
    assert console.ask(*OFF) == (0xD4, b"")
    assert console.ask(0x06, 0x3B, 3) == (0x81, b"")
    assert console.server.node.orders == []


def test_a_privilege_that_is_too_low_shows_where_it_is_planned() -> None:
    with pytest.raises(AssertionError, match="payload"):
        logged_in(Plan(), privilege=4, name=b"user")
    console = Console(Plan(too_low_at="session"))
    console.log_in(4, b"user")
    assert console.ask(0x06, 0x3B, 4) == (0x81, b"")
    console = logged_in(Plan(too_low_at="order"), 4, b"user")
    assert console.ask(*OFF) == (0xD4, b"")


def test_another_controller_is_reached_through_the_bridge() -> None:
    head, body = bytes((0x72, 0x00)), bytes((0x20, 0x04, 0x01))
    inner = head + frames.checksum(head) + body + frames.checksum(body)
    console = logged_in(Plan(bridge=0x72))
    answers = console.send(console.packet(0x06, 0x34, 0x40, *inner))
    assert [console.read(answer) for answer in answers] == [DONE, SHOWN_ON]
    console = logged_in(Plan(bridge=0x72, embeds_bridged=True))
    answer = console.ask(0x06, 0x34, 0x40, *inner)
    assert answer is not None
    assert answer[1][6:-1] == b"\0\x21\0\0"
    console = logged_in(Plan(bridge=0x20))
    assert console.ask(0x06, 0x34, 0x40, *inner) == (0x83, b"")
    console = logged_in(Plan())
    assert console.ask(0x06, 0x34, 0x40, *inner) == (0xC1, b"")


def test_what_is_enabled_is_told_bit_by_bit() -> None:
    console = logged_in(Plan(disabled_commands=(2,), disabled_orders=(0, 2)))
    enabled = console.ask(0x06, 0x61, 0x0E, 0x00, 0x00)
    assert enabled == (0, b"\xfb" + b"\xff" * 15)
    assert console.ask(0x06, 0x63, 0x0E, 0x00, 0x00, 0x02) == (0, b"\xfa\xff\xff\xff")
    console = logged_in(Plan(missing=("enables",)))
    assert console.ask(0x06, 0x61, 0x0E, 0x00, 0x00) == (0xC1, b"")


def test_users_and_the_state_of_the_firmware_are_told() -> None:
    console = logged_in(Plan(updating=True))
    device = console.ask(0x06, 0x01)
    assert device is not None
    assert device[1][2] & 0x80
    info = console.ask(0x06, 0x3D, 0x00)
    assert info is not None
    assert (info[1][3], info[1][4]) == (2, 4)
    access = console.ask(0x06, 0x44, 0x01, 4)
    assert access is not None
    assert access[1][3] & 0x0F == 2
    assert console.ask(0x06, 0x46, 4) == (0, b"user".ljust(16, b"\0"))
    assert console.ask(0x06, 0x44, 0x01, 9) == (0xCC, b"")
