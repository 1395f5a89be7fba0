"""What the agents read out of the cluster's configuration."""

from __future__ import annotations

import pytest

from vmha.agents import cib
from vmha.agents.protocol.errors import Unreachable

VM = 'class="ocf" provider="vmha" type="VirtualMachine"'
TEXT = f"""
<cib><configuration>
<crm_config>
<cluster_property_set id="p">{{properties}}</cluster_property_set></crm_config>
<nodes>
<node id="1" uname="n1"><utilization id="u1">
<nvpair id="u1c" name="cpu" value="4"/><nvpair id="u1g" name="guests" value="INFINITY"/>
</utilization></node>
<node id="2" uname="n2"><utilization id="u2">
<nvpair id="u2c" name="cpu" value="16"/></utilization></node>
</nodes>
<resources>
<template id="t" {VM}><instance_attributes id="ti">
<nvpair id="ti1" name="hypervisor" value="lxc:///"/>
<nvpair id="ti2" name="config" value="/t"/></instance_attributes></template>
<primitive id="plain" {VM}><instance_attributes id="pi" score="1">
<nvpair id="pi1" name="config" value="/low"/></instance_attributes>
<instance_attributes id="pj" score="9"><nvpair id="pj1" name="config" value="/high"/>
</instance_attributes>
<utilization id="pu"><nvpair id="pu1" name="cpu" value="2"/></utilization></primitive>
<primitive id="made" template="t"><instance_attributes id="mi">
<nvpair id="mi1" name="config" value="/m"/></instance_attributes></primitive>
<primitive id="ruled" {VM}><instance_attributes id="ri"><rule id="r" score="1"/>
<nvpair id="ri1" name="config" value="/r"/></instance_attributes></primitive>
<primitive id="borrows" {VM}><instance_attributes id-ref="pj"/></primitive>
<group id="g"><primitive id="fs" class="ocf" provider="heartbeat" type="Filesystem"/>
<primitive id="member" {VM}/></group>
<group id="lonely"><primitive id="single" {VM}/></group>
<clone id="nfs">
<primitive id="nfs1" class="ocf" provider="heartbeat" type="Filesystem"/>
</clone>
<clone id="drbd"><meta_attributes id="dm"><nvpair id="dmp" name="promotable"
value="true"/></meta_attributes>
<primitive id="drbd1" class="ocf" provider="linbit" type="drbd"/></clone>
</resources>
<constraints>{{constraints}}</constraints></configuration>
<status><node_state id="1" uname="n1"><transient_attributes id="1">
<instance_attributes id="s"><nvpair id="s1" name="vmha-can-host-plain" value="0"/>
</instance_attributes></transient_attributes><lrm id="1"><lrm_resources>
<lrm_resource id="plain" {VM}/></lrm_resources></lrm></node_state></status></cib>
"""


def read(properties: str = "", constraints: str = "") -> cib.Configuration:
    return cib.parse(TEXT.format(properties=properties, constraints=constraints))


@pytest.mark.parametrize(
    ("strategy", "counts"),
    [("", False), ("default", False), ("balanced", True), ("utilization", True)],
)
def test_only_another_strategy_than_the_default_heeds_utilization(
    strategy: str, counts: bool
) -> None:
    pair = f'<nvpair id="x" name="placement-strategy" value="{strategy}"/>'
    assert read(pair if strategy else "").utilization_counts is counts


def test_a_nodes_capacity_and_the_largest_of_all() -> None:
    configuration = read()
    assert configuration.capacity("n1") == {"cpu": "4", "guests": "INFINITY"}
    assert configuration.capacity("unknown") == {}
    assert configuration.largest() == {"cpu": 16, "guests": cib.INFINITY}


def test_a_guests_utilization_is_none_only_where_there_is_no_such_guest() -> None:
    configuration = read()
    assert configuration.utilization("plain") == {"cpu": "2"}
    assert configuration.utilization("made") == {}
    assert configuration.utilization("t") is None
    assert configuration.utilization("gone") is None


def test_guests_are_found_in_groups_and_by_their_template() -> None:
    found = read().guests("vmha", "VirtualMachine")
    assert found == ["plain", "made", "ruled", "borrows", "member", "single"]


@pytest.mark.parametrize(
    ("resource", "parameters"),
    [
        ("plain", {"config": "/high"}),
        ("made", {"config": "/m", "hypervisor": "lxc:///"}),
        ("borrows", {"config": "/high"}),
        ("member", {}),
        ("ruled", None),
    ],
)
def test_parameters_are_those_that_pacemaker_would_pass(
    resource: str, parameters: dict[str, str] | None
) -> None:
    assert read().parameters(resource) == parameters


def test_the_attributes_are_those_of_one_node() -> None:
    assert read().attributes("n1") == {"vmha-can-host-plain": "0"}
    assert read().attributes("n2") == {}


@pytest.mark.parametrize(
    ("resource", "constraints", "expected"),
    [
        ("plain", "", False),
        ("single", "", False),
        ("member", "", True),
        ("plain", '<rsc_order id="o" first="fs" then="plain"/>', True),
        ("single", '<rsc_order id="o" first="fs" then="lonely"/>', True),
        ("plain", '<rsc_order id="o" first="plain" then="fs"/>', False),
        ("plain", '<rsc_order id="o" first="nfs" then="plain"/>', False),
        ("plain", '<rsc_order id="o" first="drbd" then="plain"/>', True),
        ("plain", '<rsc_order id="o" first="made" then="plain"/>', False),
        (
            "plain",
            '<rsc_colocation id="c" rsc="plain" with-rsc="fs" score="INFINITY"/>',
            True,
        ),
        (
            "plain",
            '<rsc_colocation id="c" rsc="plain" with-rsc="fs" score="-100"/>',
            False,
        ),
        ("plain", '<rsc_location id="l" rsc="plain" node="n1" score="5"/>', False),
        (
            "plain",
            '<rsc_order id="o"><resource_set id="rs"><resource_ref id="fs"/>'
            '<resource_ref id="plain"/></resource_set></rsc_order>',
            True,
        ),
    ],
)
def test_who_may_bring_a_guest_its_disks(
    resource: str, constraints: str, expected: bool
) -> None:
    assert read(constraints=constraints).has_bringers(resource) is expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("+INFINITY", 1_000_000),
        ("-INFINITY", -1_000_000),
        ("", 0),
        ("٣", 0),
        ("x", 0),
    ],
)
def test_numbers_are_read_as_pacemaker_reads_them(text: str, value: int) -> None:
    assert cib.number(text) == value


@pytest.mark.parametrize(
    "text", ["", "<cib>", '<!DOCTYPE cib [<!ENTITY a "b">]><cib/>']
)
def test_what_is_no_cib_is_unreachable(text: str) -> None:
    with pytest.raises(Unreachable):
        cib.parse(text)


def test_every_value_of_a_parameter_is_found_whichever_rules_decide() -> None:
    found = read()
    assert found.every_value("plain", "config") == {"/low", "/high"}
    assert found.every_value("made", "config") == {"/m", "/t"}
    assert found.every_value("ruled", "config") == {"/r"}
    assert found.every_value("borrows", "config") == {"/high"}
    assert found.every_value("plain", "domain") == set()
    assert found.every_value("nobody", "config") == set()


def test_the_resources_of_agents_are_found_whoever_provides_them() -> None:
    found = read()
    machines = found.of_agents(("VirtualMachine",))
    assert {"plain", "made", "member"} <= set(machines)
    assert "fs" not in machines
    assert "fs" in found.of_agents(("Filesystem", "VirtualMachine"))


def test_a_resource_in_a_set_is_still_found() -> None:
    """A set names its members by elements that bear the members' ids."""
    members = '<resource_set id="s"><resource_ref id="plain"/></resource_set>'
    order = f'<constraints><rsc_order id="o">{members}</rsc_order></constraints>'
    text = f"""<cib><configuration><resources><primitive id="plain" {VM}>
    <utilization id="u"><nvpair id="u1" name="cpu" value="2"/></utilization>
    </primitive></resources>{order}</configuration></cib>"""
    assert cib.parse(text).utilization("plain") == {"cpu": "2"}
