"""The agent killed between any two calls into libvirt: one copy or none, as asked.

Each trial kills one action at a point drawn by the seed, and then does what Pacemaker
would: run it again, stop and start, fence, or stop on both nodes and start once. The
number of calls comes from a run that is not killed. Copies are counted by QEMU
processes and by the boots that go on counting, never by what libvirt or the agent say.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from hosts import guests, killed
from hosts.host import Host
from hosts.killed import NEVER, KillPoint, Mortal
from hosts.operation import Answer
from hosts.pool import Pool

TRIALS, LONG_TRIALS = 6, 50  # of each action
COUNTS_S = 0.4


class Fault(Exception):
    """What must never be; its first word counts it."""


class Trial:
    """One guest, whose action is killed and mended."""

    def __init__(
        self, hosts: tuple[Host, Host], pool: Pool, agent: Path, chance: random.Random
    ) -> None:
        self.alpha, self.beta = hosts
        self.pool = pool
        self.agent = agent
        self.chance = chance
        self.ways: list[str] = []
        self.was_killed = False

    def run(self, action: str, point: KillPoint) -> None:
        """Kill an action there, do what follows, and count copies; raises Fault."""
        getattr(self, action)(point)

    def take(self, running: bool) -> None:
        """Take a guest in hand; ``running`` wants it counting on alpha."""
        self.guest = self.pool.running() if running else self.pool.defined()
        self.resource = Mortal(
            self.agent,
            self.guest.name,
            config=guests.config_path(self.guest),
            migration_transport="tcp",
            force_stop="yes",
        )
        if running:
            self.expect(self.alpha, "start", self.resource.call(self.alpha, "start"))

    def start(self, point: KillPoint) -> None:
        self.take(running=False)
        self.dies(self.resource.mortal(point).call(self.alpha, "start"))
        if self.way("again", "recovered") == "again":
            self.started(self.alpha)
        else:
            self.stopped(self.alpha)
            self.started(self.chance.choice((self.alpha, self.beta)))

    def stop(self, point: KillPoint) -> None:
        self.take(running=False)
        self.started(self.alpha)
        self.dies(self.resource.mortal(point).call(self.alpha, "stop"))
        if self.way("again", "fenced") == "again":
            self.stopped(self.alpha)
        else:
            self.fenced(self.alpha)
        self.started(self.beta)

    def migrate_to(self, point: KillPoint) -> None:
        self.take(running=True)
        dying = self.resource.mortal(point)
        self.dies(dying.migrate_to(self.alpha, self.beta).answer())
        self.one_counts_at_most()
        way = self.way("again", "recovered", "source fenced", "target fenced")
        if way == "again":
            repeated = self.resource.migrate_to(self.alpha, self.beta).answer()
            if repeated.code == 0:
                self.arrived()
                return
            self.one_counts_at_most()
        elif way == "source fenced":
            self.fenced(self.alpha)
        elif way == "target fenced":
            self.fenced(self.beta)
        self.restarted()

    def migrate_from(self, point: KillPoint) -> None:
        self.take(running=True)
        gone = self.resource.migrate_to(self.alpha, self.beta).answer()
        self.expect(self.alpha, "migrate_to", gone)
        self.dies(self.resource.mortal(point).migrate_from(self.alpha, self.beta))
        if self.way("again", "recovered") == "again":
            self.arrived()
        else:
            self.restarted()

    def dies(self, answer: Answer) -> None:
        """Note whether the action was killed; it may have ended a moment before."""
        self.was_killed = answer.code == -signal.SIGKILL

    def way(self, *ways: str) -> str:
        """Choose what follows."""
        self.ways.append(self.chance.choice(ways))
        return self.ways[-1]

    def arrived(self) -> None:
        """Go on as after a migrate_to that succeeded."""
        came = self.resource.migrate_from(self.alpha, self.beta)
        self.expect(self.beta, "migrate_from", came)
        boots = {tick.boot for tick in guests.ticks(self.alpha, self.guest)}
        self.stopped(self.alpha)
        self.runs_only_on(self.beta)
        guests.await_tick(self.beta, self.guest)
        if {tick.boot for tick in guests.ticks(self.beta, self.guest)} != boots:
            raise Fault("lost: it was restarted on its way")

    def restarted(self) -> None:
        """Stop on both nodes, as Pacemaker does it: at once; then start once."""
        hosts = [self.alpha, self.beta]
        self.chance.shuffle(hosts)
        stopping = [(host, self.resource.begin(host, "stop")) for host in hosts]
        for host, stop in stopping:
            self.proven_stopped(host, stop.answer())
        self.started(hosts[0])

    def started(self, host: Host) -> None:
        self.expect(host, "start", self.resource.call(host, "start"))
        self.runs_only_on(host)

    def stopped(self, host: Host) -> None:
        self.proven_stopped(host, self.resource.call(host, "stop"))

    def proven_stopped(self, host: Host, answer: Answer) -> None:
        living = host.emulators(self.guest.uuid)
        if answer.code == 0 and living:
            raise Fault(f"false stop on {host.name}: {living} live")
        self.expect(host, "stop", answer)

    def expect(self, host: Host, action: str, answer: Answer) -> None:
        if answer.code != 0:
            raise Fault(f"lost: {action} on {host.name} answered {answer}")

    def fenced(self, host: Host) -> None:
        """Take the power of a node away: its guest and its record are gone."""
        guests.end(host, self.guest)
        record = host.path(f"/run/vmha/guests/{self.guest.name}.guest")
        record.unlink(missing_ok=True)

    def runs_only_on(self, host: Host) -> None:
        counted = {
            h.name: h.emulators(self.guest.uuid) for h in (self.alpha, self.beta)
        }
        if sum(map(len, counted.values())) > 1:
            raise Fault(f"two copies: {counted}")
        if not counted[host.name]:
            raise Fault(f"lost: not on {host.name}: {counted}")

    def one_counts_at_most(self) -> None:
        """Watch the counters: while a migration is mended, two processes may live."""
        hosts = (self.alpha, self.beta)
        before = [len(guests.ticks(host, self.guest)) for host in hosts]
        time.sleep(COUNTS_S)
        after = [guests.ticks(host, self.guest) for host in hosts]
        counting = [host.name for host, n, t in zip(hosts, before, after) if t[n:]]
        if len(counting) > 1:
            raise Fault(f"two copies count: {counting}")

    def end(self) -> None:
        """Leave nothing behind."""
        for host in (self.alpha, self.beta):
            self.fenced(host)


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent that can be killed at a call into libvirt."""
    return killed.build(tmp_path_factory.mktemp("mortal"))


@pytest.fixture
def trial(
    alpha: Host, beta: Host, pool: Pool, mortal: Path
) -> Iterator[Callable[[random.Random], Trial]]:
    """Make trials on the two hosts; what they leave is ended."""
    made: list[Trial] = []

    def make(chance: random.Random) -> Trial:
        made.append(Trial((alpha, beta), pool, mortal, chance))
        return made[-1]

    yield make
    for one in made:
        one.end()


ACTIONS = {
    "start": "alpha",
    "stop": "alpha",
    "migrate_to": "alpha",
    "migrate_from": "beta",
}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_killed_at_any_call_ends_with_the_copies_that_were_asked_for(
    alpha: Host,
    beta: Host,
    trial: Callable[[random.Random], Trial],
    action: str,
    seed: int,
    is_long: bool,
    figures: list[str],
) -> None:
    trial(random.Random(0)).run(action, NEVER)
    calls = killed.calls({"alpha": alpha, "beta": beta}[ACTIONS[action]])
    chance = random.Random(f"{seed} {action}")
    trials = LONG_TRIALS if is_long else TRIALS
    faults, ways, deaths = [], Counter[str](), 0
    for number in range(trials):
        point = killed.drawn(chance, calls, (number + chance.random()) / trials)
        one = trial(random.Random(chance.random()))
        try:
            one.run(action, point)
        except Fault as fault:
            names = f"{calls[point.number - 1].name}, then {' '.join(one.ways)}"
            faults.append(f"{fault} (trial {number}, {point}, {names}; seed {seed})")
        ways.update(one.ways)
        deaths += one.was_killed
        one.end()

    kinds = Counter(fault.split()[0].rstrip(":") for fault in faults)
    followed = ", ".join(f"{count} {way}" for way, count in sorted(ways.items()))
    figures.append(
        f"{action}: killed {deaths} times in {trials} trials, {len(calls)} calls; "
        f"two copies {kinds['two']}, lost guests {kinds['lost']}, false stops "
        f"{kinds['false']} ({followed})"
    )
    assert not faults, "\n".join(faults)
    assert deaths >= trials // 3, "too few were killed before they ended"
