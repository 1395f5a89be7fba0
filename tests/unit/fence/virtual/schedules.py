"""Fault schedules: what goes wrong in one action, drawn at random, and how it ended.

``schedules`` draws, ``play`` runs the real action, sequence, session and cryptography
against the scripted BMC in virtual time, ``violations`` says which promise was broken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bmc.plan import Plan
from bmc.proxy import TO_AGENT, TO_BMC, Trouble
from bmc.rmcp import Server
from bmc.simulator import PASSWORD
from hypothesis import strategies as st
from unit.fence.devices import Notes
from unit.fence.virtual.world import Link, LyingNode, Wires, World

from vmha.agents.protocol.errors import AgentError
from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.power import Bmc
from vmha.fence.protocol.actions import Limits, carry_out
from vmha.fence.protocol.worker import LEAVING_S

if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.protocol.sequence import Reading

TOTAL_S = 35.5  # what the fencer gives an action with its default of 60 s
POWER_S = 35.5
AFTERWARDS_S = 240.0  # so long the network goes on when the agent has ended

# What a BMC says to an order, and what it may say though it carries the order out.
REFUSALS = (0, 0, 0xC0, 0xC3, 0xD5, 0xFF, 0xCC)
DOUBTS = (0, 0xC3, 0xFF, 0x80)


@dataclass(frozen=True)
class Schedule:
    """All that goes wrong in one action; ``second`` is the fallback path's network."""

    action: str
    plan: Plan
    trouble: Trouble
    second: Trouble | None
    lies: frozenset[int]
    rest_s: float


class Outcome:
    """How a schedule ended: what was told and when, and the node's true story."""

    def __init__(self, node: LyingNode, begin: float) -> None:
        self.node = node
        self.begin = begin
        self.end = begin
        self.result_at = 0.0
        self.exit_code: int | None = None
        self.sentence = ""
        self.failure: AgentError | None = None


class Witness(Notes):
    """A report that notes when the result was told."""

    def __init__(self, world: World, outcome: Outcome) -> None:
        super().__init__()
        self._world = world
        self._outcome = outcome

    def result(self, exit_code: int, sentence: str, rest_s: float = 0.0) -> None:
        super().result(exit_code, sentence, rest_s)
        self._outcome.result_at = self._world.now
        self._outcome.exit_code = exit_code
        self._outcome.sentence = sentence

    def note(self, sentence: str) -> None:
        self.said.append(sentence)


class Watched(Bmc):
    """The device as it is; its looks are counted for the node's lies."""

    node: LyingNode
    is_inside = False

    def power(self, deadline: Deadline) -> Reading:
        if self.is_inside:
            return super().power(deadline)
        self.is_inside = True
        try:
            return super().power(deadline)
        finally:
            self.is_inside = False
            self.node.looks += 1


def play(schedule: Schedule) -> Outcome:
    """Carry out the action, as the worker does, and let the network go on after it."""
    world = World()
    node = LyingNode(schedule.plan, world.clock, schedule.lies)
    server = Server(schedule.plan, world.clock, node)
    links = {"first": Link(world, server, schedule.trouble)}
    if schedule.second is not None:
        links["second"] = Link(world, server, schedule.second)
    fallback = "second" if schedule.second is not None else None
    access = Access("first", 623, b"admin", PASSWORD.encode(), fallback=fallback)
    device = Watched(access, 5, 3, schedule.rest_s, Wires(world, links))
    device.node = node
    outcome = Outcome(node, world.now)
    by_cycle = schedule.action == "cycle"
    limits = Limits(POWER_S, on_orders=2, by_cycle=by_cycle, softoff_s=4.0)
    action = "reboot" if by_cycle else schedule.action
    deadline = world.deadline(TOTAL_S - LEAVING_S)
    try:
        carry_out(action, device, limits, deadline, Witness(world, outcome))
    except AgentError as failure:
        outcome.failure = failure
    finally:
        device.close(world.deadline(1.0))
    outcome.end = world.now
    world.sleep(AFTERWARDS_S)
    return outcome


def violations(schedule: Schedule) -> list[str]:
    """Play a schedule and return the promises that were broken."""
    outcome = play(schedule)
    broken = []
    if outcome.end - outcome.begin > TOTAL_S + 0.01:
        broken.append(f"it took {outcome.end - outcome.begin} s")
    if (outcome.exit_code is None) == (outcome.failure is None):
        broken.append(f"told {outcome.exit_code} and {outcome.failure}")
    if outcome.exit_code is not None:
        broken += _false_results(schedule, outcome)
    return broken + _harm(schedule, outcome)


def _false_results(schedule: Schedule, outcome: Outcome) -> list[str]:
    """Compare the result with the truth."""
    node, at_s, begin = outcome.node, outcome.result_at, outcome.begin
    states = {node.was_on(at_s), node.was_on(begin)}
    states |= {c.is_on for c in node.changes if begin <= c.at_s <= at_s}
    if schedule.action in ("off", "reboot") and node.was_on(at_s):
        return [f"{outcome.sentence} while the node is on"]
    if schedule.action == "cycle" and False not in states:
        return [f"{outcome.sentence} though the node was never off"]
    if schedule.lies:
        return []
    if schedule.action == "on" and True not in states:
        return [f"{outcome.sentence} though the node was never on"]
    if schedule.action == "status" and (outcome.exit_code == 0) not in states:
        return [f"{outcome.sentence} though it never was"]
    return []


def _harm(schedule: Schedule, outcome: Outcome) -> list[str]:
    """Look for orders that came too late, too early or too often."""
    orders = outcome.node.orders
    if schedule.action == "status":
        return [f"status ordered {orders}"] if orders else []
    harmful = [order for order in orders if order.name != "on"]
    if schedule.action == "on":
        return [f"on ordered {harmful}"] if harmful else []
    broken = []
    ons = [order for order in orders if order.name == "on"]
    if schedule.action == "off" and ons:
        broken.append(f"off ordered {ons}")
    if ons and (outcome.exit_code is None or ons[0].at_s < outcome.result_at):
        broken.append("the node was turned on before it was proven off")
    if {order.session for order in ons} & {order.session for order in harmful}:
        broken.append("on went out in a session that had carried an off")
    if ons and any(order.at_s > ons[0].at_s for order in harmful):
        broken.append("an off was carried out after the on")
    if outcome.exit_code is not None and not _may_cycle_again(schedule):
        late = [c for c in outcome.node.changes if c.at_s > outcome.result_at]
        if any(not change.is_on for change in late):
            broken.append("the node went off again after the end")
    if schedule.action == "cycle" and not _doubles(schedule):
        if sum(order.name == "cycle" for order in harmful) > 1:
            broken.append("the cycle was sent twice")
    return broken


def _doubles(schedule: Schedule) -> bool:
    """Tell whether the network delivers packets twice."""
    return any(trouble and trouble.twice for trouble in (schedule.trouble, schedule.second))


def _may_cycle_again(schedule: Schedule) -> bool:
    """Tell whether a cycle can be doubled by network and BMC, whatever the agent does."""
    doubles = schedule.plan.executes_duplicates and _doubles(schedule)
    return schedule.action == "cycle" and doubles


# Drawing.

SECONDS = st.floats(0.0, 20.0)
FEW = st.integers(0, 3)


def troubles() -> st.SearchStrategy[Trouble]:
    """Draw what a network does to packets."""
    return st.builds(
        Trouble,
        loss=st.sampled_from((0.0, 0.0, 0.05, 0.1, 0.3, 0.5)),
        twice=st.sampled_from((0.0, 0.0, 0.1, 0.5)),
        late=st.sampled_from((0.0, 0.1, 0.4)),
        late_s=st.sampled_from((0.5, 3.0, 12.0)),
        delay_s=st.sampled_from((0.001, 0.001, 0.05, 0.25, 0.8)),
        jitter_s=st.sampled_from((0.0, 0.02, 0.5)),
        deaf_after=st.none() | st.none() | st.integers(0, 60),
        mute_after=st.none() | st.none() | st.integers(0, 60),
        session_packets=st.none() | st.none() | st.integers(0, 12),
        silences=st.lists(silences(), max_size=2).map(tuple),
        one_way=st.sampled_from(("", TO_BMC, TO_AGENT)),
        seed=st.integers(0, 2**32),
    )


def silences() -> st.SearchStrategy[tuple[float, float]]:
    """Draw from and until when nothing comes through."""
    return st.builds(lambda at_s, for_s: (at_s, at_s + for_s), SECONDS, SECONDS)


@st.composite
def plans(draw: st.DrawFn, action: str) -> Plan:
    """Draw how the BMC and the chassis misbehave."""
    unfaithful = draw(st.booleans())
    codes = st.lists(st.sampled_from(DOUBTS if unfaithful else REFUSALS), max_size=4)
    misses = st.lists(st.sampled_from((0, 0, 0x01, 0x0F, 0x02)), max_size=3)
    on_or_off: dict[str, Any] = {} if action == "status" else {"is_on": action != "on"}
    return Plan(
        suites=draw(st.sampled_from(((3, 17), (3, 17), (3,), (17,)))),
        suite_status=draw(st.sampled_from((0x11, 0x11, None))),
        sessions=draw(st.sampled_from((8, 8, 2, 1))),
        idle_s=draw(st.sampled_from((60.0, 60.0, 5.0))),
        open_status=tuple(draw(misses)),
        rakp4_status=tuple(draw(misses)),
        executes_duplicates=draw(st.booleans()),
        session_answers=draw(st.none() | st.none() | st.integers(1, 12)),
        is_deaf=draw(st.booleans()),
        restarts=tuple(draw(st.lists(SECONDS, max_size=2))),
        restart_s=draw(st.sampled_from((0.0, 1.0, 6.0))),
        codes={"control": tuple(draw(codes)), "status": tuple(draw(codes))},
        carries_out_refused=unfaithful,
        lengths={"status": tuple(draw(st.lists(st.none() | FEW, max_size=3)))},
        seed=draw(st.integers(0, 2**32)),
        off_s=draw(st.sampled_from((0.0, 0.0, 0.3, 2.0, 6.0))),
        on_s=draw(st.sampled_from((0.0, 1.0))),
        cycle_s=draw(st.sampled_from((0.05, 1.0, 5.0))),
        ignored={name: draw(FEW) for name in ("off", "on", "cycle")},
        **on_or_off,
    )


@st.composite
def schedules(draw: st.DrawFn, action: str) -> Schedule:
    """Draw a schedule; lies are never two in a row."""
    lies = draw(st.sets(st.integers(0, 24), max_size=8))
    return Schedule(
        action,
        draw(plans(action)),
        draw(troubles()),
        draw(st.none() | st.none() | troubles()),
        frozenset(lie for lie in lies if lie - 1 not in lies),
        draw(st.sampled_from((0.0, 0.0, 2.0))),
    )
