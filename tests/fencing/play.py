"""One situation with one agent: stage it, call, watch the node, judge."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bmc.calls import PEER, Caller, Outcome
from bmc.node import Change
from bmc.simulator import PASSWORD

from fencing.judge import KILLED, OK, WORST_FIRST, WRONG, Seen, mark
from fencing.scenarios import FENCING_S, Situation
from fencing.scene import staged

FENCER = {"PCMK_service": "pacemaker-fenced"}
AT_ONCE = 5


@dataclass(frozen=True)
class Agent:
    """A contender: its executable, and what is always given to it."""

    name: str
    executable: Path
    standard: dict[str, object] = field(default_factory=dict)
    # The fencer does not tell the time it gives; ours can be told it.
    for_fencer: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """One agent in one situation: what it answered, its mark and why.

    Of several runs ``bad`` of ``runs`` are not right, and the worst is shown.
    """

    situation: str
    action: str
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    mark: str
    why: str
    orders: tuple[str, ...]
    runs: int = 1
    bad: int = 0


def ours(executable: Path) -> Agent:
    """Return our agent."""
    told = {"fencing_timeout": FENCING_S}
    return Agent("fence_vmha_ipmi", executable, for_fencer=dict(told))


def theirs() -> Agent:
    """Return fence_ipmilan, set up as its users must: IPMI 2.0, a working suite."""
    return Agent("fence_ipmilan", PEER, {"lanplus": 1, "cipher": 3})


def play(agent: Agent, situation: Situation) -> Cell:
    """Play a situation with all its seeds; return the worst."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        seeds = situation.seeds
        cells = list(pool.map(lambda seed: _cell(agent, situation, seed), seeds))
    bad = sum(bool(cell.mark) for cell in cells)
    worst = min(cells, key=lambda c: (WORST_FIRST.index(c.mark), -c.seconds))
    if worst.mark == WRONG and len(cells) - bad >= situation.enough:
        worst = replace(worst, mark=OK, why="")
    return replace(worst, runs=len(cells), bad=bad)


def _cell(agent: Agent, situation: Situation, seed: int) -> Cell:
    scene = situation.scene.seeded(seed)
    with TemporaryDirectory() as at, staged(scene, Path(at) / "bmc") as (face, truth):
        begin = time.monotonic()
        caller = Caller(agent.executable, face, **agent.standard)
        with Watcher(face.port, situation.looks > 0) as watcher:
            outcome = _called(agent, caller, situation)
            for _ in range(1, situation.looks):
                if watcher.has_seen:
                    break
                outcome = _called(agent, caller, situation)
        time.sleep(situation.watch_s)
        changes, orders = tuple(truth.changes()), tuple(truth.orders())
    return _judged(situation, outcome, begin, changes, orders, watcher.has_seen)


def _judged(
    situation: Situation,
    outcome: Outcome,
    begin: float,
    changes: tuple[Change, ...],
    orders: tuple[str, ...],
    password_seen: bool,
) -> Cell:
    seen = Seen(
        situation.action,
        outcome.exit_code,
        outcome.stdout,
        outcome.stderr,
        outcome.seconds,
        begin,
        outcome.ended_at,
        changes,
        password_seen,
    )
    judged, why = mark(seen, situation.right)
    return Cell(
        situation.name,
        situation.action,
        outcome.exit_code,
        outcome.stdout.strip(),
        outcome.stderr.strip(),
        outcome.seconds,
        judged,
        why,
        orders,
    )


def _called(agent: Agent, caller: Caller, situation: Situation) -> Outcome:
    """Call once; one that goes on for too long is killed, as the fencer does."""
    given = dict(situation.given)
    if situation.by_fencer:
        given.update(agent.for_fencer)
    environ = FENCER if situation.by_fencer else None
    started = caller.start(situation.action, environ, **given)
    began_at = time.monotonic()
    try:
        return started.outcome(situation.cut_s)
    except subprocess.TimeoutExpired:
        started.process.kill()
        stdout, stderr = started.process.communicate()
        now = time.monotonic()
        return Outcome(KILLED, stdout, stderr, now - began_at, now)


class Watcher(threading.Thread):
    """Looks at all command lines for the password of the BMC at ``port``."""

    def __init__(self, port: int, is_wanted: bool) -> None:
        super().__init__(daemon=True)
        self.has_seen = False
        self._words = (PASSWORD.encode(), str(port).encode())
        self._is_wanted = is_wanted
        self._end = threading.Event()

    def __enter__(self) -> Watcher:
        if self._is_wanted:
            self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._is_wanted:
            self.join()

    def run(self) -> None:
        while not (self._end.is_set() or self.has_seen):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                self._look(pid)

    def _look(self, pid: str) -> None:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read()
            self.has_seen |= all(word in line for word in self._words)
        except OSError:
            return  # it has ended
