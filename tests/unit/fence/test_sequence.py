"""The fencing sequence in virtual time: nodes that are slow, lie, refuse or vanish."""

from __future__ import annotations

import itertools

import pytest
from unit.fence.devices import (
    NO_RIGHT,
    NONSENSE,
    SILENCE,
    Clock,
    Interrupted,
    Node,
    Notes,
)

from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.fence.protocol import sequence
from vmha.fence.protocol.actions import Limits, carry_out
from vmha.fence.protocol.sequence import OFF, ON, Receipt

LIMITS = Limits(power_s=20.0, on_orders=2)
BY_CYCLE = Limits(power_s=20.0, on_orders=2, by_cycle=True)


class Call:
    """One action on one node in virtual time."""

    def __init__(self, node: Node, limits: Limits = LIMITS) -> None:
        self.node = node
        self.limits = limits
        self.notes = Notes()
        self.begin = node.clock.now

    def __call__(self, action: str, total_s: float = 34.5) -> Call:
        deadline = self.node.clock.deadline(total_s)
        carry_out(action, self.node, self.limits, deadline, self.notes)
        return self

    @property
    def seconds(self) -> float:
        return self.node.clock.now - self.begin


@pytest.fixture
def node() -> Node:
    """Return a node that is on, with a perfect BMC."""
    return Node(Clock())


def test_off_of_a_healthy_node_takes_one_order_and_two_reads(node: Node) -> None:
    call = Call(node)("off")
    assert call.notes.results == [(0, "Success: Powered OFF")]
    assert node.journal == ["read", "order off", "read", "read"]
    assert call.seconds < 0.25


def test_off_of_a_node_that_is_off_sends_nothing(node: Node) -> None:
    node.true_power = OFF
    call = Call(node)("off")
    assert call.notes.results == [(0, "Success: Already OFF")]
    assert node.journal == ["read", "read"]


@pytest.mark.parametrize("takes_s", [0.0, 0.5, 2.0, 6.0, 15.0])
def test_off_is_proven_soon_after_it_is_true(node: Node, takes_s: float) -> None:
    node.takes_s = takes_s
    call = Call(node)("off")
    assert call.notes.results == [(0, "Success: Powered OFF")]
    late_s = call.seconds - takes_s
    assert late_s < (0.3 if takes_s <= 2 else 1.2)


def test_reads_become_rarer_while_a_node_takes_long(node: Node) -> None:
    node.ignores = 10_000
    with pytest.raises(sequence.NotReached):
        Call(node)("off")
    pauses = [b - a for a, b in itertools.pairwise(node.read_at)]
    assert max(pauses) <= 1.0 + 0.1
    assert len(node.read_at) < 80


@pytest.mark.parametrize("lies", [[OFF], [ON, OFF], [ON, OFF, ON, OFF, ON]])
def test_single_false_reads_of_off_prove_nothing(node: Node, lies: list[str]) -> None:
    node.takes_s = 1.5
    node.shows = lambda n: lies[n - 1] if n <= len(lies) else None
    call = Call(node)("off")
    assert call.notes.results == [(0, "Success: Powered OFF")]
    assert node.truth() == OFF


def test_an_ignored_off_is_repeated_until_it_works(node: Node) -> None:
    node.ignores = 2
    call = Call(node)("off")
    assert node.orders == ["order off"] * 3
    assert call.notes.results == [(0, "Success: Powered OFF")]


def test_a_node_that_somebody_turns_on_again_is_not_powered_off_twice(
    node: Node,
) -> None:
    node.shows = lambda n: {1: ON, 2: OFF}.get(n, ON)
    with pytest.raises(sequence.NotReached, match="not proven off"):
        Call(node)("off")
    assert node.orders == ["order off"]


def test_a_refused_order_is_sent_again(node: Node) -> None:
    node.answers = lambda n: Receipt(False, NONSENSE) if n <= 3 else None
    call = Call(node)("off")
    assert call.notes.results == [(0, "Success: Powered OFF")]
    assert 1.5 <= call.seconds < 3


def test_an_order_that_can_never_succeed_fails_at_once(node: Node) -> None:
    def never(_n: int) -> Receipt:
        raise NO_RIGHT

    node.answers = never
    with pytest.raises(AgentError, match="no right"):
        Call(node)("off")
    assert node.orders == ["order off"]


def test_a_lost_answer_to_an_off_that_was_carried_out_is_success(node: Node) -> None:
    node.answers = lambda _n: Receipt(True, SILENCE)
    call = Call(node)("off")
    assert call.notes.results == [(0, "Success: Powered OFF")]
    assert node.orders == ["order off"]


def test_silence_before_anything_was_sent_fails_at_once(node: Node) -> None:
    node.shows = lambda _n: SILENCE
    call = Call(node)
    with pytest.raises(Unreachable):
        call("off")
    assert node.journal == ["read"]


def test_silence_after_an_order_is_waited_out(node: Node) -> None:
    node.shows = lambda n: SILENCE if 2 <= n <= 20 else None
    call = Call(node)("off")
    assert call.notes.results == [(0, "Success: Powered OFF")]


def test_nonsense_is_waited_out_and_is_not_off(node: Node) -> None:
    node.shows = lambda _n: NONSENSE
    with pytest.raises(sequence.NotReached, match="nonsense"):
        Call(node)("off", total_s=5.0)
    assert node.orders == []


def test_a_failure_names_what_was_seen(node: Node) -> None:
    node.ignores = 10_000
    with pytest.raises(sequence.NotReached) as caught:
        Call(node)("off")
    text = str(caught.value)
    assert "shows it on" in text
    assert "soft-off" in text
    assert "time" not in text.replace("times", "")


def test_the_deadline_ends_every_action(node: Node) -> None:
    for action in ("off", "reboot", "status", "monitor"):
        node.shows = lambda _n: NONSENSE
        call = Call(node)
        with pytest.raises(AgentError):
            call(action, total_s=3.0)
        assert call.seconds < 3.0 + 0.1
    node.shows = lambda _n: OFF
    call = Call(node)
    with pytest.raises(sequence.NotReached):
        call("on", total_s=3.0)
    assert call.seconds < 3.0 + 0.1


def test_power_timeout_counts_from_the_first_order(node: Node) -> None:
    node.ignores = 10_000
    call = Call(node)
    with pytest.raises(sequence.NotReached):
        call("off", total_s=100.0)
    assert LIMITS.power_s <= call.seconds < LIMITS.power_s + 0.5


def test_on_is_confirmed_and_repeated_a_limited_number_of_times(node: Node) -> None:
    node.true_power = OFF
    assert Call(node)("on").notes.results == [(0, "Success: Powered ON")]
    stuck = Node(Clock(), OFF)
    stuck.ignores = 10_000
    with pytest.raises(sequence.NotReached, match="not proven on"):
        Call(stuck)("on")
    assert stuck.orders == ["order on"] * LIMITS.on_orders


def test_reboot_sends_on_in_a_fresh_session_after_proof(node: Node) -> None:
    node.takes_s = 0.3
    call = Call(node)("reboot")
    assert call.notes.results == [(0, "Success: Rebooted")]
    assert call.notes.warnings == []
    assert node.journal[-2:] == ["renew", "order on"]
    assert node.truth() == ON


def test_reboot_of_a_node_that_is_off_needs_no_fresh_session(node: Node) -> None:
    node.true_power = OFF
    Call(node)("reboot")
    assert node.journal == ["read", "read", "order on"]


def test_reboot_sends_no_on_while_an_off_may_still_arrive(node: Node) -> None:
    node.renewable = False
    call = Call(node)("reboot")
    assert call.notes.results == [(0, "Success: Rebooted")]
    assert len(call.notes.warnings) == 1
    assert node.orders == ["order off"]
    assert node.truth() == OFF


@pytest.mark.parametrize("receipt", [Receipt(False, NONSENSE), Receipt(True, SILENCE)])
def test_reboot_repeats_an_on_that_was_not_taken(node: Node, receipt: Receipt) -> None:
    node.answers = lambda n: receipt if n in (2, 3) else None
    call = Call(node)("reboot")
    assert call.notes.warnings == []
    assert node.orders == ["order off"] + ["order on"] * 3


def test_a_reboot_whose_on_fails_holds_with_a_warning(node: Node) -> None:
    node.answers = lambda n: Receipt(False, NONSENSE) if n > 1 else None
    call = Call(node)("reboot")
    assert call.notes.results == [(0, "Success: Rebooted")]
    assert "nonsense" in call.notes.warnings[0]


@pytest.mark.parametrize("action", ["off", "reboot"])
@pytest.mark.parametrize("takes_s", [0.0, 0.35])
def test_interrupted_anywhere_nothing_false_was_claimed(
    action: str, takes_s: float
) -> None:
    whole = Node(Clock(), takes_s=takes_s)
    Call(whole)(action)
    for point in range(len(whole.journal)):
        node = Node(Clock(), takes_s=takes_s)
        node.interrupt_at = point
        call = Call(node)
        with pytest.raises(Interrupted):
            call(action)
        if call.notes.results:
            assert node.truth() == OFF
        node.interrupt_at = None
        again = Call(node)(action)
        assert again.notes.results[0][0] == 0, "a second try succeeds"


def test_status_and_monitor_take_one_known_read(node: Node) -> None:
    assert Call(node)("status").notes.results == [(0, "Status: ON")]
    assert Call(node)("monitor").notes.results == [(0, "")]
    node.true_power = OFF
    assert Call(node)("status").notes.results == [(2, "Status: OFF")]
    assert Call(node)("monitor").notes.results == [(0, "")]
    assert node.orders == []


def test_status_reads_past_nonsense(node: Node) -> None:
    node.shows = lambda n: NONSENSE if n < 4 else None
    assert Call(node)("status").notes.results == [(0, "Status: ON")]


def test_a_monitor_proves_that_the_device_could_fence(node: Node) -> None:
    Call(node)("monitor")
    assert node.journal == ["read", "prove"]
    node.unfit = NO_RIGHT
    with pytest.raises(AgentError, match="no right"):
        Call(node)("monitor")
    node.unfit = None
    node.hint = "the second path is dead"
    call = Call(node)("monitor")
    assert call.notes.results == [(0, "")]
    assert call.notes.notes == ["the second path is dead"]


def test_a_cycle_holds_once_off_was_read_twice_while_it_lasted(node: Node) -> None:
    call = Call(node, BY_CYCLE)("reboot")
    assert call.notes.results == [(0, "Success: Rebooted")]
    assert call.notes.warnings == []
    assert node.orders == ["order cycle"]
    assert node.truth() == ON


def test_the_session_of_a_cycle_is_ended_at_once(node: Node) -> None:
    Call(node, BY_CYCLE)("reboot")
    assert node.journal[:5] == ["read", "order cycle", "read", "read", "renew"]


def test_a_cycle_of_a_node_that_is_off_is_an_on(node: Node) -> None:
    node.true_power = OFF
    call = Call(node, BY_CYCLE)("reboot")
    assert call.notes.results == [(0, "Success: Rebooted")]
    assert node.orders == ["order on"]


@pytest.mark.parametrize("ignored", [True, False])
def test_a_cycle_that_was_not_seen_is_not_claimed(node: Node, ignored: bool) -> None:
    node.ignores = int(ignored)
    node.away_s = 0.05
    call = Call(node, BY_CYCLE)
    with pytest.raises(sequence.NotReached, match="method=onoff"):
        call("reboot")
    assert call.notes.results == []
    assert node.orders == ["order cycle"]


def test_a_cycle_is_not_sent_again_when_its_answer_is_lost(node: Node) -> None:
    node.answers = lambda _n: Receipt(True, SILENCE)
    node.ignores = 10_000
    with pytest.raises(sequence.NotReached, match="nobody answers"):
        Call(node, BY_CYCLE)("reboot")
    assert node.orders == ["order cycle"]


def test_a_cycle_that_the_device_refused_may_be_sent_again(node: Node) -> None:
    node.answers = lambda n: Receipt(False, NONSENSE) if n <= 2 else None
    call = Call(node, BY_CYCLE)("reboot")
    assert call.notes.results == [(0, "Success: Rebooted")]
    assert node.orders == ["order cycle"] * 3


def test_a_node_that_a_cycle_leaves_off_is_turned_on(node: Node) -> None:
    node.away_s = 1000.0
    call = Call(node, BY_CYCLE)("reboot")
    assert call.notes.results == [(0, "Success: Rebooted")]
    assert node.orders == ["order cycle", "order on"]
    assert node.truth() == ON


def test_a_cycle_that_may_still_arrive_forbids_the_on(node: Node) -> None:
    node.away_s = 1000.0
    node.renewable = False
    call = Call(node, BY_CYCLE)("reboot")
    assert call.notes.results == [(0, "Success: Rebooted")]
    assert len(call.notes.warnings) == 1
    assert node.orders == ["order cycle"]


def test_off_is_off_with_any_method(node: Node) -> None:
    Call(node, BY_CYCLE)("off")
    assert node.orders == ["order off"]


@pytest.mark.parametrize(("takes_s", "noted"), [(0.0, 0), (2.0, 0), (6.0, 1)])
@pytest.mark.parametrize("action", ["off", "reboot"])
def test_an_off_that_takes_as_long_as_a_shutdown_is_noted(
    node: Node, action: str, takes_s: float, noted: int
) -> None:
    node.takes_s = takes_s
    limits = Limits(power_s=20.0, on_orders=2, softoff_s=4.0)
    call = Call(node, limits)(action)
    assert call.notes.results[0][0] == 0
    assert len(call.notes.notes) == noted
    assert all("HandlePowerKey=ignore" in note for note in call.notes.notes)


def test_nothing_is_noted_of_a_node_that_was_off_or_without_the_wish(
    node: Node,
) -> None:
    node.takes_s = 6.0
    assert Call(node)("off").notes.notes == []
    limits = Limits(power_s=20.0, on_orders=2, softoff_s=4.0)
    assert Call(node, limits)("off").notes.notes == []


def test_a_diagnostic_interrupt_goes_out_once_and_leaves_the_power(node: Node) -> None:
    call = Call(node)("diag")
    assert call.notes.results == [(0, "Success: Diagnostic interrupt sent")]
    assert node.orders == ["order diag"]
    assert node.truth() == ON


def test_a_diagnostic_interrupt_never_counts_as_fenced(node: Node) -> None:
    call = Call(node, Limits(power_s=20.0, on_orders=2, fencing=True))
    with pytest.raises(AgentError, match="counts as running"):
        call("diag")
    assert call.notes.results == []
    assert node.orders == ["order diag"]


def test_a_diagnostic_interrupt_that_was_not_taken_is_a_failure(node: Node) -> None:
    node.answers = lambda _n: Receipt(True, SILENCE)
    with pytest.raises(Unreachable):
        Call(node)("diag")
    assert node.orders == ["order diag"]
    node.true_power = OFF
    with pytest.raises(AgentError, match="nothing to interrupt"):
        Call(node)("diag")
