"""A CIB of any origin, as the checks ask it."""

from __future__ import annotations

import pytest
from unit.heartbeat.doctor.patient import Patient

from vmha.agents.protocol.errors import Unreachable
from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.cib import Cib, parse, seconds
from vmha.heartbeat.doctor.rules import apart, nodes_for, together

TEXT = """\
<cib><configuration><crm_config>
<cluster_property_set id="a" score="1"><nvpair id="a1" name="stonith-timeout"
 value="90s"/></cluster_property_set>
<cluster_property_set id="b" score="9"><nvpair id="b1" name="stonith-timeout"
 value="2min"/></cluster_property_set></crm_config>
<nodes><node id="1" uname="n1"/><node id="2" uname="n2" type="member"/>
<node id="3" uname="n3"/><node id="r" uname="far" type="remote"/></nodes>
<resources>
<template id="t" class="ocf" provider="vmha" type="VirtualMachine">
<operations><op id="ts" name="stop" interval="0" timeout="90s"/></operations>
<utilization id="tu"><nvpair id="tu1" name="cpu" value="2"/></utilization></template>
<group id="g"><meta_attributes id="gm"><nvpair id="gm1" name="is-managed"
 value="false"/></meta_attributes>
<primitive id="web1" template="t"><!-- a comment -->
<operations><op id="ws" name="stop" interval="0" timeout="3min"/></operations>
</primitive></group>
<primitive id="web2" template="t"/><primitive id="web3" template="t"/>
<primitive id="f1" class="stonith" type="fence_vmha_ipmi"><instance_attributes id="fi">
<nvpair id="fi1" name="hosts" value="n1=10.0.0.1 n2=10.0.0.2"/>
<nvpair id="fi2" name="pcmk_off_timeout" value="45"/>
</instance_attributes></primitive>
<primitive id="f2" class="stonith" type="fence_apc"><instance_attributes id="fj">
<nvpair id="fj1" name="pcmk_host_map" value="n3:7;n1:8"/></instance_attributes>
</primitive>
<primitive id="f3" class="stonith" type="fence_sbd"/></resources>
<constraints>
<rsc_colocation id="c1" score="-INFINITY"><resource_set id="s">
<resource_ref id="web1"/><resource_ref id="web2"/><resource_ref id="web3"/>
</resource_set></rsc_colocation>
<rsc_colocation id="c2" rsc="web2" with-rsc="web1" score="INFINITY"/>
<rsc_location id="l1" rsc="web1"><rule id="r1" score="-INFINITY">
<expression id="e1" attribute="#uname" operation="ne" value="n2"/></rule></rsc_location>
</constraints>
<fencing-topology><fencing-level id="x2" target="n1" index="2" devices="f3"/>
<fencing-level id="x1" target="n1" index="1" devices="f1,f2"/></fencing-topology>
</configuration></cib>
"""


@pytest.fixture(scope="module")
def cib() -> Cib:
    return parse(TEXT)


def test_members_are_nodes_and_remote_nodes_are_not(cib: Cib) -> None:
    assert cib.nodes == ["n1", "n2", "n3"]


def test_the_set_with_the_higher_score_wins(cib: Cib) -> None:
    assert cib.option(*devices.TIMEOUT) == "2min"


def test_a_guest_has_its_templates_and_its_groups_settings(cib: Cib) -> None:
    web1 = cib.guests[0]
    assert web1.agent == "ocf:vmha:VirtualMachine"
    assert dict(web1.utilization) == {"cpu": "2"}
    assert web1.meta["is-managed"] == "false"
    assert [op["timeout"] for op in web1.named("stop")] == ["3min"]
    assert [op["timeout"] for op in cib.guests[1].named("stop")] == ["90s"]


def test_devices_tell_whom_they_fence_by_list_map_or_hosts(cib: Cib) -> None:
    told = {d.id: devices.targets(d) for d in cib.devices}
    assert told == {"f1": {"n1", "n2"}, "f2": {"n1", "n3"}, "f3": None}
    assert [devices.is_bmc(d) for d in cib.devices] == [True, False, False]


def test_a_devices_own_timeout_goes_before_the_clusters(cib: Cib) -> None:
    first, second = cib.devices[:2]
    assert devices.timeout_s(cib, first, "off") == 45
    assert devices.timeout_s(cib, second, "off") == 120


def test_levels_are_in_their_order(cib: Cib) -> None:
    assert cib.levels() == {"n1": [["f1", "f2"], ["f3"]]}


def test_rules_are_read_from_sets_pairs_and_names_of_nodes(cib: Cib) -> None:
    assert sorted(apart(cib)) == [
        ("web1", "web2"),
        ("web1", "web3"),
        ("web2", "web3"),
    ]
    assert together(cib) == {("web1", "web2")}
    assert nodes_for(cib, "web1") == {"n2"}
    assert nodes_for(cib, "web2") == {"n1", "n2", "n3"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20", 20.0),
        ("20s", 20.0),
        (" 2 min", 120.0),
        ("500ms", 0.5),
        ("1h", 3600.0),
        ("PT1M30S", 90.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
def test_times_are_read_as_pacemaker_reads_them(text: str, expected: float) -> None:
    assert seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "<a/>", "<cib", "no xml"])
def test_what_is_no_cib_is_refused(text: str) -> None:
    with pytest.raises(Unreachable):
        parse(text)


def test_a_node_is_known_in_any_case_of_letters() -> None:
    ill = Patient()
    words = {"id": "c", "rsc": "web1", "node": "N3", "score": "-INFINITY"}
    ill.constraint("rsc_location", **words)
    assert "rule-ineffective" not in {name for name, _, _ in ill.found()}
    assert Cib(ill.cib).banned("web1") == {"n3"}
