"""How long fencing takes: ours beside fence_ipmilan, in turns, on the same BMCs.

Three contenders: fence_ipmilan as it comes, which waits for two seconds after each
order (power_wait), the same without that wait, and ours. Each figure is the wall time
of a whole process, as the fencer waits for it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bmc.calls import PEER, Caller, Outcome, Reachable
from bmc.listener import Listener
from bmc.plan import Plan
from bmc.proxy import Proxy, Trouble
from bmc.simulator import Simulator

ACTIONS = ("status", "off", "reboot")
LANPLUS = {"lanplus": 1, "cipher": 3}
THEIRS, THEIRS_AT_ONCE, OURS = "fence_ipmilan", "with power_wait=0", "fence_vmha_ipmi"
INSTANT, SLOW, SIMULATED = "instant", "2 s to go off", "ipmi_sim"
LOSSY, FAR = "5 % loss", "100 ms delay"
CUT_S = 120.0
HOW = """\
A figure is the median of {most} runs ({least} with a bad network), the contenders in
turns. A run is the wall time of one whole process, as the fencer waits for it: for
ours from the start of Python to its exit, the import of pyghmi included, which takes
{import_ms} ms here. The first two BMCs are scripted ones on loopback; the others are
ipmi_sim, which starts a program for each look at the power, the last two behind a proxy
that loses or delays packets, each way. fence_ipmilan runs with lanplus=1 cipher=3. Load
average at the end: {load:.1f} on {cpus} CPUs; a busy machine slows ours more, which
computes, than theirs, which sleeps.
"""
PYTHON = ("/usr/bin/python3", "-I", "-c")
IMPORT = "import pyghmi.ipmi.private.session"


@dataclass(frozen=True)
class Condition:
    """A BMC, ipmi_sim or a scripted one, and its network.

    Packets are lost by the number of the run, the same for all contenders.
    With a bad network fence_ipmilan takes half a minute, so that half the runs must do.
    """

    name: str
    scripted: Plan | None = None
    network: Callable[[int], Trouble] | None = None

    def runs(self, wanted: int) -> int:
        """Return how many of the wanted runs are made."""
        return (wanted + 1) // 2 if self.network else wanted


CONDITIONS = (
    Condition(INSTANT, Plan()),
    Condition(SLOW, Plan(off_s=2)),
    Condition(SIMULATED),
    Condition(LOSSY, network=lambda run: Trouble(loss=0.05, seed=run)),
    Condition(FAR, network=lambda _run: Trouble(delay_s=0.1)),
)


@dataclass
class Measured:
    """One contender's times for one action in one condition.

    ``after_off_s`` are the times from the node's true off to the end of the agent.
    """

    condition: str
    action: str
    contender: str
    seconds: list[float] = field(default_factory=list)
    after_off_s: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def median_s(self) -> float:
        """The median of all runs, those that failed included."""
        return statistics.median(self.seconds)


Key = tuple[str, str, str]


def measured(
    executable: Path,
    folder: Path,
    runs: int,
    only: str | None,
    into: dict[Key, Measured],
) -> None:
    """Play every condition ``runs`` times, the contenders in turns; fill ``into``."""
    contenders: dict[str, tuple[Path, dict[str, object]]] = {
        THEIRS: (PEER, {**LANPLUS}),
        THEIRS_AT_ONCE: (PEER, {**LANPLUS, "power_wait": 0}),
        OURS: (executable, {}),
    }
    chosen = [c for c in CONDITIONS if not only or only.lower() in c.name.lower()]
    for number, condition in enumerate(chosen):
        with _bmc(condition, folder / f"bmc{number}") as bmc:
            for run in range(condition.runs(runs)):
                place = f"{condition.name}: run {run + 1} of {condition.runs(runs)}"
                print(place, file=sys.stderr, flush=True)
                for action in ACTIONS:
                    for name, (path, standard) in contenders.items():
                        key = (condition.name, action, name)
                        row = into.setdefault(key, Measured(*key))
                        with _reached(bmc, condition, run) as face:
                            _run(Caller(path, face, **standard), bmc, row)


def _bmc(condition: Condition, folder: Path) -> Simulator | Listener:
    return Listener(condition.scripted) if condition.scripted else Simulator(folder)


@contextmanager
def _reached(
    bmc: Simulator | Listener, condition: Condition, run: int
) -> Iterator[Reachable]:
    """Give what the agent talks to: the BMC, or a network before it."""
    if condition.network is None:
        yield bmc
        return
    with Proxy(bmc.port, condition.network(run)) as network:
        yield network


def _run(call: Caller, bmc: Simulator | Listener, row: Measured) -> None:
    if isinstance(bmc, Simulator):
        bmc.set_power(1)
    else:
        bmc.node.set_power(True)
    outcome = _outcome(call, row.action)
    row.seconds.append(outcome.seconds)
    row.failed += outcome.exit_code != 0
    changes = bmc.changes() if isinstance(bmc, Simulator) else bmc.node.changes
    offs = [change.at_s for change in changes if not change.is_on]
    if row.action == "off" and outcome.exit_code == 0 and offs:
        row.after_off_s.append(outcome.ended_at - offs[-1])


def _outcome(call: Caller, action: str) -> Outcome:
    started = call.start(action)
    begin = time.monotonic()
    try:
        return started.outcome(CUT_S)
    except subprocess.TimeoutExpired:
        started.process.kill()
        started.process.communicate()
        now = time.monotonic()
        return Outcome(-9, "", "", now - begin, now)


def import_s(rounds: int = 7) -> float:
    """Return what a Python with pyghmi takes more than one without: the median."""

    def wall_s(code: str) -> float:
        begin = time.monotonic()
        subprocess.run([*PYTHON, code], check=True)
        return time.monotonic() - begin

    pairs = [(wall_s(IMPORT), wall_s("pass")) for _ in range(rounds)]
    return statistics.median(with_it - bare for with_it, bare in pairs)


def rows(found: dict[Key, Measured]) -> list[tuple[str, ...]]:
    """Return the table, the heading first."""
    names = (THEIRS, THEIRS_AT_ONCE, OURS)
    shares = ("ours/first", "ours/second")
    table: list[tuple[str, ...]] = [("BMC", "action", *names, *shares)]
    places = dict.fromkeys((condition, action) for condition, action, _ in found)
    last = ""
    for condition, action in places:
        each = [found.get((condition, action, name)) for name in names]
        if all(each):
            shown = "" if condition == last else condition
            table.append((shown, action, *_cells([row for row in each if row])))
            last = condition
    return table


def _cells(each: list[Measured]) -> tuple[str, ...]:
    ours = each[-1].median_s
    shares = (f"{ours / row.median_s:.2f}" for row in each[:-1])
    return (*map(_time, each), *shares)


def _time(row: Measured) -> str:
    failed = f"{row.failed} of {len(row.seconds)} failed, " if row.failed else ""
    return f"{failed}{row.median_s:.2f} s"


@dataclass(frozen=True)
class Promise:
    """A figure, its limit, and whether it is kept."""

    text: str
    figure: float
    limit: float

    @property
    def is_kept(self) -> bool:
        """Tell whether the figure is within its limit."""
        return self.figure <= self.limit

    def __str__(self) -> str:
        kept = "" if self.is_kept else "  NOT KEPT"
        return f"{self.text}: {self.figure:.2f} (promised: at most {self.limit}){kept}"


def promises(found: dict[Key, Measured]) -> Iterator[Promise]:
    """Hold the figures against what is promised, as far as they are there."""
    for action, limit in (("status", 1.5), ("off", 0.15)):
        own, peer = (found.get((INSTANT, action, name)) for name in (OURS, THEIRS))
        if own and peer:
            share = own.median_s / peer.median_s
            yield Promise(f"{action}, ours over fence_ipmilan's default", share, limit)
    slow = found.get((SLOW, "off", OURS))
    if slow and slow.after_off_s:
        after = statistics.median(slow.after_off_s)
        yield Promise("off proven after the true off, ours, in seconds", after, 0.3)
    lossy = found.get((LOSSY, "off", OURS))
    if lossy:
        yield Promise("off with 5 % loss, ours, in seconds", lossy.median_s, 2.0)
        yield Promise("off with 5 % loss, ours, failures", lossy.failed, 0)


def after_off(found: dict[Key, Measured]) -> list[str]:
    """Say how long after the node's true off each contender ends."""
    lines = ["From the true off of the node that takes 2 s to the end of the agent:"]
    for name in (THEIRS, THEIRS_AT_ONCE, OURS):
        row = found.get((SLOW, "off", name))
        if row and row.after_off_s:
            figure = statistics.median(row.after_off_s)
            lines.append(f"  {name}: {figure:.2f} s, {len(row.after_off_s)} runs")
    return lines if len(lines) > 1 else []


def how(found: dict[Key, Measured]) -> str:
    """Say how the figures were got."""
    most = max((len(row.seconds) for row in found.values()), default=0)
    least = min((len(row.seconds) for row in found.values()), default=0)
    return HOW.format(
        most=most,
        least=least,
        load=os.getloadavg()[0],
        cpus=os.cpu_count(),
        import_ms=round(1000 * import_s()),
    )
