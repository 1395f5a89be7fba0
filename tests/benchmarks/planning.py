"""How long the planner takes for all failures, and crm_simulate for one of them.

The cluster is drawn from a seed: many nodes, many guests, rules of every kind, three
classes; as full as lets most failures be survived.
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path
from typing import NamedTuple

from lxml import etree
from oracle import comparison
from oracle.comparison import Places

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.heartbeat.pacemaker import simulate
from vmha.heartbeat.planning import failures
from vmha.heartbeat.planning.model import (
    Avoid,
    Cluster,
    Guest,
    Node,
    Pin,
    Rule,
    Spread,
    Together,
)
from vmha.heartbeat.planning.prediction import Scheduler

SEED = 2126
TIMEOUT_S = 300.0
DECIDED = ("start", "stop", "move", "migrate")
PAIRS_OF_GUESTS = 10  # one spread pair for so many guests, and half as many others


class Timing(NamedTuple):
    """What was measured of one cluster."""

    nodes: int
    guests: int
    rules: int
    planner_s: float
    failures: int
    simulator_s: float
    differences: int

    @property
    def is_kept(self) -> bool:
        """Whether all failures took less time than crm_simulate took for one."""
        return self.planner_s < self.simulator_s and not self.differences


def cluster(nodes: int, guests: int, seed: int = SEED) -> Cluster:
    """Draw a cluster of this size, four fifths full where one node is lost."""
    chance = random.Random(seed)
    names = [f"node{number:02}" for number in range(1, nodes + 1)]
    homes = [chance.choice(names) for _ in range(guests)]
    made = [
        Guest(
            f"guest{number:04}",
            chance.choice([1, 1, 2, 4]),
            chance.choice([1024, 2048, 2048, 4096, 8192]),
            chance.choice([1, 2, 3]),
            chance.random() > 0.02,
            home,
            (home,) if chance.random() < 0.1 else (),
        )
        for number, home in enumerate(homes)
    ]
    used = dict.fromkeys(names, (0, 0))
    for guest in made:
        cpu, memory = used[str(guest.runs_on)]
        used[str(guest.runs_on)] = (cpu + guest.cpu, memory + guest.memory_mib)
    cpu = int(max(at[0] for at in used.values()) * 1.15)
    memory = int(max(at[1] for at in used.values()) * 1.05)
    return Cluster(
        tuple(
            Node(name, cpu, memory, f"rack{number % 4}")
            for number, name in enumerate(names)
        ),
        tuple(made),
        tuple(_rules(chance, names, made)),
    )


def _rules(chance: random.Random, names: list[str], made: list[Guest]) -> list[Rule]:
    found: list[Rule] = []
    for _ in range(len(made) // PAIRS_OF_GUESTS):
        one, other = chance.sample(made, 2)
        if one.runs_on != other.runs_on:
            found.append(Spread((one.name, other.name), hard=chance.random() < 0.7))
    for _ in range(len(made) // (2 * PAIRS_OF_GUESTS)):
        guest = chance.choice(made)
        home = str(guest.runs_on)
        others = [name for name in names if name != home]
        companions = [one for one in made if one.runs_on == home and one != guest]
        kind = chance.choice([Pin, Avoid, Together])
        if kind is Pin:
            found.append(Pin((guest.name,), (home, *chance.sample(others, 4))))
        elif kind is Avoid:
            found.append(Avoid((guest.name,), (chance.choice(others),)))
        elif companions:
            found.append(Together((guest.name, chance.choice(companions).name)))
    return found


def measured(nodes: int, guests: int) -> Timing:
    """Time both on the same cluster, one after the other."""
    drawn = cluster(nodes, guests)
    began = _cpu_s()
    plan = failures.plan(drawn, 1, search=False)
    planner_s = _cpu_s() - began
    lost = (drawn.nodes[0].name,)
    simulator_s, theirs = _simulated(drawn, lost)
    ours = comparison.planned(Scheduler(drawn), lost)
    return Timing(
        nodes,
        guests,
        len(drawn.rules),
        planner_s,
        len(plan.failures),
        simulator_s,
        sum(ours[name] != theirs[name] for name in ours),
    )


def _simulated(drawn: Cluster, lost: tuple[str, ...]) -> tuple[float, Places]:
    """Time crm_simulate's decision (``--run``); playing the transition takes longer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cib.xml"
        etree.ElementTree(comparison.document(drawn)).write(str(path))
        words = ["--run", "--output-as=xml", *(f"--node-fail={name}" for name in lost)]
        began = _cpu_s()
        answer = process.run(
            ["crm_simulate", "--xml-file", str(path), *words],
            Deadline(TIMEOUT_S),
            {"CIB_shadow_dir": folder},
        )
        spent_s = _cpu_s() - began
    told = simulate.decision(answer.stdout)
    places: dict[str, str | None] = {
        guest.name: told.before.get(guest.name) for guest in drawn.guests
    }
    for guest in drawn.guests:
        if not guest.ha and guest.runs_on in lost:
            places[guest.name] = None  # no action: it just is not there any more
    for action in told.actions:
        if action.resource in places and action.kind in DECIDED:
            places[action.resource] = action.target or None
    return spent_s, places


def _cpu_s() -> float:
    """Return the processor time of this process and of those it has run."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


HEADING = ("nodes", "guests", "rules", "planner s", "of", "crm_simulate s", "of")


def row(timing: Timing) -> tuple[str, ...]:
    """Return a line of the table."""
    return (
        str(timing.nodes),
        str(timing.guests),
        str(timing.rules),
        f"{timing.planner_s:.2f}",
        f"{timing.failures} failures",
        f"{timing.simulator_s:.2f}",
        "1 failure",
    )
