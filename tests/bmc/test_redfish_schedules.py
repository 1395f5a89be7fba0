"""Random faults of a Redfish service, with the real process: no schedule deceives it.

The faults are those of one service that may be slow, deaf, mute or forgetful, and whose
false offs are never two in a row. 20 schedules in a plain run, 100 in a long one.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from bmc import redfish_plan as plan
from bmc.redfish_calls import Calls, Case
from bmc.redfish_plan import Mishap, Node, Plan

if TYPE_CHECKING:
    from bmc.redfish_calls import Ended

PLACES = (plan.ROOT, plan.LOGIN, plan.READ, plan.READ, plan.RESET, plan.RESET)
STATUSES = (400, 404, 409, 412, 429, 500, 502, 503)
FALSE = (plan.OFF, None, "PoweringOff", plan.ON, "off")


def a_mishap(chance: random.Random) -> Mishap:
    """Draw one thing that goes wrong. An order not carried out may be so later."""
    status = chance.choice(STATUSES)
    is_late = chance.random() < 0.3
    return Mishap(
        chance.choice(plan.MISHAPS),
        chance.choice(PLACES),
        skip=chance.randrange(3),
        times=chance.choice((1, 1, 2, 5)),
        # A BMC that says 4xx has done nothing, nor has one that asks for patience.
        done=chance.random() < 0.5,
        late_s=chance.uniform(0.0, 5.0) if is_late else 0.0,
        status=status,
        down_s=chance.uniform(0.1, 2.0),
    )


def a_plan(chance: random.Random) -> Plan:
    """Draw a service."""
    mishaps = [a_mishap(chance) for _ in range(chance.randrange(1, 4))]
    for mishap in mishaps:
        refuses = mishap.kind == plan.FORGOTTEN
        refuses = refuses or (mishap.kind == plan.STATUS and mishap.status < 500)
        if refuses or mishap.status == 503:
            mishap.done = False
    false: list[object] = []
    for _ in range(chance.randrange(8)):
        false += [chance.choice(FALSE), ...]
    return Plan(
        has_sessions=chance.random() < 0.8,
        off_takes_s=chance.choice((0.0, 0.3, 1.5, chance.uniform(0.0, 6.0))),
        on_takes_s=chance.choice((0.0, 0.5)),
        cycle_off_s=chance.uniform(0.0, 2.0),
        shows_between=chance.random() < 0.5,
        ignored_offs=chance.choice((0, 0, 0, 1, 2)),
        takes_as_task_s=chance.choice((-1.0, -1.0, chance.uniform(0.0, 2.0))),
        shown=false if chance.random() < 0.5 else (),
        mishaps=mishaps,
    )


def a_case(seed: str) -> Case:
    """Draw a service and what is asked of it."""
    chance = random.Random(seed)
    action = chance.choice(("off", "off", "reboot", "reboot", "reboot", "on", "status"))
    cycle = action == "reboot" and chance.random() < 0.2
    return Case(
        a_plan(chance),
        action,
        given={
            "method": "cycle" if cycle else "onoff",
            "fencing_timeout": chance.choice((10, 14)),
        },
        may_leave_session=True,
    )


def wrongs(ended: Ended) -> list[str]:
    """Return what is wrong with how a call ended."""
    outcome, bmc, found = ended.outcome, ended.bmc, []
    fenced = ended.case.action in ("off", "reboot") and outcome.exit_code == 0
    if fenced and not bmc.node.was_off(ended.begin, ended.end):
        found.append("a false success")
    if ended.case.action == "reboot" and bmc.node.went_off() > 1:
        found.append("powered off a second time")
    most_s = 0.6 * float(str(ended.case.given["fencing_timeout"])) + 1.0
    if outcome.seconds > most_s:
        found.append("past its deadline")
    if "unexpected" in outcome.stderr or len(outcome.stderr.splitlines()) > 1:
        found.append("an unexpected end")
    return found


def test_no_schedule_of_faults_deceives_the_agent(
    calls: Calls, seed: int, is_long: bool, figures: list[str]
) -> None:
    seeds = [f"{seed}-{number}" for number in range(100 if is_long else 20)]
    ends = calls.ends({name: a_case(name) for name in seeds})
    bad = {name: (wrongs(end), end) for name, end in ends.items() if wrongs(end)}
    done = sum(end.outcome.exit_code == 0 for end in ends.values())
    slowest_s = max(end.outcome.seconds for end in ends.values())
    figures.append(
        f"Redfish, random faults: {len(ends)} schedules, {done} succeeded, "
        f"{len(bad)} wrong, the slowest took {slowest_s:.1f} s"
    )
    assert bad == {}


def test_the_check_would_see_a_false_success(calls: Calls) -> None:
    lies = Case(
        Plan(ignored_offs=9, always_shown=plan.OFF), given={"fencing_timeout": 10}
    )
    ended = calls.end(lies)
    assert wrongs(ended) == ["a false success"]


def test_the_check_would_see_an_off_that_comes_late() -> None:
    node = Node()
    node.change(plan.OFF)
    node.change(plan.ON)
    assert node.went_off() == 1
    node.change(plan.OFF, after_s=60.0)
    assert node.went_off() == 2
