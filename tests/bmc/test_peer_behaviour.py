"""Ours in every situation of the table, and answer by answer beside fence_ipmilan.

Where fence_ipmilan is right, exit code and stdout are the same. Where they are not,
``DIFFERENCES`` says what each answers, and why ours does. All is played at once: the
agents mostly wait.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import pytest
from bmc.calls import Caller
from bmc.plan import Plan
from bmc.simulator import free_port
from fencing.judge import OK
from fencing.play import Agent, Cell, ours, play, theirs
from fencing.scenarios import CYCLE, SITUATIONS, Given
from fencing.scene import Scene, staged

if TYPE_CHECKING:
    from pathlib import Path

AT_ONCE = 8
NAMES = [f"{s.name}, {s.action}" for s in SITUATIONS]


@pytest.fixture(scope="module")
def own(root: Path) -> Agent:
    return ours(root / "sbin/fence_vmha_ipmi")


@pytest.fixture(scope="module")
def our_cells(own: Agent) -> list[Cell]:
    """Play the whole table with ours."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda situation: play(own, situation), SITUATIONS))


@pytest.fixture(scope="module")
def their_cells() -> list[Cell]:
    """Play the whole table with fence_ipmilan."""
    peer = theirs()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda situation: play(peer, situation), SITUATIONS))


@pytest.mark.parametrize("number", range(len(SITUATIONS)), ids=NAMES)
def test_ours_is_right_in_every_situation(number: int, our_cells: list[Cell]) -> None:
    cell = our_cells[number]
    assert (cell.mark, cell.why) == (OK, ""), cell


@pytest.mark.long
@pytest.mark.parametrize("number", range(len(SITUATIONS)), ids=NAMES)
def test_fence_ipmilan_is_as_the_table_has_it(
    number: int, their_cells: list[Cell], figures: list[str]
) -> None:
    cell, known = their_cells[number], SITUATIONS[number].peer
    told = f"{cell.mark}, {cell.why}" if cell.mark else "right"
    figures.append(f"{NAMES[number]}: fence_ipmilan {told}")
    assert known in (None, cell.mark), cell


class Answer(NamedTuple):
    """What an agent says to the cluster."""

    exit_code: int
    stdout: str


class Place(NamedTuple):
    """A scene of the comparison, what both agents are given, and the actions."""

    scene: Scene
    given: Given
    actions: tuple[str, ...]


class Difference(NamedTuple):
    """An answer of ours that is another than theirs, and why."""

    place: str
    action: str
    theirs: Answer
    ours: Answer
    reason: str


HEALTHY = Scene()
ALWAYS = 1000
# Both wait for four seconds only, and theirs not in addition after each order.
SHORT: Given = {"power_timeout": 4, "power_wait": 0}
ALL = ("on", "off", "reboot", "status", "monitor")
FENCE = ("off", "reboot")
PLACES = {
    # Where fence_ipmilan is right.
    "on": Place(HEALTHY, {}, (*ALL, "ON", "validate-all")),
    "off": Place(Scene(is_on=False), {}, ALL),
    "takes 1 s to go off": Place(Scene(chassis={"off_takes_s": 1}), {}, FENCE),
    "ignores every off": Place(Scene(chassis={"ignore_offs": ALWAYS}), {}, FENCE),
    "ignores every on": Place(
        Scene(chassis={"ignore_ons": ALWAYS}, is_on=False), {}, ("on", "reboot")
    ),
    "fails at every on": Place(
        Scene(chassis={"refuse_on": True}, is_on=False), {}, ("on", "reboot")
    ),
    "operator": Place(
        HEALTHY, {"username": "operator", "privlvl": "operator"}, ("off", "monitor")
    ),
    "IPMI 1.5 asked for": Place(HEALTHY, {"lanplus": 0, "cipher": None}, ("status",)),
    "address in plug": Place(
        HEALTHY,
        {"ip": None, "plug": "127.0.0.1", "port_as_ip": 1},
        ("reboot", "status"),
    ),
    "old names": Place(
        HEALTHY,
        {"ip": None, "ipaddr": "127.0.0.1", "username": None, "login": "admin"},
        ("status",),
    ),
    "in quotes": Place(HEALTHY, {"ip": '"127.0.0.1"'}, ("status",)),
    "unknown parameter": Place(HEALTHY, {"no_such": 1}, ("off", "status")),
    "no address": Place(HEALTHY, {"ip": None}, ("off", "monitor", "validate-all")),
    "wrong password": Place(HEALTHY, {"password": "x"}, ("off", "status", "monitor")),
    "closed port": Place(HEALTHY, {"ipport": free_port()}, ("off", "monitor")),
    "unknown action": Place(HEALTHY, {}, ("dance",)),
    "two plugs": Place(
        HEALTHY,
        {"ip": None, "plug": "127.0.0.1,127.0.0.1", "port_as_ip": 1},
        ("status",),
    ),
    # Where it is not, or where ours is another agent; see DIFFERENCES.
    "one false off at first": Place(Scene(chassis={"false_reads": [0]}), {}, ("off",)),
    "ignores the first off": Place(
        Scene(chassis={"ignore_offs": 1}), {"power_timeout": 6}, ("off",)
    ),
    "cycle that is ignored": Place(
        Scene(scripted=Plan(ignored={"cycle": ALWAYS})), CYCLE, ("reboot",)
    ),
    "cycle, node is off": Place(
        Scene(scripted=Plan(codes={"cycle": (0xD5,) * ALWAYS}), is_on=False),
        CYCLE,
        ("reboot",),
    ),
    "may not power off": Place(
        Scene(scripted=Plan(too_low_at="order")), {"username": "user"}, ("monitor",)
    ),
    "ipport=99999": Place(HEALTHY, {"ipport": 99999}, ("validate-all",)),
    "power_timeout=-1": Place(HEALTHY, {"power_timeout": -1}, ("validate-all",)),
    "cipher=0": Place(HEALTHY, {"cipher": 0}, ("validate-all",)),
    "no map of hosts": Place(HEALTHY, {}, ("list",)),
    "diag": Place(Scene(scripted=Plan()), {}, ("diag",)),
}
FAILED = Answer(1, "")
REBOOTED = Answer(0, "Success: Rebooted\n")
POWERED_OFF = Answer(0, "Success: Powered OFF\n")
TAKEN = Answer(0, "")
DIFFERENCES = (
    Difference(
        "one false off at first",
        "off",
        Answer(0, "Success: Already OFF\n"),
        POWERED_OFF,
        "one read is no proof; the node was on, and still is with theirs",
    ),
    Difference(
        "ignores the first off",
        "off",
        FAILED,
        POWERED_OFF,
        "an off that has no effect is repeated",
    ),
    Difference(
        "cycle that is ignored",
        "reboot",
        REBOOTED,
        FAILED,
        "a cycle counts only when the node was seen off",
    ),
    Difference(
        "cycle, node is off",
        "reboot",
        FAILED,
        REBOOTED,
        "a node that is off is fenced; it is turned on",
    ),
    Difference(
        "may not power off",
        "monitor",
        TAKEN,
        FAILED,
        "a monitor that is green promises that the device could fence",
    ),
    Difference("ipport=99999", "validate-all", TAKEN, FAILED, "there is no such port"),
    Difference("power_timeout=-1", "validate-all", TAKEN, FAILED, "no time at all"),
    Difference(
        "cipher=0", "validate-all", TAKEN, FAILED, "suite 0 lets anybody power off"
    ),
    Difference(
        "no map of hosts",
        "list",
        Answer(0, "NOTICE: List option is not working on this device yet\n"),
        FAILED,
        "the fencer would take the words of a list that is none for names of nodes",
    ),
    Difference(
        "diag",
        "diag",
        REBOOTED,
        Answer(0, "Success: Diagnostic interrupt sent\n"),
        "an interrupt proves nothing about the power",
    ),
)
CELLS = [(place, action) for place, each in PLACES.items() for action in each.actions]


@pytest.fixture(scope="module")
def answers(
    own: Agent, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], tuple[Answer, Answer]]:
    """Return theirs and ours for every cell."""
    folder = tmp_path_factory.mktemp("answers")

    def answer(agent: Agent, place: str, action: str) -> Answer:
        scene, given, _ = PLACES[place]
        # ipmi_sim splits the command line of its chassis at every blank.
        where = folder / f"{agent.name}-{place}-{action}".replace(" ", "-")
        with staged(scene, where) as (face, _):
            caller = Caller(agent.executable, face, **{**agent.standard, **SHORT})
            outcome = caller(action, None, **given)
        return Answer(outcome.exit_code, outcome.stdout)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        pairs = [
            tuple(pool.submit(answer, agent, *cell) for agent in (theirs(), own))
            for cell in CELLS
        ]
        return {c: (p.result(), o.result()) for c, (p, o) in zip(CELLS, pairs)}


@pytest.mark.parametrize(("place", "action"), CELLS)
def test_the_answer_is_that_of_fence_ipmilan_or_a_difference_with_a_reason(
    place: str,
    action: str,
    answers: dict[tuple[str, str], tuple[Answer, Answer]],
) -> None:
    peer, own = answers[place, action]
    found = [d for d in DIFFERENCES if (d.place, d.action) == (place, action)]
    if not found:
        assert own == peer
        return
    (difference,) = found
    assert difference.reason
    assert (peer, own) == (difference.theirs, difference.ours)
    assert peer != own


def test_the_comparison_meets_every_sentence_of_fence_ipmilan(
    answers: dict[tuple[str, str], tuple[Answer, Answer]],
) -> None:
    done = {"Powered OFF", "Powered ON", "Already OFF", "Already ON", "Rebooted"}
    wanted = {f"Success: {words}\n" for words in done}
    wanted |= {"Status: ON\n", "Status: OFF\n"}
    for number in (0, 1):
        assert wanted <= {pair[number].stdout for pair in answers.values()}


def test_every_difference_is_in_the_comparison() -> None:
    assert {(d.place, d.action) for d in DIFFERENCES} <= set(CELLS)
