"""Many failures are asked about side by side; a fake answers for Pacemaker."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import pytest
from lxml import etree

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.heartbeat.pacemaker import questions, simulate

LOSSES = [(f"n{number}",) for number in range(12)]
WHOLE = etree.Element("cib")


@pytest.fixture(autouse=True)
def four_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})


def test_each_answer_belongs_to_its_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are under way at the same time, or the first would wait for ever."""
    both = threading.Barrier(2, timeout=5.0)

    def answer(_: object, __: object, lost: Sequence[str]) -> simulate.Outcome:
        if lost[0] in ("n0", "n1"):
            both.wait()
        return simulate.Outcome({}, {"at": lost[0]}, ())

    monkeypatch.setattr(simulate, "simulate", answer)
    told: list[tuple[int, int]] = []
    found = questions.ask(
        WHOLE, LOSSES, Deadline(9.0), lambda done, of: told.append((done, of))
    )
    answered = [one.after for one in found if isinstance(one, simulate.Outcome)]
    assert answered == [{"at": name} for (name,) in LOSSES]
    assert len(told) == 12
    assert {of for _, of in told} == {12}


def test_nothing_more_is_asked_once_one_has_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def answer(_: object, __: object, lost: Sequence[str]) -> simulate.Outcome:
        asked.append(lost[0])
        if lost[0] == "n0":
            raise simulate.Unfinished
        raise Unreachable("too slow")

    monkeypatch.setattr(simulate, "simulate", answer)
    found = questions.ask(WHOLE, LOSSES, Deadline(9.0))
    assert isinstance(found[0], simulate.Unfinished)
    assert all(isinstance(one, AgentError) for one in found)
    assert len(asked) <= 5  # the first, and one on each processor


def test_an_answer_that_is_no_xml_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: object) -> simulate.Outcome:
        return simulate.outcome("cut off")

    monkeypatch.setattr(simulate, "simulate", answer)
    (found,) = questions.ask(WHOLE, LOSSES[:1], Deadline(2.0))
    assert "is no XML" in str(found)
