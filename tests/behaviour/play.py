"""Every cell of a situation, at the same time, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from hosts import guests
from hosts.host import Host
from hosts.operation import Answer
from hosts.pair import Pair
from hosts.waiting import until

from behaviour import stage
from behaviour.judge import Seen, mark
from behaviour.scenarios import Situation
from behaviour.stage import Case

# Pacemaker's timeouts, shortened: what ends by itself does so in time for these too.
TIMEOUT_S = {"migrate": 14.0, "stop": 12.0, "migrate_from": 10.0}
SHORT_S = 8.0
FORGETS_S = 20.0
NAMES = {"probe": "monitor", "validate": "validate-all", "unknown": "explode"}
AT_ONCE = 4
_NUMBERS = count(1)


@dataclass(frozen=True)
class Cell:
    """One action in one situation: its codes, its mark and why."""

    situation: str
    action: str
    codes: tuple[int, ...]
    seconds: float
    mark: str
    why: str


def play(pair: Pair, agent: Path, situation: Situation) -> list[Cell]:
    """Bring the situation about once for each action, try all, clear up."""
    actions = list(situation.allowed)
    cases = [Case(pair, agent, f"b{next(_NUMBERS)}") for _ in actions]
    try:
        with ThreadPoolExecutor(AT_ONCE) as workers:
            for step in situation.steps:  # each step for all, lest one guest be early
                list(workers.map(step, cases))
            for case in cases:
                case.resource = case.resource.but(**case.changed)
            situation.fault(pair)
            return list(
                workers.map(lambda pair_: _cell(situation, *pair_), zip(actions, cases))
            )
    finally:
        stage.mend(pair)
        for case in cases:
            case.end()
        for host in (pair.alpha, pair.beta):
            words = f"libvirt of {host.name} lists guests that have ended"
            until(FORGETS_S, host.has_forgotten_the_dead, words)


def _cell(situation: Situation, action: str, case: Case) -> Cell:
    lived, stranger = case.copies(case.alpha) > 0, case.stranger_lives()
    answers = _migrated(case) if action == "migrate" else [_answer(case, action)]
    seen = Seen(
        action,
        tuple(answer.code for answer in answers),
        lived,
        case.copies(case.alpha),
        0 if stage.has_half_arrived in situation.steps else case.copies(case.beta),
        stranger,
        case.stranger_lives(),
    )
    judged, why = mark(seen, situation.allowed[action])
    seconds = answers[0].seconds
    return Cell(situation.name, action, seen.codes, seconds, judged, why)


def _answer(case: Case, action: str) -> Answer:
    timeout_s = TIMEOUT_S.get(action, SHORT_S)
    if action == "migrate_from":
        return case.resource.migrate_from(case.beta, case.alpha, timeout_s)
    name = NAMES.get(action, action)
    interval_s = 10 if action == "monitor" else 0
    return case.resource.call(case.alpha, name, timeout_s, interval_s)


def _migrated(case: Case) -> list[Answer]:
    """Do what Pacemaker does after migrate_to's answer.

    Success: migrate_from, then stop on the source. Failure of either: stop on both,
    start on the source. A node whose stop fails is fenced.
    """
    moving = case.resource.migrate_to(case.alpha, case.beta, TIMEOUT_S["migrate"])
    answers = [moving.answer()]
    had_it = case.copies(case.alpha) + case.copies(case.beta) > 0
    if answers[0].code == 0:
        answers.append(case.resource.migrate_from(case.alpha, case.beta, SHORT_S))
        if answers[-1].code == 0:
            answers.append(_stopped(case, case.alpha))
            return answers
    if not had_it:
        return answers
    answers += [_stopped(case, host) for host in (case.beta, case.alpha)]
    answers.append(case.resource.call(case.alpha, "start", SHORT_S))
    return answers[:1] + _failures(answers[1:-1])


def _failures(answers: Iterable[Answer]) -> list[Answer]:
    """Return what went wrong; the start at the end may fail for the same reason."""
    return [answer for answer in answers if answer.code != 0]


def _stopped(case: Case, host: Host) -> Answer:
    answer = case.resource.call(host, "stop", TIMEOUT_S["stop"])
    if answer.code != 0:
        guests.end(host, case.guest)
    return answer
