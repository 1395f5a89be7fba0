"""What a BMC answers becomes a reading, a receipt or a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.fence.devices import Clock

from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.fence.ipmi import diagnoses, paths
from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.power import Bmc
from vmha.fence.protocol.sequence import OFF, ON, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.ipmi.network import Network

CONTROL = 0x02
SILENT = diagnoses.FellSilent("it")


class FakeSession:
    """A session that answers from the story of its BMC."""

    def __init__(self, story: Story, number: int, path: Access) -> None:
        self.story = story
        self.number = number
        self.suite = 3
        self.granted = 4
        self.guid = b""
        self.path = path
        self.peer = ("10.0.0.1", 623)
        self.is_silent = False

    def command(
        self,
        netfn: int,
        command: int,
        data: Sequence[int],
        _deadline: Deadline,
        once: bool,
        target: int | None,
    ) -> tuple[int, bytes]:
        assert netfn == 0
        assert target is None
        self.story.journal.append((self.number, command, *data))
        self.story.once.append(once)
        answer = self.story.answers.pop(0)
        if isinstance(answer, AgentError):
            self.is_silent = True
            raise answer
        return answer

    def close(self, _deadline: Deadline) -> bool:
        self.story.journal.append((self.number, "close"))
        return self.story.confirms

    def close_other(self, number: int, is_same_path: bool, _: Deadline) -> bool:
        assert is_same_path
        self.story.journal.append((self.number, "close", number))
        return self.story.confirms_later


class Story:
    """What logins and commands will meet, and what happened."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes] | AgentError] = []
        self.logins: list[AgentError] = []
        self.confirms = True
        self.confirms_later = True
        self.opened = 0
        self.journal: list[tuple[object, ...]] = []
        self.once: list[bool] = []

    def open(
        self, access: Access, _deadline: Deadline, _network: Network
    ) -> FakeSession:
        if self.logins:
            raise self.logins.pop(0)
        self.opened += 1
        return FakeSession(self, self.opened, access)


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    """Return the story that the next BMC lives in."""
    told = Story()
    monkeypatch.setattr(paths, "open_session", told.open)
    return told


@pytest.fixture
def deadline() -> Deadline:
    """Return a minute of virtual time."""
    return Clock().deadline(60)


@pytest.fixture
def bmc(story: Story) -> Bmc:
    """Return the BMC of the story."""
    assert story.opened == 0
    return Bmc(Access("10.0.0.1", 623, b"admin", b"secret"), 5, 3, 0)


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (b"\x00\x00\x00", OFF),
        (b"\x01\x00\x00", ON),
        (b"\x61\x10\x40\x00", ON),
        (b"\x60\x10\x40", OFF),
        (b"\x1e\x00\x00", OFF),  # overload, interlock and faults, and no power
        (b"", UNKNOWN),
        (b"\x00", UNKNOWN),
        (b"\x00\x00", UNKNOWN),
    ],
)
def test_chassis_status_is_read_by_its_first_bit(
    story: Story, bmc: Bmc, deadline: Deadline, data: bytes, state: str
) -> None:
    story.answers = [(0, data)]
    assert bmc.power(deadline).state == state


@pytest.mark.parametrize("code", [0xC0, 0xC3, 0xD5, 0xFF, 0x80])
def test_a_completion_code_is_not_off(
    story: Story, bmc: Bmc, deadline: Deadline, code: int
) -> None:
    story.answers = [(code, b"\x00\x00\x00")]
    reading = bmc.power(deadline)
    assert reading.state == UNKNOWN
    assert reading.failure


@pytest.mark.parametrize(
    ("code", "diagnosis", "sent"),
    [
        (0xC0, diagnoses.Busy, False),
        (0xC3, diagnoses.Busy, True),
        (0xD5, diagnoses.NotInThisState, False),
        (0xFF, diagnoses.CommandRefused, True),
        (0x80, diagnoses.CommandRefused, True),
        (0xCC, diagnoses.CommandRefused, False),
    ],
)
def test_an_order_that_may_succeed_later_gives_a_receipt(
    story: Story,
    bmc: Bmc,
    deadline: Deadline,
    code: int,
    diagnosis: type[AgentError],
    sent: bool,
) -> None:
    story.answers = [(code, b"")]
    receipt = bmc.order(OFF, deadline)
    assert isinstance(receipt.failure, diagnosis)
    assert receipt.sent is sent


def test_a_user_who_may_not_is_named(
    story: Story, bmc: Bmc, deadline: Deadline
) -> None:
    story.answers = [(0xD4, b"")]
    with pytest.raises(diagnoses.PrivilegeTooLow, match=r"'admin'.*operator"):
        bmc.order(OFF, deadline)


def test_orders_are_the_bytes_of_chassis_control(
    story: Story, bmc: Bmc, deadline: Deadline
) -> None:
    story.answers = [(0, b"")] * 4
    for goal in (ON, OFF, "cycle", "diag"):
        assert bmc.order(goal, deadline).failure is None
    assert [entry[2] for entry in story.journal] == [0x01, 0x00, 0x02, 0x04]
    assert story.once == [False, False, True, True]


def test_a_session_that_fell_silent_is_replaced_once(
    story: Story, bmc: Bmc, deadline: Deadline
) -> None:
    story.answers = [(0, b"\x01\0\0"), SILENT, (0, b"\0\0\0")]
    assert bmc.power(deadline).state == ON
    assert bmc.power(deadline).state == OFF
    assert [entry[0] for entry in story.journal] == [1, 1, 1, 2]
    story.answers = [SILENT, SILENT]
    reading = bmc.power(deadline)
    assert (reading.state, isinstance(reading.failure, Unreachable)) == (UNKNOWN, True)


def test_an_order_whose_answer_is_lost_may_have_been_carried_out(
    story: Story, bmc: Bmc, deadline: Deadline
) -> None:
    story.answers = [SILENT]
    receipt = bmc.order(OFF, deadline)
    assert receipt.sent
    assert receipt.failure is SILENT
    assert story.opened == 1, "it is not repeated before the state is read"


def test_a_busy_login_is_unknown_and_a_refused_one_ends_it(
    story: Story, bmc: Bmc, deadline: Deadline
) -> None:
    story.logins = [
        diagnoses.Busy("it", "full"),
        diagnoses.NoAnswer("it"),
        diagnoses.WrongPassword("it", "admin"),
    ]
    assert bmc.power(deadline).state == UNKNOWN
    assert bmc.order(OFF, deadline).sent is False
    with pytest.raises(diagnoses.WrongPassword):
        bmc.power(deadline)


def test_renewal_is_sure_when_the_bmc_confirms_the_end(
    story: Story, bmc: Bmc, deadline: Deadline
) -> None:
    story.answers = [(0, b"")]
    bmc.order(OFF, deadline)
    assert bmc.renew(deadline)
    assert story.journal[-1] == (1, "close")


@pytest.mark.parametrize("later", [True, False])
def test_a_lost_confirmation_is_asked_for_in_a_fresh_session(
    story: Story, bmc: Bmc, deadline: Deadline, later: bool
) -> None:
    story.confirms, story.confirms_later = False, later
    story.answers = [(0, b"")]
    bmc.order(OFF, deadline)
    assert bmc.renew(deadline) is later
    assert story.journal[-1] == (2, "close", 1)


def test_a_session_without_an_off_needs_no_confirmation(
    story: Story, bmc: Bmc, deadline: Deadline
) -> None:
    story.confirms = story.confirms_later = False
    story.answers = [(0, b"\0\0\0")]
    bmc.power(deadline)
    assert bmc.renew(deadline)


def test_an_order_that_was_refused_is_past_before_a_power_on(
    story: Story, bmc: Bmc, deadline: Deadline
) -> None:
    story.answers = [(0xC0, b""), (0, b"")]
    bmc.order(OFF, deadline)
    bmc.order(ON, deadline)
    assert story.journal == [(1, CONTROL, 0), (1, "close"), (2, CONTROL, 1)]


@pytest.mark.parametrize("order", [OFF, "cycle", "diag"])
def test_no_power_on_leaves_while_another_order_may_still_arrive(
    story: Story, bmc: Bmc, deadline: Deadline, order: str
) -> None:
    story.confirms = story.confirms_later = False
    story.answers = [SILENT]
    bmc.order(order, deadline)
    with pytest.raises(diagnoses.OffMayArrive):
        bmc.order(ON, deadline)
    assert len([entry for entry in story.journal if entry[1] == CONTROL]) == 1


def test_sessions_that_may_carry_an_off_are_ended_on_the_way_out(
    story: Story, bmc: Bmc, deadline: Deadline
) -> None:
    story.confirms = False
    story.answers = [SILENT, (0, b"\0\0\0")]
    bmc.order(OFF, deadline)
    bmc.power(deadline)
    bmc.close(deadline)
    assert story.journal[-2:] == [(2, "close", 1), (2, "close")]
