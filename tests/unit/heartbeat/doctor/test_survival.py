"""How many failures a cluster survives, where its configuration is not only ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from lxml import etree
from unit.heartbeat.doctor.patient import RUNS_ON, Patient

from vmha.agents.protocol.deadline import Deadline
from vmha.heartbeat.clusterfile.content import Policy
from vmha.heartbeat.command.status import Margins
from vmha.heartbeat.corosync.quorum import Quorum
from vmha.heartbeat.doctor import overview, quorate, source, survival
from vmha.heartbeat.doctor.check import Finding, Unknown
from vmha.heartbeat.doctor.checks import failure_margin
from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.doctor.survival import plan_of
from vmha.heartbeat.pacemaker import confirmation, simulate
from vmha.heartbeat.planning.outcome import Plan


def plan(ill: Patient) -> Plan:
    """Plan the patient's cluster as status and check do."""
    made = plan_of(Cib(ill.cib), RUNS_ON, 1)
    assert made is not None
    return made


def answers(made: Plan, wanted: int = 1) -> list[object]:
    """Return what the doctor says of a plan."""
    file = Patient().file
    assert file is not None
    file = replace(file, policy=Policy(tolerate=wanted))
    return list(failure_margin.look(Evidence(file, plan=made, has_cib=True)))


@pytest.fixture
def nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take crm_simulate away."""
    monkeypatch.setattr(confirmation, "is_possible", lambda _: False)


@pytest.mark.usefixtures("nobody_to_ask")
def test_bans_by_pattern_leave_no_margin() -> None:
    ill = Patient()
    for node in ("n2", "n3"):
        words = {"rsc-pattern": "^db", "node": node.upper(), "score": "-INFINITY"}
        ill.constraint("rsc_location", **words)
    made = plan(ill)
    assert (made.tolerates, made.is_certain) == (0, True)
    assert [a for a in answers(made) if isinstance(a, Finding)] != []


@pytest.mark.usefixtures("nobody_to_ask")
def test_what_is_not_reckoned_with_is_neither_margin_nor_fault() -> None:
    ill = Patient()
    ill.constraint("rsc_ticket", rsc="db1", ticket="T")
    made = plan(ill)
    assert (made.tolerates, made.is_certain) == (0, False)
    (answer,) = answers(made)
    assert isinstance(answer, Unknown)
    assert "depends on a ticket" in answer.reason
    margin = overview.margin(made, 1)
    assert not margin.holds
    assert "not certain" in margin.text


@pytest.mark.usefixtures("nobody_to_ask")
def test_nobody_is_asked_where_all_is_reckoned_with() -> None:
    made = plan(Patient())
    assert (made.tolerates, made.is_certain, answers(made)) == (1, True, [])


def test_a_node_in_maintenance_restarts_none_of_its_guests() -> None:
    ill = Patient()
    node = ill.one(".//node[@uname='n1']")
    attributes = etree.SubElement(node, "instance_attributes", id="i")
    etree.SubElement(attributes, "nvpair", id="m", name="maintenance", value="true")
    made = plan(ill)
    first = next(outcome for outcome in made.failures if outcome.lost == ("n1",))
    assert [(e.guest, e.reason) for e in first.unplaced] == [("db1", "unmanaged")]
    assert "nothing restarts db1" in overview.margin(made, 1).text


def test_pacemaker_is_asked_also_where_all_is_reckoned_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_of_the_lost(
        _: etree._Element, __: Deadline, lost: Sequence[str] = ()
    ) -> simulate.Outcome:
        after = {name: at for name, at in RUNS_ON.items() if at not in lost}
        return simulate.Outcome({}, after, ())

    monkeypatch.setattr(confirmation, "is_possible", lambda _: True)
    monkeypatch.setattr(simulate, "simulate", none_of_the_lost)
    made = plan(Patient())
    assert (made.tolerates, made.is_certain) == (0, True)
    assert not overview.margin(made, 1).holds


def test_a_cluster_that_is_watched_is_planned_again_only_when_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(survival, "plan_of", lambda *_: asked.append(1))
    ill, margins = Patient(), Margins()
    for _ in range(3):
        margins.of(Cib(ill.cib), dict(RUNS_ON), 1, Quorum(), is_told=True)
    assert len(asked) == 1
    ill.constraint("rsc_ticket", rsc="db1", ticket="T")
    margins.of(Cib(ill.cib), dict(RUNS_ON), 1, Quorum(), is_told=True)
    margins.of(Cib(ill.cib), {}, 1, Quorum(), is_told=True)
    assert len(asked) == 3


ODD = ("quorum_votes is not 1 for each node",)
TIE = ("auto_tie_breaker is on",)


@pytest.mark.usefixtures("nobody_to_ask")
def test_where_votes_are_not_as_reckoned_nothing_is_known_to_be_survived() -> None:
    made = quorate.weighed(plan(Patient()), Quorum(costs=ODD), 1)
    assert (made.tolerates, made.is_certain) == (0, False)
    (answer,) = answers(made)
    assert isinstance(answer, Unknown)
    assert ODD[0] in answer.reason
    assert "not certain" in overview.margin(made, 1).text


@pytest.mark.usefixtures("nobody_to_ask")
def test_a_loss_of_quorum_is_not_known_where_more_nodes_may_go_on() -> None:
    ill = Patient()
    made = plan_of(Cib(ill.cib), RUNS_ON, 2)
    assert made is not None
    assert [a for a in answers(made, 2) if isinstance(a, Finding)] != []
    known = quorate.weighed(made, Quorum(gains=TIE), 2)
    (answer,) = answers(known, 2)
    assert isinstance(answer, Unknown)
    assert TIE[0] in answer.reason


def test_what_only_adds_to_quorum_leaves_a_margin_that_holds_alone() -> None:
    made = plan(Patient())
    assert quorate.weighed(made, Quorum(gains=TIE), 1) == made


def test_the_doctor_takes_the_votes_from_the_nodes_facts() -> None:
    ill = Patient()
    evidence = ill.evidence()
    made, _ = source.planned(evidence.cib, None, evidence.facts)
    assert made is not None
    assert made.tolerates == 1
    ill.tell("n2", "corosync", "quorum_costs", value=list(ODD))
    evidence = ill.evidence()
    made, _ = source.planned(evidence.cib, None, evidence.facts)
    assert made is not None
    assert (made.tolerates, made.is_certain) == (0, False)


def test_status_asks_for_the_arbiter_of_this_nodes_corosync(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(survival, "plan_of", lambda *words: asked.append(words[3:6]))
    votes = Quorum(qdevice=True, last_man=True)
    Margins().of(Cib(Patient().cib), dict(RUNS_ON), 1, votes, is_told=True)
    Margins().of(Cib(Patient().cib), dict(RUNS_ON), 1, votes, is_told=False)
    assert asked == [(True, True, False), (True, True, None)]


@pytest.mark.usefixtures("nobody_to_ask")
@pytest.mark.parametrize(("last_man", "tolerates"), [(False, 1), (True, 2)])
def test_the_last_node_goes_on_by_an_arbiter_of_lms(
    tolerates: int, *, last_man: bool
) -> None:
    """Three nodes with room for all on each: quorum alone decides."""
    ill = Patient()
    ill.drop(".//rsc_colocation")
    ill.tell("n1", "corosync", "qdevice", value=True)
    ill.tell("n1", "corosync", "last_man", value=last_man)
    file = replace(ill.file, policy=Policy(tolerate=2)) if ill.file else None
    evidence = ill.evidence()
    made, _ = source.planned(evidence.cib, file, evidence.facts)
    assert made is not None
    assert made.tolerates == tolerates
