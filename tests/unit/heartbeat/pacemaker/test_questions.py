"""Many failures are asked about; a fake answers for Pacemaker."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from lxml import etree

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.heartbeat.pacemaker import questions, simulate

LOSSES = [(f"n{number}",) for number in range(12)]
WHOLE = etree.Element("cib")


def test_each_answer_belongs_to_its_question(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_: object, __: object, lost: Sequence[str]) -> simulate.Outcome:
        return simulate.Outcome({}, {"at": lost[0]}, ())

    monkeypatch.setattr(simulate, "simulate", answer)
    told: list[tuple[int, int]] = []
    found = questions.ask(
        WHOLE, LOSSES, Deadline(9.0), lambda done, of: told.append((done, of))
    )
    answered = [one.after for one in found if isinstance(one, simulate.Outcome)]
    assert answered == [{"at": name} for (name,) in LOSSES]
    assert told == [(done, 12) for done in range(12)]


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
    assert asked == ["n0", "n1"]


def test_an_answer_that_is_no_xml_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: object) -> simulate.Outcome:
        return simulate.outcome("cut off")

    monkeypatch.setattr(simulate, "simulate", answer)
    (found,) = questions.ask(WHOLE, LOSSES[:1], Deadline(2.0))
    assert "is no XML" in str(found)
