"""What speaks against a change of the cluster."""

from __future__ import annotations

import pytest
from clusters.examples import live

from vmha.heartbeat.pacemaker import admission
from vmha.heartbeat.pacemaker.simulate import Action, Outcome
from vmha.heartbeat.planning.model import (
    RACK,
    Avoid,
    Cluster,
    Guest,
    Node,
    Pin,
    Rule,
    Spread,
    Together,
)

VM = 'class="ocf" provider="vmha" type="VirtualMachine"'
NODES = (
    Node("n1", 4, 4096, "r1"),
    Node("n2", 4, 4096, "r1"),
    Node("n3", 4, 4096, "r2"),
)


def cluster(*rules: Rule, size: int = 1024, **places: str | None) -> Cluster:
    guests = (Guest(name, 1, size, runs_on=node) for name, node in places.items())
    return Cluster(NODES, tuple(guests), rules)


def outcome(
    before: dict[str, str], after: dict[str, str], *actions: Action, gone: str = ""
) -> Outcome:
    return Outcome(before, after, actions, tuple(gone.split()))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Spread(("a", "b")), None),
        (Spread(("a", "b"), RACK), "a and b would both run in r1"),
        (Spread(("a", "b"), RACK, hard=False), None),
        (Together(("a", "b")), "apart: a on n1, b on n2"),
        (Pin(("a",), ("n2", "n3")), "a would run on n1"),
        (Pin(("a",), ("n1",)), None),
        (Avoid(("b",), ("n2",)), "b would run on n2"),
        (Avoid(("b",), ("n2",), hard=False), None),
    ],
)
def test_a_hard_rule_that_would_not_hold_is_told(rule: Rule, said: str | None) -> None:
    told = list(admission.broken(cluster(rule, a="n1", b="n2")))
    assert len(told) == (said is not None)
    assert said is None or said in told[0]


def test_a_guest_that_would_be_stopped_is_told_with_the_reason() -> None:
    cib = live(3, f'<primitive id="a" {VM}/><primitive id="b" {VM}/>')
    because = Action("stop", "a", "n1", "", "node availability")
    made = outcome({"a": "n1", "b": "n1"}, {"b": "n1"}, because)
    told = admission.stopped(cib, cib, made)
    assert told == ["guest a runs now and would be stopped (node availability)"]


@pytest.mark.parametrize(
    ("name", "value"), [("target-role", "Stopped"), ("is-managed", "false")]
)
def test_a_guest_that_is_meant_to_be_down_is_no_reason(name: str, value: str) -> None:
    meta = f'<nvpair id="m1" name="{name}" value="{value}"/>'
    held = f'<meta_attributes id="m">{meta}</meta_attributes>'
    cib = live(3, f'<primitive id="a" {VM}>{held}</primitive>')
    assert admission.stopped(live(3), cib, outcome({}, {})) == []


def test_a_guest_that_is_made_from_a_template_is_a_guest() -> None:
    cib = live(3, f'<template id="t" {VM}/><primitive id="a" template="t"/>')
    assert admission.guests(cib) == {"a"}
    told = admission.stopped(cib, cib, outcome({"a": "n1"}, {}))
    assert told == ["guest a runs now and would be stopped"]


def test_too_few_survived_failures_are_told_with_the_guests_left_down() -> None:
    full = cluster(size=2500, a="n1", b="n2", c="n3")
    told = admission.unsafe(full, outcome({}, {}))
    assert "would survive 0 failures, and the file asks for 1" in told[0]
    assert "without n1, these stay down: a" in told[0]


def test_a_node_that_is_gone_takes_no_guest_over() -> None:
    enough = cluster(size=2000, a="n1", b="n2", c="n1")
    assert admission.unsafe(enough, outcome({}, {})) == []
    assert admission.unsafe(enough, outcome({}, {}, gone="n3")) != []


@pytest.mark.parametrize("kind", ["NodeCapacity", "NodeUtilization"])
def test_who_writes_other_capacities_is_told(kind: str) -> None:
    writer = f'<primitive id="cap" class="ocf" provider="x" type="{kind}"/>'
    cib = live(3, f'<clone id="all">{writer}</clone>')
    assert "resource cap" in admission.overwriting(cib)[0]
    assert admission.overwriting(live(3)) == []


def test_a_node_that_no_device_can_fence_is_told() -> None:
    """A device without a list of hosts is one for every node."""
    names = ["n1", "n2", "n3"]
    assert "no fence device" in admission.unfenced(live(3), names)[0]
    hosts = '<nvpair id="h" name="pcmk_host_list" value="n1,n2"/>'
    held = f'<instance_attributes id="i">{hosts}</instance_attributes>'
    device = '<primitive id="f" class="stonith" type="fence_x">{}</primitive>'
    told = admission.unfenced(live(3, device.format(held)), names)
    assert [line.partition(" has")[0] for line in told] == ["node n3"]
    assert admission.unfenced(live(3, device.format("")), names) == []
