"""What is left of a plan when Pacemaker is asked; a fake stands in for crm_simulate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from lxml import etree

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Refused, Unreachable
from vmha.heartbeat.clusterfile.planned import cluster_of
from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.pacemaker import confirmation, simulate
from vmha.heartbeat.planning.failures import Failures, planned
from vmha.heartbeat.planning.model import Cluster, Guest, Node
from vmha.heartbeat.planning.prediction import Scheduler

NAMES = ("n1", "n2", "n3")
GUESTS = tuple(Guest(f"on-{name}", 1, 1024, runs_on=name) for name in NAMES)
CLUSTER = Cluster(tuple(Node(name, 8, 4096, name) for name in NAMES), GUESTS)
HOMES = {guest.name: str(guest.runs_on) for guest in GUESTS}
DOUBT = ("constraint t: on-n1 depends on a ticket",)
Answer = Callable[[Sequence[str]], Mapping[str, str]]


def honest(lost: Sequence[str]) -> dict[str, str]:
    """Answer as the planner does."""
    outcome = Scheduler(CLUSTER).outcome(lost)
    return {**HOMES, **outcome.placed}


def judged(
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    *,
    doubts: tuple[str, ...] = (),
    failures: Failures = 1,
    strategy: str = "utilization",
) -> confirmation.Judgement:
    """Judge the plan of the cluster when crm_simulate answers so."""

    def asked(
        _: etree._Element, __: Deadline, lost: Sequence[str] = ()
    ) -> simulate.Outcome:
        return simulate.Outcome({}, dict(answer(lost)), ())

    monkeypatch.setattr(simulate, "simulate", asked)
    monkeypatch.setattr(confirmation, "is_possible", lambda _: True)
    scheduler = Scheduler(CLUSTER)
    plan = planned(scheduler, failures, search=False)
    whole = confirmation.document(CLUSTER)
    for pair in whole.iterfind(".//nvpair[@name='placement-strategy']"):
        pair.set("value", strategy)
    return confirmation.judged(plan, scheduler, whole, Deadline(9.0), doubts, failures)


def test_what_pacemaker_confirms_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(monkeypatch, honest, doubts=DOUBT)
    assert (found.asked, found.differs, found.plan.tolerates) == (3, False, 1)
    assert found.plan.is_certain


def test_a_guest_that_pacemaker_leaves_down_is_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(lost: Sequence[str]) -> dict[str, str]:
        return {g: n for g, n in honest(lost).items() if g != "on-n1"}

    found = judged(monkeypatch, answer)
    assert found.plan.tolerates == 0
    first, second, _ = found.plan.failures
    assert [(e.guest, e.reason) for e in first.unplaced] == [("on-n1", "pacemaker")]
    assert "on-n1" not in first.placed
    assert [(e.guest, e.from_node) for e in second.preempted] == [("on-n1", "n1")]
    assert any("so it counts as down" in told for told in found.plan.warnings)


def test_a_guest_that_runs_against_the_plan_changes_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(lost: Sequence[str]) -> dict[str, str]:
        return dict.fromkeys(honest(lost), "n3" if "n3" not in lost else "n2")

    found = judged(monkeypatch, answer)
    assert found.differs
    assert found.plan.tolerates == 1
    assert any("believe crm_simulate" in told for told in found.plan.warnings)


def test_what_is_left_on_a_lost_node_does_not_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert judged(monkeypatch, lambda _: HOMES).plan.tolerates == 0


def test_a_transition_without_end_starts_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(lost: Sequence[str]) -> dict[str, str]:
        if "n2" in lost:
            raise simulate.Unfinished
        return honest(lost)

    found = judged(monkeypatch, answer)
    assert (found.asked, found.plan.tolerates, found.trouble) == (3, 0, "")
    assert found.plan.failures[1].placed == {}
    assert any("comes to no end" in told for told in found.plan.warnings)


def test_survivors_that_a_transition_without_end_stops_are_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(lost: Sequence[str]) -> dict[str, str]:
        if "n2" in lost:
            raise simulate.Unfinished(frozenset({"on-n1"}), "the cluster has no quorum")
        return honest(lost)

    found = judged(monkeypatch, answer)
    outcome = found.plan.failures[1]
    assert [one.guest for one in outcome.preempted] == ["on-n1"]
    (told,) = (one for one in found.plan.warnings if "comes to no end" in one)
    assert "because the cluster has no quorum" in told


def test_how_far_a_stuck_transition_came_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def status(tag: str, *running: str) -> str:
        resources = "".join(
            f'<resource id="{name}" role="Started"><node name="n1"/></resource>'
            for name in running
        )
        return f"<{tag}><resources>{resources}</resources></{tag}>"

    text = (
        f"<r>{status('cluster_status', 'a', 'b')}"
        f"{status('revised_cluster_status', 'b')}Transition failed</r>"
    )
    answer = process.Result(1, text, "")
    monkeypatch.setattr(process, "run", lambda *_: answer)
    whole = confirmation.document(CLUSTER)
    whole.set("have-quorum", "0")
    with pytest.raises(simulate.Unfinished, match="has no quorum") as caught:
        simulate.simulate(whole, Deadline(9.0), ("n1",))
    assert caught.value.stopped == {"a"}
    # Of one that is not told at all, no more is known than that it has no end.
    for cut in ("", "<r>Transition failed</r>"):
        untold = process.Result(1, cut, "Transition failed")
        monkeypatch.setattr(process, "run", lambda *_, told=untold: told)
        with pytest.raises(simulate.Unfinished) as caught:
            simulate.simulate(whole, Deadline(9.0), ("n1",))
        assert caught.value.stopped == frozenset()


@pytest.mark.parametrize(
    ("error", "tolerates"), [(Refused("assertion"), 0), (Unreachable("too slow"), 1)]
)
def test_nothing_is_claimed_of_a_cib_that_crm_simulate_fails_on(
    monkeypatch: pytest.MonkeyPatch, error: AgentError, tolerates: int
) -> None:
    def answer(_: Sequence[str]) -> dict[str, str]:
        raise error

    found = judged(monkeypatch, answer)
    assert (found.plan.tolerates, found.plan.is_certain) == (tolerates, bool(tolerates))
    told = [one for one in found.plan.warnings if "Not certain" in one]
    assert len(told) == 1 - tolerates


def test_a_node_that_is_given_more_than_it_has_holds_no_newcomer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Other strategies count no memory; then Pacemaker's word alone is not enough."""

    def answer(lost: Sequence[str]) -> dict[str, str]:
        return {g: "n3" if "n3" not in lost else n for g, n in honest(lost).items()}

    big = tuple(guest._replace(memory_mib=2048) for guest in GUESTS)
    monkeypatch.setitem(globals(), "CLUSTER", CLUSTER._replace(guests=big))
    assert judged(monkeypatch, answer).plan.tolerates == 1
    found = judged(monkeypatch, answer, strategy="default")
    assert found.plan.tolerates == 0
    assert any("than it has" in told for told in found.plan.warnings)


def test_nothing_doubtful_is_claimed_where_nobody_is_asked() -> None:
    scheduler = Scheduler(CLUSTER)
    plan = planned(scheduler, 1, search=False)
    sure, doubted = (
        confirmation.judged(plan, scheduler, None, Deadline(9.0), doubts, 1).plan
        for doubts in ((), DOUBT)
    )
    assert (sure.tolerates, sure.is_certain) == (1, True)
    assert (doubted.tolerates, doubted.is_certain) == (0, False)
    assert confirmation.UNCERTAIN in doubted.warnings


def test_singles_that_were_confirmed_count_where_pairs_were_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(lost: Sequence[str]) -> dict[str, str]:
        if len(lost) > 1:
            raise Unreachable("no time")
        return honest(lost)

    monkeypatch.setitem(
        globals(), "CLUSTER", CLUSTER._replace(qdevice=True, last_man=True)
    )
    sure = judged(monkeypatch, answer, failures=2)
    assert (sure.plan.tolerates, sure.trouble) == (2, "no time")
    found = judged(monkeypatch, answer, failures=2, doubts=DOUBT)
    assert (found.plan.tolerates, found.plan.is_certain) == (1, False)


def test_racks_count_as_one_failure_each(monkeypatch: pytest.MonkeyPatch) -> None:
    racks = {"n1": "r1", "n2": "r1", "n3": "r2", "n4": "r3", "n5": "r3"}
    nodes = tuple(Node(name, 8, 4096, rack) for name, rack in racks.items())
    monkeypatch.setitem(globals(), "CLUSTER", CLUSTER._replace(nodes=nodes))
    assert judged(monkeypatch, honest, failures="rack").plan.tolerates == 1

    def answer(lost: Sequence[str]) -> dict[str, str]:
        return {} if "n1" in lost else honest(lost)

    assert judged(monkeypatch, answer, failures="rack").plan.tolerates == 0


def test_a_file_is_confirmed_by_what_is_rendered_of_it() -> None:
    """Delays are in it, and orders but those of what only the cluster has."""
    text = """\
cluster: {name: a}
nodes: {n1: {capacity: {cpu: 8, memory_mib: 8192}}}
guests:
  a: {cpu: 1, memory_mib: 512, domain: da, runs_on: n1, start: {order: 1}}
  b: {cpu: 1, memory_mib: 512, start: {order: 2, delay_s: 5}, after: [disks-clone]}
"""
    file = parse(text, "vmha.yaml")
    whole = confirmation.rendered(file, cluster_of(file))
    delays = whole.xpath(".//primitive[@id='b']/operations/op/@start-delay")
    assert delays == ["8s"]
    assert whole.xpath(".//primitive[@id='a']//nvpair[@name='domain']/@value") == ["da"]
    assert whole.find("configuration/constraints/rsc_order") is None
    assert whole.find("status/node_state") is not None
