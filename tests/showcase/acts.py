"""The acts of the story: set up, live migration, the cut, the return.

Each does its part on the running lab, says what it sees while it waits, and raises
``Broken`` where something that must hold did not. Called by ``main`` and by the cluster
tier's comparison with the peers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from showcase import report, suites
from showcase.timeline import Failover

if TYPE_CHECKING:
    from lab import Lab
    from lab.watch import Watch

    from showcase.suites import Suite

LOOK_S = 0.1
CUT_SHOWS_S = 90.0
RETURN_S = 120.0
MOVE_S = 90.0
TICKS_S = 30.0
BREATH_S = 2.0


class Broken(Exception):
    """Something that the story promises did not hold; the text says what."""


@dataclass(frozen=True)
class Move:
    """One live migration as it was witnessed."""

    guest: str
    source: str
    target: str
    blackout_s: float
    unbroken: bool


class Story:
    """A lab with its witness, and where the acts say what they see."""

    def __init__(self, lab: Lab, watch: Watch, say: Callable[[str], None]) -> None:
        self.lab = lab
        self.watch = watch
        self.say = say
        self.secret = lab.nodes[0].bmc.password

    def set_up(self, suite: Suite) -> None:
        """Make the fencing devices and two guests with pcs, a third with crm."""
        cluster = self.lab.cluster
        for node in self.lab.nodes:
            self._pcs(suites.fencing_words(self.lab, suite, node.name))
        for guest in suites.GUESTS:
            self.lab.guest(guest)
        since_s = time.monotonic()
        for guest in suites.GUESTS[:2]:
            self._pcs(suites.guest_words(self.lab, suite, guest))
        words = suites.guest_words_of_crm(self.lab, suite, suites.GUESTS[2])
        self.say("  " + suites.shown("crm", words, self.secret))
        cluster.run(["crm", *words], timeout_s=90.0)
        for guest in suites.GUESTS:
            seen = self.watch.wait_tick(guest, since_s, MOVE_S)
            self.say(f"  {guest} ticks on {seen.node}")
        self.lab.wait_idle()

    def tear_down(self) -> None:
        """Remove the guests and the fencing devices, so that another suite can come."""
        cluster = self.lab.cluster
        for guest in suites.GUESTS:
            cluster.pcs("resource", "delete", guest, timeout_s=150.0)
        for node in self.lab.nodes:
            cluster.pcs("stonith", "delete", f"fence-{node.name}", timeout_s=90.0)
        self.lab.wait_idle()

    def migrate(self) -> list[Move]:
        """Put a guest's node into standby; every guest of it moves alive."""
        source = self._node_of(suites.GUESTS[0])
        moving = [g for g in suites.GUESTS if self._node_of(g) == source]
        since_s = time.monotonic()
        for guest in moving:
            self.watch.wait_tick(guest, since_s, TICKS_S, node=source)
        self._pcs(["node", "standby", source])
        moves = []
        for guest in moving:
            arrived = self.watch.wait_tick(guest, since_s, MOVE_S, not_on=source)
            self.watch.wait_tick(guest, arrived.time_s + 1.0, TICKS_S, arrived.node)
            moves.append(self._move(guest, source, arrived.node, since_s))
        self.lab.wait_idle()
        self._pcs(["node", "unstandby", source])
        self.lab.wait_idle()
        return moves

    def cut(self, suite: Suite) -> Failover:
        """Cut the network of a node that runs a guest; follow what happens, live."""
        self._settle()
        guest, dead = self._victim()
        node = self.lab.node(dead)
        self.say(f"  cutting the network of {dead}, which runs {guest}")
        node.cut()
        failover = Failover(suite.name, guest, dead, time.monotonic())
        ends_s = failover.cut + CUT_SHOWS_S
        while failover.missing():
            if time.monotonic() > ends_s:
                missing = ", ".join(failover.missing())
                raise Broken(f"{guest} after the cut of {dead}: never seen: {missing}")
            before = set(failover.missing())
            self._look(failover)
            for name in [n for n in before if n not in failover.missing()]:
                self.say(report.moment_line(failover, name))
            time.sleep(LOOK_S)
        self._check_order(failover)
        return failover

    def come_back(self, dead: str) -> None:
        """Plug the cable in; the node boots, joins and can run guests again."""
        self.lab.node(dead).heal()
        began_s = time.monotonic()
        names = [node.name for node in self.lab.nodes]
        self.lab.cluster.wait_online(names, RETURN_S)
        self.lab.wait_idle()
        took_s = time.monotonic() - began_s
        for guest in suites.GUESTS:
            self._node_of(guest)
        self.say(f"  {dead} is back in the cluster after {took_s:.1f} s")

    def check_copies(self) -> None:
        """Raise Broken unless each guest was seen, and never two copies of it."""
        for guest in suites.GUESTS:
            most = self.watch.most_copies(guest)
            if most != 1:
                raise Broken(f"{most} copies of {guest} executed at the same time")

    def _settle(self) -> None:
        """Wait until every guest ticks and the cluster has been idle for a moment."""
        since_s = time.monotonic()
        for guest in suites.GUESTS:
            self.watch.wait_tick(guest, since_s, TICKS_S)
        self.lab.wait_idle()
        time.sleep(BREATH_S)

    def _check_order(self, failover: Failover) -> None:
        """Raise Broken if the guest executed, or off was told, before the node died."""
        off, told = failover.powered_off, failover.confirmed
        executes = failover.executes
        if off is None or told is None or executes is None:
            raise Broken(f"the death of {failover.dead} was not seen")
        if executes < off:
            raise Broken(
                f"{failover.guest} executed elsewhere {off - executes:.2f} s before "
                f"the last process of {failover.dead} was gone"
            )
        if told < off:
            raise Broken(f"{failover.dead} was told off {off - told:.2f} s too early")

    def _move(self, guest: str, source: str, target: str, since_s: float) -> Move:
        unbroken = self.watch.unbroken(guest, since_s)
        move = Move(
            guest, source, target, self.watch.blackout_s(guest, since_s), unbroken
        )
        if not unbroken:
            raise Broken(f"the counter of {guest} jumped or restarted in its migration")
        seen = self.watch.sightings(guest, since_s)
        before = [one.tick.count for one in seen if one.node == source][-1]
        after = next(one.tick.count for one in seen if one.node == target)
        self.say(
            f"  {guest} moved alive: its counter stood at {before} on {source} and "
            f"went on with {after} on {target}; longest silence {move.blackout_s:.2f} s"
        )
        return move

    def _victim(self) -> tuple[str, str]:
        """Choose a guest whose node does not decide for the cluster, best alone on it.

        The death of the deciding node adds an election, and guests that start side by
        side share two processors: both would blur a comparison.
        """
        dc = self.lab.cluster.dc()
        placed = [(guest, self._node_of(guest)) for guest in suites.GUESTS]
        nodes = [node for _, node in placed]
        placed.sort(key=lambda pair: (pair[1] == dc, nodes.count(pair[1])))
        return placed[0]

    def _node_of(self, guest: str) -> str:
        found = self.lab.cluster.where(guest)
        if len(found) != 1:
            raise Broken(f"Pacemaker has {guest} on {found or 'no node'}")
        return found[0]

    def _look(self, failover: Failover) -> None:
        """Add the moments that can be seen by now."""
        guest, dead, cut_s = failover.guest, failover.dead, failover.cut
        told = self.lab.story()
        for name, kind, subject, result in (
            ("lost", "lost", dead, ""),
            ("requested", "fencing requested", dead, ""),
            ("powered_off", "dead", dead, ""),
            ("confirmed", "fencing confirmed", dead, "OK"),
            ("start_begun", "start begun", guest, ""),
        ):
            event = told.first(kind, subject, cut_s, result)
            if event is not None:
                setattr(failover, name, event.time_s)
        failover.executes = self.watch.first_execution(guest, cut_s, not_on=dead)
        tick = self.watch.first_tick(guest, cut_s, not_on=dead)
        failover.first_tick = tick.time_s if tick else None

    def _pcs(self, words: list[str]) -> None:
        self.say("  " + suites.shown("pcs", words, self.secret))
        self.lab.cluster.pcs(*words, timeout_s=90.0)
