"""The three acts: a guest moves unharmed, its node dies, the node comes back.

Each act says what it does, shows what it sees while it happens, and returns what it
measured; a step that does not hold is told to the Run and makes the demo fail.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.stages import Failover

from .settings import GUESTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Lab
    from lab.watch import Watch

MOVE_S = 60.0
TICK_S = 90.0
BACK_S = 120.0
LOOK_S = 0.1
BREATH_S = 2.0


@dataclass
class Run:
    """What one run of the three acts measured, and what did not hold."""

    agents: str
    number: int
    moved_guest: str = ""
    guest: str = ""
    lost_node: str = ""
    new_node: str = ""
    migration: dict[str, float] = field(default_factory=dict)
    instants: dict[str, float] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)
    total_s: float = 0.0
    ours_s: float = 0.0
    back_s: float = 0.0
    most_copies: dict[str, int] = field(default_factory=dict)
    copies: dict[str, list[tuple[str, float, float]]] = field(default_factory=dict)
    longest_gap_s: float = 0.0
    broken: list[str] = field(default_factory=list)


class Stage:
    """Where the acts take place: the lab, its witness, and the one who tells."""

    def __init__(self, lab: Lab, watch: Watch, say: Callable[[str], None]) -> None:
        self.lab = lab
        self.watch = watch
        self.say = say

    def perform(self, run: Run) -> None:
        """All three acts, one after the other."""
        self._settle()
        self.migrate(run)
        self.lose(run)
        self.return_(run)
        self.count(run)

    def migrate(self, run: Run) -> None:
        """Act one: standby moves the guest, live; its counter must go on."""
        cluster = self.lab.cluster
        guest = run.moved_guest = GUESTS[0]
        source = cluster.where(guest)[0]
        began = time.monotonic()
        self.say(f"(a) {guest} runs on {source}: # pcs node standby {source}")
        cluster.pcs("node", "standby", source)
        self.lab.wait_idle(MOVE_S)
        target = self.watch.wait_tick(guest, began, TICK_S, not_on=source).node
        run.migration = {
            "moved_s": time.monotonic() - began,
            "blackout_s": self.watch.blackout_s(guest, began - 1),
        }
        seen = self.watch.sightings(guest, began - 1)
        before = [one for one in seen if one.node == source][-1].tick
        after = next(one for one in seen if one.node == target).tick
        self.say(
            f"    counter {before.count} on {source}, then {after.count} on {target}; "
            f"it stood still for {run.migration['blackout_s']:.2f} s"
        )
        if not self.watch.unbroken(guest, began - 1):
            run.broken.append(f"the counter of {guest} jumped or began anew")
        cluster.pcs("node", "unstandby", source)
        self.lab.wait_idle(MOVE_S)
        self._settle()

    def lose(self, run: Run) -> None:
        """Act two: the node's cable is pulled; the guest must start elsewhere."""
        run.guest, run.lost_node = self._victim()
        guest = run.guest
        failover = Failover(guest, run.lost_node, time.monotonic())
        self.lab.node(run.lost_node).cut()
        self.say(f"(b)  0.00 s  cable pulled: {run.lost_node}, which runs {guest}")
        ends = failover.began_s + TICK_S
        while not failover.complete() and time.monotonic() < ends:
            for instant in failover.look(self.lab.story(), self.watch):
                self.say(f"    {failover.after_s(instant):5.2f} s  {instant}")
            time.sleep(LOOK_S)
        if not failover.complete():
            reached = ", ".join(failover.reached_s) or "nothing"
            run.broken.append(f"{guest} did not come back; reached: {reached}")
            return
        run.instants = {name: failover.after_s(name) for name in failover.reached_s}
        run.stages = failover.stages()
        run.total_s, run.ours_s = failover.total_s(), failover.ours_s()
        run.new_node = self.watch.executing(guest)[0]
        self.say(
            f"    {guest} executes on {run.new_node} after {run.total_s:.2f} s, of "
            f"which {run.ours_s:.2f} s are the agents'"
        )
        self._check_order(run, failover)

    def _victim(self) -> tuple[str, str]:
        """A guest and its node: not the cluster's leader, and few guests on it.

        The loss of the leading node adds an election, which is Pacemaker's and would
        make runs differ, as would guests that start beside this one.
        """
        cluster = self.lab.cluster
        leader = cluster.dc()
        places = {name: cluster.wait_running(name) for name in GUESTS}
        nodes = list(places.values())
        guest = min(GUESTS, key=lambda name: self._cost(places[name], nodes, leader))
        return guest, places[guest]

    @staticmethod
    def _cost(node: str, nodes: list[str], leader: str) -> tuple[bool, int]:
        return node == leader, nodes.count(node)

    def _check_order(self, run: Run, failover: Failover) -> None:
        """The guest may execute anew only after its old node was really dead."""
        dead = self.lab.story().first("dead", run.lost_node, failover.began_s)
        executes = failover.reached_s["guest executes"]
        if dead is None or dead.time_s > executes:
            run.broken.append(f"{run.guest} executed before {run.lost_node} was dead")

    def return_(self, run: Run) -> None:
        """Act three: the cable is back, and the node boots and rejoins."""
        began = time.monotonic()
        node = self.lab.node(run.lost_node)
        node.heal()
        self.say(f"(c)  0.00 s  cable in: {node.name}; its power is on again")
        node.wait_booted(BACK_S)
        self.say(f"    {time.monotonic() - began:5.2f} s  it has booted")
        self.lab.cluster.wait_online(timeout_s=BACK_S)
        run.back_s = time.monotonic() - began
        self.say(f"    {run.back_s:5.2f} s  it is a member again")
        self.lab.wait_idle(MOVE_S)
        for name in GUESTS:
            if len(self.lab.cluster.where(name)) != 1:
                run.broken.append(f"{name} does not run on one node at the end")

    def count(self, run: Run) -> None:
        """The witness's word on every guest, over all that happened in this run."""
        run.longest_gap_s = self.watch.worst_gap_s
        run.most_copies = {
            name: self.watch.most_copies(name) for name in self.watch.guests()
        }
        first = min(
            (copy.began_s for name in GUESTS for copy in self.watch.copies(name)),
            default=0.0,
        )
        for name in GUESTS:
            run.copies[name] = [
                (copy.node, copy.began_s - first, copy.last_s - first)
                for copy in self.watch.copies(name)
            ]
        most = max(run.most_copies.values(), default=0)
        self.say(
            f"    most copies of any guest that executed together: {most} (sampled "
            f"without a gap longer than {run.longest_gap_s:.2f} s)"
        )
        for name, copies in run.most_copies.items():
            if copies != 1:
                run.broken.append(f"{copies} copies of {name} executed together")

    def _settle(self) -> None:
        """Wait until every guest ticks, and a little longer, for an even start."""
        began = time.monotonic()
        for name in GUESTS:
            self.watch.wait_tick(name, began, TICK_S)
        time.sleep(BREATH_S)
