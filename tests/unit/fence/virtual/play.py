"""A play: one action under a schedule of faults, and the promises it has to keep.

``play`` runs the real action, sequence, session and cryptography against the scripted
BMC in virtual time, ``violations`` says which promise was broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bmc.rmcp import Server
from bmc.simulator import PASSWORD
from unit.fence.devices import Notes
from unit.fence.virtual.world import Link, LyingNode, Wires, World

from vmha.agents.protocol.errors import AgentError
from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.power import Bmc
from vmha.fence.protocol.actions import Limits, carry_out
from vmha.fence.protocol.worker import LEAVING_S

if TYPE_CHECKING:
    from unit.fence.virtual.faults import Schedule

    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.protocol.sequence import Reading

# What actions have under the fencer, with its defaults of 60 s, of 20 s for monitors.
TOTAL_S = 35.5
LOOK_S = 12.0
LOOKS = ("status", "monitor")
AFTERWARDS_S = 240.0  # so long the network goes on when the agent has ended


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
    links = {"first": Link(world, server, schedule.trouble, schedule.echo_s)}
    if schedule.second is not None:
        links["second"] = Link(world, server, schedule.second, schedule.echo_s)
    fallback = "second" if schedule.second is not None else None
    access = Access("first", 623, b"admin", PASSWORD.encode(), fallback=fallback)
    device = Watched(access, 5, 3, schedule.rest_s, Wires(world, links))
    device.node = node
    if schedule.cut_at_s is not None:
        world.after(schedule.cut_at_s, links["first"].cut)
    if schedule.turned_on_at_s is not None:
        world.after(schedule.turned_on_at_s, lambda: node.set_power(True))
    outcome = Outcome(node, world.now)
    by_cycle = schedule.action == "cycle"
    limits = Limits(TOTAL_S, on_orders=2, by_cycle=by_cycle, softoff_s=4.0)
    action = "reboot" if by_cycle else schedule.action
    deadline = world.deadline(_total_s(schedule) - LEAVING_S)
    try:
        carry_out(action, device, limits, deadline, Witness(world, outcome))
    except AgentError as failure:
        outcome.failure = failure
    finally:
        device.close(world.deadline(1.0))
    outcome.end = world.now
    world.sleep(AFTERWARDS_S)
    return outcome


def violations(schedule: Schedule, outcome: Outcome) -> list[str]:
    """Return the promises that were broken."""
    broken = []
    if outcome.end - outcome.begin > _total_s(schedule) + 0.01:
        broken.append(f"it took {outcome.end - outcome.begin} s")
    if (outcome.exit_code is None) == (outcome.failure is None):
        broken.append(f"told {outcome.exit_code} and {outcome.failure}")
    if outcome.exit_code is not None:
        broken += _false_results(schedule, outcome)
    return broken + _harm(schedule, outcome)


def _total_s(schedule: Schedule) -> float:
    return LOOK_S if schedule.action in LOOKS else TOTAL_S


def _false_results(schedule: Schedule, outcome: Outcome) -> list[str]:
    """Compare the result with the truth."""
    node, at_s, begin = outcome.node, outcome.result_at, outcome.begin
    states = {node.was_on(at_s), node.was_on(begin)}
    states |= {c.is_on for c in node.changes if begin <= c.at_s <= at_s}
    if schedule.action in ("off", "reboot", "cycle") and False not in states:
        return [f"{outcome.sentence} though the node was never off"]
    comes_back = schedule.action == "cycle" or schedule.turned_on_at_s is not None
    if schedule.action in ("off", "reboot") and node.was_on(at_s) and not comes_back:
        return [f"{outcome.sentence} while the node is on"]
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
    if schedule.action in LOOKS:
        return [f"{schedule.action} ordered {orders}"] if orders else []
    if schedule.action == "diag":
        return _misuse_of_diag(schedule, outcome)
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
    if outcome.exit_code is not None and not _is_excused(schedule):
        late = [c for c in outcome.node.changes if c.at_s > outcome.result_at]
        if any(not change.is_on for change in late):
            broken.append("the node went off again after the end")
    cycles = sum(order.name == "cycle" for order in harmful)
    if cycles > 1 and not schedule.doubles:
        broken.append("the cycle was sent twice")
    return broken


def _misuse_of_diag(schedule: Schedule, outcome: Outcome) -> list[str]:
    """Look for interrupts that were not sent, or too often, and for other orders."""
    names = outcome.node.names()
    if set(names) - {"diag"} or (len(names) > 1 and not schedule.doubles):
        return [f"diag ordered {names}"]
    if outcome.exit_code == 0 and not names:
        return ["an interrupt was reported that was not sent"]
    return []


def _is_excused(schedule: Schedule) -> bool:
    """Tell whether the node may go off again after the end without the agent's fault.

    A cycle can be doubled by network and BMC before its session is closed, and so can
    an off that meets a node which somebody has turned on in that moment.
    """
    doubles = schedule.plan.executes_duplicates and schedule.doubles
    return schedule.turned_on_at_s is not None or (
        schedule.action == "cycle" and doubles
    )
