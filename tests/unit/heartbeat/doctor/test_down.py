"""Why a guest runs nowhere: every reason is named, the one that counts first."""

from __future__ import annotations

import pytest
from lxml import etree
from unit.heartbeat.doctor.patient import NODES, Patient
from unit.heartbeat.doctor.test_placement import DOWN, down, here, situation

from vmha.heartbeat.command.explain import answer
from vmha.heartbeat.doctor import overview
from vmha.heartbeat.doctor.observed import NodeState
from vmha.heartbeat.doctor.placement import Situation
from vmha.heartbeat.pacemaker import choices

LOST = NodeState("n2", False, is_unclean=True)


def default(ill: Patient, name: str, value: str) -> None:
    defaults = etree.SubElement(ill.one("configuration"), "rsc_defaults")
    meta = etree.SubElement(defaults, "meta_attributes", id="d")
    etree.SubElement(meta, "nvpair", id="d1", name=name, value=value)


def told(now: Situation, guest: str = "web1") -> dict[str, object]:
    (found,) = [one for one in now.cib.guests if one.id == guest]
    return answer(found, now)


def test_a_default_role_stops_a_guest_that_sets_none_itself() -> None:
    ill = Patient()
    default(ill, "target-role", "Stopped")
    now = situation(ill, DOWN)
    assert down(now, "web1").startswith("the default target-role is Stopped")
    states = {
        row.name: row.state
        for row in overview.of(now.cib, now.observed, None, 1, {}).guests
    }
    assert states["web1"] == "stopped"
    ill.meta("web1", "target-role", "Started")
    assert "target-role" not in down(situation(ill, DOWN), "web1")


def test_a_cluster_that_is_told_to_stop_everything_is_named_first() -> None:
    ill = Patient()
    ill.option("stop-all-resources", "true")
    now = situation(ill, DOWN, has_quorum=False)
    assert down(now, "web1").startswith("stop-all-resources is true")


def test_a_guest_of_a_lost_node_is_not_known_to_run() -> None:
    now = situation(Patient(), None, LOST)
    said = told(now)
    assert (said["node"], said["state"]) == (None, "is not known to run")
    assert "it was on n2, which is lost and not yet proven off" in str(said["why"])
    assert "the cluster is fencing it" in str(said["why"])
    rows = overview.of(now.cib, now.observed, None, 1, {}).guests
    assert {row.name: row.state for row in rows}["web1"] == "down"


def test_every_start_waits_for_the_proof_that_a_lost_node_is_off() -> None:
    now = situation(Patient(), {"db1": "n1", "web2": "n3"}, LOST)
    said = told(now)
    assert said["state"] == "is down"
    assert "n2 is lost and not yet proven off, and nothing is started" in str(
        said["why"]
    )


@pytest.mark.parametrize("kind", ["absent", "stopped", "of another"])
def test_a_lost_node_that_no_device_can_prove_off_is_to_be_confirmed(kind: str) -> None:
    ill = Patient()
    if kind == "absent":
        ill.drop(".//primitive[@id='vmha-fence-n2']")
        ill.drop(".//fencing-level[@target='n2']")
    elif kind == "stopped":
        ill.meta("vmha-fence-n2", "target-role", "Stopped")
    else:
        ill.parameter("vmha-fence-n2", "pcmk_host_list", "n7")
    why = down(situation(ill, None, LOST), "web1")
    assert "no fence device can prove it" in why
    assert "pcs stonith confirm n2" in why


def test_a_ticket_that_is_not_granted_is_named_and_a_granted_one_is_not() -> None:
    ill = Patient()
    ill.constraint("rsc_ticket", id="t", rsc="web1", ticket="site-a")
    assert "ticket site-a, which is not granted" in down(situation(ill, DOWN), "web1")
    tickets = etree.SubElement(ill.one("status"), "tickets")
    etree.SubElement(tickets, "ticket_state", id="site-a", granted="true")
    assert "ticket" not in down(situation(ill, DOWN), "web1")


def order_of_sets(ill: Patient, **words: str) -> None:
    order = ill.constraint("rsc_order", id="o", **words)
    for number, name in enumerate(("vmha-fence-n1", "db1", "web1")):
        listed = etree.SubElement(order, "resource_set", id=f"o{number}")
        etree.SubElement(listed, "resource_ref", id=name)


@pytest.mark.parametrize(
    ("words", "is_hard"),
    [({}, True), ({"kind": "Optional"}, False), ({"score": "0"}, False)],
)
def test_what_an_order_of_sets_puts_before_a_guest_is_named(
    words: dict[str, str], is_hard: bool
) -> None:
    ill = Patient()
    order_of_sets(ill, **words)
    why = down(situation(ill, {"web2": "n3"}), "web1")
    assert ("it is started after db1, which does not run" in why) == is_hard


def test_a_resource_in_a_group_that_is_started_before_is_looked_into() -> None:
    ill = Patient()
    device = ill.primitive("vmha-fence-n1")
    group = etree.Element("group", id="storage")
    device.addprevious(group)
    group.append(device)
    ill.constraint("rsc_order", id="o", first="storage", then="web1")
    assert "storage" not in down(situation(ill, DOWN), "web1")
    now = situation(ill, DOWN)
    state = now.observed.resources["vmha-fence-n1"]._replace(nodes=())
    seen = now.observed._replace(
        resources={**now.observed.resources, "vmha-fence-n1": state}
    )
    why = down(Situation(now.cib, seen), "web1")
    assert "it is started after storage, which does not run" in why


def test_what_a_guest_must_be_with_is_named_and_not_the_other_way_round() -> None:
    ill = Patient()
    words = {"id": "x", "rsc": "web1", "with_rsc": "db1", "score": "INFINITY"}
    ill.constraint("rsc_colocation", **words)
    now = situation(ill, {"web2": "n3"})
    assert "it must be with db1, which does not run" in down(now, "web1")
    assert "web1" not in down(now, "db1")


def test_a_guest_that_is_not_managed_stays_where_it_is() -> None:
    now = situation(Patient())
    state = now.observed.resources["web1"]._replace(is_managed=False)
    resources = {**now.observed.resources, "web1": state}
    unmanaged = Situation(now.cib, now.observed._replace(resources=resources))
    assert here(unmanaged, "web1", "n2").startswith("it is not managed")


def expression(attribute: str, operation: str, value: str = "") -> str:
    words = f'attribute="{attribute}" operation="{operation}"'
    return f'<expression id="{attribute}-{operation}" {words} value="{value}"/>'


SSD = expression("ssd", "eq", "yes")


@pytest.mark.parametrize(
    ("parts", "is_any", "holds"),
    [
        ([expression("#uname", "eq", "N1")], False, True),
        (
            [expression("ssd", "eq", "yes"), expression("#uname", "ne", "n1")],
            False,
            False,
        ),
        (
            [expression("ssd", "eq", "yes"), expression("#uname", "ne", "n1")],
            True,
            True,
        ),
        ([expression("x", "not_defined"), expression("ssd", "defined")], False, True),
        (["<date_expression id='d' operation='gt'/>"], False, None),
        (["<date_expression id='d'/>", expression("x", "defined")], True, None),
        (["<date_expression id='d'/>", expression("x", "defined")], False, False),
        (["<date_expression id='d'/>", expression("ssd", "defined")], True, True),
        ([expression("ssd", "lt", "5")], False, None),
        (["<rule id='i'>" + expression("ssd", "ne", "no") + "</rule>"], False, True),
    ],
)
def test_rules_over_attributes_hold_as_pacemaker_says(
    parts: list[str], is_any: bool, holds: bool | None
) -> None:
    operation = "or" if is_any else "and"
    text = f'<rule id="r" boolean-op="{operation}">{"".join(parts)}</rule>'
    attributes = {"#uname": "n1", "ssd": "yes"}
    assert choices.holds(etree.fromstring(text), attributes) is holds


def test_all_that_a_compound_rule_asks_for_is_named() -> None:
    ill = Patient()
    location = ill.constraint("rsc_location", id="ru", rsc="web1")
    rule = etree.SubElement(location, "rule", id="r", score="-INFINITY")
    rule.append(etree.fromstring(expression("ssd", "not_defined")))
    rule.append(etree.fromstring(expression("#uname", "ne", "n3")))
    nodes = told(situation(ill, DOWN))["nodes"]
    assert isinstance(nodes, dict)
    said = {node: [o["text"] for o in nodes[node]["obstacles"]] for node in NODES}
    assert said["n1"] == ["rule ru: ssd is not set there, the name is n1 there"]
    assert said["n3"] == ["web2 runs there, and a rule keeps them apart"]
