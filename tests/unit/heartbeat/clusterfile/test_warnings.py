"""What a sound file asks for and will not get is warned of, whatever its order."""

from __future__ import annotations

import pytest
from unit.heartbeat.clusterfile.texts import BASE

from vmha.heartbeat.clusterfile import reading

# What is added to BASE -> parts of its one warning.
WARNED = [
    ("policy: {tolerate: 3}", "there are 3 nodes"),
    ("  d: {cpu: 9, memory_mib: 1}", "d is larger than every node"),
    ("  d: {cpu: 1, memory_mib: 8193}", "d is larger than every node"),
    (
        "  d: {cpu: 1, memory_mib: 8192}\npolicy: {guest_overhead_mib: 1}",
        "d is larger than every node",
    ),
    (
        "  d: {cpu: 1, memory_mib: 1}\nrules: [{spread: [a, b, c, d]}]",
        "4 guests are spread over 3 hosts",
    ),
    (
        "  d: {cpu: 1, memory_mib: 1}\nrules: [{spread: [a, b, c, d], hard: false}]",
        "at least one shares one",
    ),
    (
        "rules: [{spread: [a, b]}, {pin: [a, b], to: [n1]}]",
        "{spread: [a, b]} cannot hold for all: other rules leave its guests 1 hosts",
    ),
    (
        "  d: {cpu: 1, memory_mib: 1, ha: false}\nrules: [{spread: [a, d]}]",
        "ha is off for it",
    ),
    (
        "  d: {cpu: 5, memory_mib: 1}\n  e: {cpu: 5, memory_mib: 1}\n"
        "rules: [{together: [d, e]}]",
        "fit on no node together",
    ),
    ("rules: [{spread: [a, b]}, {spread: [b, a]}]", "given more than once"),
    (
        "rules: [{together: [a, b]}, {spread: [a, b], hard: false}]",
        "{spread: [a, b], hard: false} never holds",
    ),
    (
        "rules: [{spread: [a, b]}, {together: [a, b], hard: false}]",
        "{together: [a, b], hard: false} never holds",
    ),
    (
        "rules: [{pin: [a], to: [n1]}, {avoid: [a], nodes: [n1], hard: false}]",
        "never holds for a",
    ),
    (
        "  d: {cpu: 1, memory_mib: 1, prefer: [n1]}\n"
        "rules: [{avoid: [d], nodes: [n1]}]",
        "prefers n1, where a hard rule does not let it run",
    ),
]


@pytest.mark.parametrize(("added", "fragment"), WARNED)
def test_what_cannot_hold_is_warned_of_once(added: str, fragment: str) -> None:
    (warning,) = reading.parse(f"{BASE}{added}\n", "vmha.yaml").warnings
    assert fragment in warning


BMC = "    fencing: [[{{agent: {agent}, ip: 10.0.9.1{more}}}]]\n"
NODE = "  {name}:\n    capacity: {{cpu: 8, memory_mib: 8192}}\n"


@pytest.mark.parametrize(
    ("agent", "more", "is_warned"),
    [
        ("fence_vmha_ipmi", "", True),
        ("fence_vmha_ipmi", ", options: {{ipport: {at}}}", False),
        ("fence_vmha_ipmi", ", options: {{hosts: 'n1=10.0.9.1'}}", False),
        ("fence_apc", "", False),  # told apart by the name of the node
    ],
)
def test_one_controller_for_two_nodes_is_warned_of(
    agent: str, more: str, is_warned: bool
) -> None:
    nodes = "".join(
        NODE.format(name=f"n{at}") + BMC.format(agent=agent, more=more.format(at=at))
        for at in (1, 2)
    )
    file = reading.parse(f"cluster: {{name: a}}\nnodes:\n{nodes}", "vmha.yaml")
    told = [warning for warning in file.warnings if "the same controller" in warning]
    assert bool(told) is is_warned


def test_the_same_domain_of_another_hypervisor_is_another_guest() -> None:
    other = '  d: {cpu: 1, memory_mib: 1, domain: a, hypervisor: "lxc:///system"}\n'
    assert reading.parse(BASE + other, "vmha.yaml").warnings == ()


def test_rules_that_can_hold_are_not_warned_of() -> None:
    rules = """\
rules:
  - {spread: [a, b, c]}
  - {together: [a, b], hard: false}
  - {pin: [a], to: [n1]}
  - {pin: [b], to: [n1, n2]}
"""
    found = reading.parse(BASE + rules, "vmha.yaml").warnings
    assert [w for w in found if "cannot hold" in w or "spread over" in w] == []
