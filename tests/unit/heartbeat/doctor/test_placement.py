"""Why a guest is where it is, why not elsewhere, why down; and all at a glance."""

from __future__ import annotations

import io

import pytest
from lxml import etree
from unit.heartbeat.doctor.patient import RUNS_ON, Patient

from vmha.heartbeat.command import explain
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.doctor import observed, overview
from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.doctor.down import why_down
from vmha.heartbeat.doctor.observed import NodeState, Observed, ResourceState
from vmha.heartbeat.doctor.placement import (
    Situation,
    obstacles,
    preference,
    why_here,
)
from vmha.heartbeat.doctor.survival import plan_of

DOWN = {"db1": "n1", "web2": "n3"}


def situation(
    ill: Patient,
    running: dict[str, str] | None = None,
    *states: NodeState,
    has_quorum: bool = True,
) -> Situation:
    """Return what crm_mon would say, with these guests running."""
    places = {**(RUNS_ON if running is None else running)}
    places.update({f"vmha-fence-{node}": "n1" for node in ("n1", "n2", "n3")})
    nodes = {name: NodeState(name, True) for name in ("n1", "n2", "n3")}
    nodes.update({state.name: state for state in states})
    cib = Cib(ill.cib)
    resources = {
        r.id: ResourceState(r.id, "Started", (places[r.id],) if r.id in places else ())
        for r in cib.resources
    }
    seen = Observed("n1", "2.1.5", has_quorum, nodes, resources, (), ())
    return Situation(cib, seen)


def keeps_away(now: Situation, guest: str, node: str) -> dict[str, str]:
    (found,) = [g for g in now.cib.guests if g.id == guest]
    return {o.code: o.text for o in obstacles(found, node, now)}


def down(now: Situation, guest: str) -> str:
    (found,) = [g for g in now.cib.guests if g.id == guest]
    return why_down(found, now)


def here(now: Situation, guest: str, node: str) -> str:
    (found,) = [g for g in now.cib.guests if g.id == guest]
    return why_here(found, node, now)


def hard_error(ill: Patient, guest: str, node: str) -> None:
    """Let a start have ended so that Pacemaker does not try again there."""
    ill.failure(guest, node, "start", "not installed")
    path = f"status/node_state[@uname='{node}']//lrm_rsc_op[@call-id='99']"
    ill.one(path).set("rc-code", "5")


def explained(ill: Patient, guest: str) -> str:
    now = situation(ill)
    (found,) = [g for g in now.cib.guests if g.id == guest]
    out = io.StringIO()
    explain.show(explain.answer(found, now), Streams(out, io.StringIO(), {}))
    return out.getvalue()


def test_a_node_is_said_to_be_able_to_take_a_guest_where_nothing_is_doubted() -> None:
    assert "  n2: could take it" in explained(Patient(), "db1")


def test_a_hard_error_there_makes_that_node_uncertain_and_no_other() -> None:
    ill = Patient()
    hard_error(ill, "db1", "n2")
    told = explained(ill, "db1")
    assert (
        "  n2: nothing is seen in the way, which is not certain: start of db1" in told
    )
    assert "  n3: could take it" in told


def test_a_hard_error_of_another_guest_leaves_this_one_certain() -> None:
    ill = Patient()
    hard_error(ill, "web1", "n2")
    assert "  n2: could take it" in explained(ill, "db1")


def test_a_constraint_that_is_not_understood_makes_every_node_uncertain() -> None:
    ill = Patient()
    one = ill.constraint("rsc_location", id="night", rsc="db1")
    rule = etree.SubElement(one, "rule", id="r", score="-INFINITY")
    etree.SubElement(
        rule, "date_expression", id="d", operation="gt", start="2030-01-01"
    )
    told = explained(ill, "db1")
    assert "could take it" not in told
    assert told.count("constraint night: it has a rule that the planner does not") == 2


def test_a_node_that_could_take_a_guest_has_nothing_in_its_way() -> None:
    assert keeps_away(situation(Patient()), "db1", "n2") == {}


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (NodeState("n2", False), "node-offline"),
        (NodeState("n2", False, is_unclean=True), "node-unclean"),
        (NodeState("n2", True, is_standby=True), "node-standby"),
        (NodeState("n2", True, is_in_maintenance=True), "node-maintenance"),
        (NodeState("n2", True, is_pending=True), "node-joining"),
    ],
)
def test_a_node_that_takes_no_guests_says_why(state: NodeState, code: str) -> None:
    now = situation(Patient(), None, state)
    assert code in keeps_away(now, "db1", "n2")


def test_a_constraint_is_named() -> None:
    ill = Patient()
    ill.constraint("rsc_location", id="no-n2", rsc="db1", node="n2", score="-INFINITY")
    assert "no-n2" in keeps_away(situation(ill), "db1", "n2")["location"]


def test_in_an_opt_in_cluster_a_node_that_nothing_opens_is_closed() -> None:
    ill = Patient()
    ill.option("symmetric-cluster", "false")
    ill.constraint("rsc_location", id="on-n1", rsc="db1", node="n1", score="10")
    now = situation(ill)
    assert "symmetric-cluster" in keeps_away(now, "db1", "n2")["location"]
    assert keeps_away(now, "db1", "n1") == {}


def test_the_nodes_own_word_that_it_cannot_host_is_passed_on() -> None:
    ill = Patient()
    location = ill.constraint("rsc_location", id="can", rsc="db1")
    rule = etree.SubElement(location, "rule", id="r", score="-INFINITY")
    words = {"attribute": "vmha-can-host-db1", "operation": "eq", "value": "0"}
    etree.SubElement(rule, "expression", {"id": "e", **words})
    state = ill.one("status/node_state[@uname='n2']")
    for old in state.findall("transient_attributes"):
        state.remove(old)
    attributes = etree.SubElement(state, "transient_attributes", id="2")
    pairs = etree.SubElement(attributes, "instance_attributes", id="s2")
    told = {"vmha-can-host-db1": "0", "vmha-why-not-db1": "pool lan is not active"}
    for name, value in told.items():
        etree.SubElement(pairs, "nvpair", id=f"s2-{name}", name=name, value=value)
    found = keeps_away(situation(ill), "db1", "n2")
    assert "pool lan is not active" in found["cannot-host"]
    assert keeps_away(situation(ill), "db1", "n3") == {}


def test_failures_count_up_to_the_threshold() -> None:
    ill = Patient()
    state = ill.one("status/node_state[@uname='n2']")
    attributes = etree.SubElement(state, "transient_attributes", id="2")
    pairs = etree.SubElement(attributes, "instance_attributes", id="s2")
    name = "fail-count-db1#monitor_10000"
    pair = etree.SubElement(pairs, "nvpair", id="f", name=name, value="2")
    assert keeps_away(situation(ill), "db1", "n2") == {}
    ill.meta("db1", "migration-threshold", "2")
    assert "2 times" in keeps_away(situation(ill), "db1", "n2")["failures"]
    pair.set("value", "INFINITY")
    assert "a start" in keeps_away(situation(ill), "db1", "n2")["failures"]


def test_a_guest_that_must_not_share_a_node_keeps_the_other_away() -> None:
    found = keeps_away(situation(Patient()), "web1", "n3")
    assert found["apart"] == "web2 runs there, and a rule keeps them apart"


def test_a_guest_that_must_be_with_another_stays_with_it() -> None:
    ill = Patient()
    ill.constraint(
        "rsc_colocation", id="x", rsc="db1", with_rsc="web1", score="INFINITY"
    )
    assert "runs on n2" in keeps_away(situation(ill), "db1", "n3")["together"]


def test_capacity_names_what_is_needed_and_what_is_free() -> None:
    ill = Patient()
    path = ".//node[@uname='n2']/utilization/nvpair[@name='hv_memory']"
    ill.one(path).set("value", "6000")
    found = keeps_away(situation(ill), "db1", "n2")
    assert found["capacity"] == "it needs 4096 hv_memory, and 1904 are free"


def test_a_guest_that_could_be_elsewhere_tells_why_it_is_here() -> None:
    ill = Patient()
    assert "by free capacity" in here(situation(ill), "db1", "n1")
    ill.constraint("rsc_location", id="p1", rsc="db1", node="n1", score="100")
    assert "score 100" in here(situation(ill), "db1", "n1")
    ill.constraint("rsc_location", id="p2", rsc="db1", node="n2", score="200")
    assert "would rather be on n2" in here(situation(ill), "db1", "n1")
    (guest,) = [g for g in Cib(ill.cib).guests if g.id == "db1"]
    assert preference(guest, "n2", Cib(ill.cib)) == 200


def test_a_guest_with_nowhere_else_to_go_says_so() -> None:
    others = [NodeState(n, False) for n in ("n2", "n3")]
    now = situation(Patient(), None, *others)
    assert here(now, "db1", "n1") == "no other node could take it now"


def test_a_stopped_guest_was_told_to_stop() -> None:
    ill = Patient()
    ill.meta("web1", "target-role", "Stopped")
    assert "target-role is Stopped" in down(situation(ill, DOWN), "web1")


def test_without_quorum_nothing_runs() -> None:
    now = situation(Patient(), DOWN, has_quorum=False)
    assert "no quorum" in down(now, "web1")


def test_a_guest_waits_for_what_is_started_before_it() -> None:
    ill = Patient()
    ill.constraint("rsc_order", id="o", first="db1", then="web1")
    assert "after db1" in down(situation(ill, {"web2": "n3"}), "web1")


def test_a_guest_that_no_node_can_take_is_down_for_their_reasons() -> None:
    ill = Patient()
    for node in ("n1", "n2", "n3"):
        words = {"id": f"x{node}", "rsc": "web1", "node": node, "score": "-INFINITY"}
        ill.constraint("rsc_location", **words)
    assert "no node can take it" in down(situation(ill, DOWN), "web1")


def test_the_overview_of_a_healthy_cluster_asks_for_nobody() -> None:
    ill = Patient()
    now = situation(ill)
    plan = plan_of(now.cib, RUNS_ON, 1)
    found = overview.of(now.cib, now.observed, plan, 1, {"web1": "gold"})
    assert found.is_well
    assert found.margin is not None
    assert (found.margin.tolerates, found.margin.holds) == (1, True)
    assert [(g.name, g.guest_class, g.node) for g in found.guests] == [
        ("db1", "", "n1"),
        ("web1", "gold", "n2"),
        ("web2", "", "n3"),
    ]
    assert found.nodes[0].memory_used_mib == 4096


def test_the_overview_tells_a_guest_that_is_down_and_a_margin_that_is_gone() -> None:
    ill = Patient()
    path = ".//primitive[@id='db1']/utilization/nvpair[@name='hv_memory']"
    ill.one(path).set("value", "63000")
    now = situation(ill, DOWN)
    found = overview.of(now.cib, now.observed, plan_of(now.cib, DOWN, 1), 1, {})
    assert not found.is_well
    assert [g.name for g in found.guests if g.state == overview.DOWN] == ["web1"]
    assert found.margin is not None
    assert not found.margin.holds
    assert "there is no place for" in found.margin.text


def test_the_overview_tells_a_node_without_a_fence_device() -> None:
    ill = Patient()
    ill.drop(".//primitive[@id='vmha-fence-n3']")
    now = situation(ill)
    found = overview.of(now.cib, now.observed, None, 1, {})
    assert found.unfenced == ("n3",)
    assert not found.is_well


MON = """\
<pacemaker-result><summary><current_dc name="n2" version="2.1.5-a" with_quorum="true"/>
</summary><nodes>
<node name="n2" online="true" type="member" health="green"/>
<node name="n1" online="false" unclean="true" type="member"/>
<node name="vm9" online="true" type="remote"/></nodes>
<resources><resource id="web1" role="Started" managed="true"><node name="n2"/>
</resource><clone id="c"><resource id="cap" role="Started" managed="true">
<node name="n1"/></resource><resource id="cap" role="Started" managed="true">
<node name="n2"/></resource></clone></resources>
<failures><failure op_key="web_1_start_0" node="n1" exitreason="no disk"/></failures>
<fence_history><fence_event target="n1" action="off" status="success" delegate="n2"
completed="2026-01-01 09:00:00"/><fence_event target="n1" action="off"
status="pending"/><fence_event target="n3" action="off" status="failed"
completed="2026-01-02 09:00:00"/></fence_history></pacemaker-result>
"""


def test_crm_mon_is_read_with_its_nodes_clones_failures_and_fencings() -> None:
    seen = observed.parse(MON)
    assert (seen.dc, seen.version, seen.has_quorum) == ("n2", "2.1.5-a", True)
    assert {n: s.word for n, s in seen.nodes.items()} == {
        "n1": "unclean",
        "n2": "online",
    }
    assert seen.where("web1") == "n2"
    assert seen.resources["cap"].nodes == ("n1", "n2")
    (failure,) = seen.failures
    assert (failure.resource, failure.operation) == ("web_1", "start")
    # What is under way comes first, then the newest.
    assert [e.status for e in seen.fencings] == ["pending", "failed", "success"]
