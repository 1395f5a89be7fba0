"""Random fault schedules for the real agent on the real wire, each made from a seed.

A ``Schedule`` is one call: what the BMC and the node do, what the network does, which
action. The fault model: the node's power may be shown falsely, but never twice in a
row. On a wire that loses, holds back or repeats packets, a read that is asked for twice
may skip the true answer in between, so that one false "off" in all is what is left of
that rule. ``play`` carries a schedule out, ``verdict`` judges it from the outside: the
true power over time, the exit code, the time.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from bmc.calls import Caller
from bmc.listener import Listener
from bmc.plan import Plan
from bmc.proxy import TO_AGENT, TO_BMC, Proxy, Trouble
from bmc.scenes import FENCER, REPLAY_S
from bmc.simulator import Simulator

if TYPE_CHECKING:
    from pathlib import Path

    from bmc.calls import Outcome
    from bmc.node import Change

FENCING_S = 15
DEADLINE_S = 0.6 * FENCING_S
FIRST_S = 0.3  # the agent begins to talk about then


@dataclass(frozen=True)
class Schedule:
    """One call with its faults. ``frozen`` is when ipmi_sim is frozen, and thawed."""

    seed: int
    action: str
    by_cycle: bool
    trouble: Trouble
    plan: Plan | None  # None: ipmi_sim, with ``chassis``
    chassis: dict[str, object]
    frozen: tuple[float, float] | None

    def __str__(self) -> str:
        bmc = f"ipmi_sim with {self.chassis}, frozen {self.frozen}"
        if self.plan is not None:
            usual = vars(Plan())
            told = {k: v for k, v in vars(self.plan).items() if v != usual[k]}
            bmc = f"a scripted BMC with {told}"
        how = " by cycle" if self.by_cycle else ""
        return f"seed {self.seed}: {self.action}{how}; {self.trouble}; {bmc}"


@dataclass(frozen=True)
class Course:
    """How a schedule went: the outcome, and the power over time after replays."""

    schedule: Schedule
    outcome: Outcome
    changes: list[Change]
    packets: int
    dropped: int

    def __str__(self) -> str:
        begin = self.outcome.ended_at - self.outcome.seconds
        power = [
            f"{'on' if c.is_on else 'off'} {c.at_s - begin:.2f}" for c in self.changes
        ]
        return f"{self.schedule}: {self.outcome}, power {', '.join(power[1:])}"


def schedule(seed: int) -> Schedule:
    """Make the schedule of a seed."""
    random = Random(seed)
    action = random.choice(("off", "reboot", "reboot"))
    by_cycle = action == "reboot" and random.random() < 0.15
    trouble = _trouble(random, seed, by_cycle)
    is_perfect = trouble == Trouble(seed=seed)
    if by_cycle or random.random() < 0.6:
        plan = _plan(random, seed, is_perfect)
        return Schedule(seed, action, by_cycle, trouble, plan, {}, None)
    frozen = None
    if random.random() < 0.3:
        begin = FIRST_S + random.uniform(0, 2)
        frozen = begin, begin + random.uniform(0.2, 4)
    chassis = _chassis(random, is_perfect and not frozen)
    return Schedule(seed, action, by_cycle, trouble, None, chassis, frozen)


def _trouble(random: Random, seed: int, by_cycle: bool) -> Trouble:
    """A network; a cycle is never sent twice, so its network makes no copies either."""
    begin = FIRST_S + random.uniform(0, 3)
    faults: dict[str, dict[str, Any]] = {
        "loss": {"loss": random.choice((0.05, 0.1, 0.3))},
        "delay": {"delay_s": random.choice((0.05, 0.2)), "jitter_s": 0.1},
        "sessions": {"session_packets": random.choice((3, 5, 8))},
        "silence": {
            "silences": ((begin, begin + random.uniform(0.2, 3)),),
            "one_way": random.choice(("", TO_BMC, TO_AGENT)),
        },
        "twice": {"twice": random.choice((0.2, 1.0))},
        "late": {"late": random.choice((0.1, 0.2)), "late_s": random.choice((0.1, 2))},
        "copies": {"copies_s": random.choice(((0.3, 1.0), (0.5, 2.0, 4.0)))},
    }
    if by_cycle:
        for name in ("twice", "late", "copies"):
            del faults[name]
    return Trouble(seed=seed, **_some(random, faults, 2))


def _plan(random: Random, seed: int, is_perfect: bool) -> Plan:
    some = random.choices
    statuses = (0, 0xC0, 0xC3, 0xFF)
    faults: dict[str, dict[str, Any]] = {
        "suites": {"suites": random.choice(((3,), (17,))), "suite_status": None},
        "sessions": {"sessions": 1, "idle_s": 2.0},
        "full": {"open_status": random.choice(((0x01,), (0x01, 0x01)))},
        "silence": {
            "silences": ((1.0, 1.0 + random.uniform(0.2, 3)),),
            "is_deaf": random.random() < 0.5,
        },
        "restart": {
            "restarts": (FIRST_S + random.uniform(0, 3),),
            "restart_s": random.uniform(0, 2),
        },
        "codes": {
            "codes": {
                "off": tuple(some((0, 0xC0, 0xC3, 0xD5), (5, 1, 1, 1), k=2)),
                "on": tuple(some((0, 0xC0, 0xC3), (3, 1, 1), k=2)),
                "status": tuple(some(statuses, (9, 1, 1, 1), k=9)),
            },
            "carries_out_refused": random.random() < 0.3,
        },
        "lengths": {
            "lengths": {"status": tuple(some((None, 0, 2, 4), (9, 1, 1, 1), k=9))}
        },
        "fates": {"fates": tuple(some(("", "garbage", "cut 30"), (18, 1, 1), k=40))},
        "slow": {"off_s": random.choice((0.3, 1.5, 4.0)), "on_s": 0.5},
        "ignored": {"ignored": {random.choice(("off", "on", "cycle")): 1}},
    }
    chosen = _some(random, faults, 4)
    is_perfect = is_perfect and not {"silences", "fates", "restarts"} & set(chosen)
    false_reads = _false_reads(random, is_perfect)
    cycle_s = random.choice((0.5, 2.0))
    return Plan(seed=seed, cycle_s=cycle_s, false_reads=false_reads, **chosen)


def _some(
    random: Random, faults: dict[str, dict[str, Any]], most: int
) -> dict[str, Any]:
    """Choose some faults, none of them sometimes, and return what they set."""
    chosen = random.sample(sorted(faults), random.randint(0, most))
    return {name: value for each in chosen for name, value in faults[each].items()}


def _chassis(random: Random, is_perfect: bool) -> dict[str, object]:
    return {
        "off_takes_s": random.choice((0, 0, 0.3, 1.5, 5)),
        "ignore_offs": random.choice((0, 0, 0, 1)),
        "ignore_ons": random.choice((0, 0, 0, 1)),
        "stumble": random.choice((0, 0, 0, 2)),
        "false_reads": _false_reads(random, is_perfect),
    }


def _false_reads(random: Random, is_perfect: bool) -> tuple[int | None, ...]:
    """Return what reads show: false "on" at will, false "off" as the model allows."""
    reads: list[int | None] = []
    for _ in range(16):
        may_be_off = not any(entry == 0 for entry in reads[-1:] if is_perfect)
        if not is_perfect:
            may_be_off = 0 not in reads
        entries = (None, None, None, 1, 0) if may_be_off else (None, None, None, 1)
        reads.append(random.choice(entries))
    return tuple(reads)


def play(executable: Path, folder: Path, wanted: Schedule) -> Course:
    """Carry a schedule out; then send every packet again, and see what is left."""
    if wanted.plan is not None:
        with Listener(wanted.plan) as bmc:
            return _called(executable, wanted, bmc)
    with Simulator(folder / str(wanted.seed)) as simulator:
        simulator.plan(**wanted.chassis)
        freezer = _Freezer(simulator, wanted.frozen)
        try:
            return _called(executable, wanted, simulator)
        finally:
            freezer.end()


def _called(executable: Path, wanted: Schedule, bmc: Simulator | Listener) -> Course:
    caller_wishes: dict[str, object] = {
        "fencing_timeout": FENCING_S,
        "shell_timeout": 2,
    }
    if wanted.by_cycle:
        caller_wishes["method"] = "cycle"
    with Proxy(bmc.port, wanted.trouble) as network:
        caller = Caller(executable, network)
        outcome = caller(wanted.action, FENCER, **caller_wishes)
        if not wanted.by_cycle:  # a cycle that was not proven may be what was wanted
            network.replay()
            time.sleep(REPLAY_S)
        changes = bmc.changes() if isinstance(bmc, Simulator) else bmc.node.changes
        packets, dropped = sum(network.seen.values()), sum(network.dropped.values())
    return Course(wanted, outcome, list(changes), packets, dropped)


class _Freezer:
    """Freezes a BMC and thaws it again at the times of a schedule."""

    def __init__(self, bmc: Simulator, times: tuple[float, float] | None) -> None:
        begin, end = times or (0.0, 0.0)
        works = ((begin, bmc.freeze), (end, bmc.thaw)) if times else ()
        self._timers = [threading.Timer(at_s, work) for at_s, work in works]
        for timer in self._timers:
            timer.start()

    def end(self) -> None:
        for timer in self._timers:
            timer.cancel()
            timer.join()


def verdict(course: Course) -> list[str]:
    """Say what was wrong; an empty list is what every schedule has to give."""
    outcome, changes = course.outcome, course.changes
    begin = outcome.ended_at - outcome.seconds
    wrong = []
    if outcome.seconds > DEADLINE_S:
        wrong.append(f"it ended {outcome.seconds - DEADLINE_S:.2f} s too late")
    was_off = any(begin < each.at_s <= outcome.ended_at for each in changes[1:])
    if outcome.exit_code == 0 and not was_off:
        wrong.append("a false success: the node was never off")
    at_the_end = [each.is_on for each in changes if each.at_s <= outcome.ended_at][-1]
    if course.schedule.action == "off" and outcome.exit_code == 0 and at_the_end:
        wrong.append("a false success: the node was on")
    if sum(not each.is_on for each in changes) > 1:
        wrong.append("the node was powered off a second time")
    lines = len(outcome.stderr.splitlines())
    if outcome.exit_code and (lines != 1 or outcome.stdout):
        wrong.append("a failure is one line on stderr and nothing on stdout")
    if not outcome.exit_code and lines > (course.schedule.action == "reboot"):
        wrong.append("a success is silent, but for a reboot that left the node off")
    return wrong
