"""A failure is survived only by those that have the votes, whatever Pacemaker says."""

from __future__ import annotations

import io

import pytest
from unit.heartbeat.doctor.patient import RUNS_ON, Patient

from vmha.heartbeat.command.agreement import agreement
from vmha.heartbeat.command.source import Source
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.doctor.survival import plan_of
from vmha.heartbeat.pacemaker import confirmation, live
from vmha.heartbeat.planning.failures import planned
from vmha.heartbeat.planning.prediction import Scheduler


@pytest.mark.parametrize(("votes", "tolerates"), [((), 1), (("5 are expected",), 0)])
def test_a_doubt_of_votes_is_cleared_by_no_simulation(
    monkeypatch: pytest.MonkeyPatch, votes: tuple[str, ...], tolerates: int
) -> None:
    def agreed(plan: object, *_: object) -> confirmation.Judgement:
        return confirmation.Judgement(plan, 3)  # type: ignore[arg-type]

    monkeypatch.setattr(confirmation, "judged", agreed)
    found = live.of_document(Patient().cib, RUNS_ON)
    scheduler = Scheduler(found.cluster, found.state)
    origin = Source("it", found.cluster, votes=votes)
    plan = planned(scheduler, 1, search=False)
    assert plan.tolerates == 1
    streams = Streams(io.StringIO(), io.StringIO(), {})
    told = agreement(origin, scheduler, plan, streams)
    assert (told.plan.tolerates, told.plan.is_certain) == (tolerates, not votes)
    assert told.is_less == bool(votes)
    assert bool(told.sentence) is not bool(votes), "who knows no votes cannot agree"


@pytest.mark.parametrize(("two_node", "tolerates"), [(None, 1), (True, 1), (False, 0)])
def test_two_nodes_survive_a_failure_by_two_node_alone(
    monkeypatch: pytest.MonkeyPatch, two_node: bool | None, tolerates: int
) -> None:
    monkeypatch.setattr(confirmation, "is_possible", lambda _: False)
    ill = Patient()
    for path in ("configuration/nodes/node", "status/node_state"):
        ill.drop(f"{path}[@uname='n3']")
    for guest in ("db1", "web2"):
        ill.drop(f".//primitive[@id='{guest}']")
    for rules in ill.cib.findall("configuration/constraints"):
        rules[:] = []
    running = {"web1": "n1"}
    made = plan_of(Cib(ill.cib), running, 1, two_node=two_node)
    assert made is not None
    assert made.tolerates == tolerates
