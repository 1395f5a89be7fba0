"""The planner's cluster has what guests may use, and rules that name nodes."""

from __future__ import annotations

import pytest
from unit.heartbeat.clusterfile.test_reading import WHOLE
from unit.heartbeat.clusterfile.texts import NODES

from vmha.heartbeat.clusterfile import planned, reading
from vmha.heartbeat.clusterfile.content import NodeEntry
from vmha.heartbeat.planning.model import (
    NONE,
    RACK,
    Avoid,
    Guest,
    Node,
    Pin,
    Spread,
    Together,
)


@pytest.mark.parametrize(
    ("cpu", "reserve", "ratio", "usable"),
    [
        (32, 0, 1.0, 32),
        (32, 2, 2.0, 60),
        (3, 0, 1.5, 4),
        (100, 0, 1.15, 115),  # 114.99999999999999 for floats
        (10, 0, 0.3, 3),
        (7, 7, 8.0, 0),
        (1, 0, 0.5, 0),
        (100, 0, 1e-05, 0),
    ],
)
def test_usable_processors_are_rounded_down_as_written(
    cpu: int, reserve: int, ratio: float, usable: int
) -> None:
    node = NodeEntry("n", cpu=cpu, reserve_cpu=reserve, cpu_ratio=ratio)
    assert planned.usable(node)[0] == usable


def test_reserves_racks_overhead_and_priorities_are_resolved() -> None:
    cluster = planned.cluster_of(reading.parse(WHOLE, "vmha.yaml"))
    assert cluster.nodes == (
        Node("n1", 64, 61440, "r1"),
        Node("n2", 32, 65536, "n2"),
    )
    assert cluster.guests == (
        Guest("app1", 1, 101, 9),
        Guest("db1", 4, 109, 0, ha=False),
        Guest("web1", 2, 4196, 3, runs_on="n1", prefer=("n2", "n1")),
    )
    assert set(cluster.rules) == {
        Together(("db1", "app1", "web1"), hard=False),
        Spread(("app1", "web1"), RACK),
        Pin(("db1", "web1"), ("n1", "n2")),
        Avoid(("app1",), ("n2",), hard=False),
    }
    assert (cluster.tolerate, cluster.preemption) == (2, NONE)
    assert (cluster.two_node, cluster.qdevice) == (False, True)


def test_a_node_without_rack_is_its_own_and_can_be_named_so() -> None:
    text = f"""{NODES}  n2: {{capacity: {{cpu: 1, memory_mib: 1}}, rack: r1}}
  n3: {{capacity: {{cpu: 1, memory_mib: 1}}, rack: r1}}
guests: {{a: {{cpu: 1, memory_mib: 1}}}}
rules: [{{pin: [a], to: ["rack:r1"]}}, {{avoid: [a], nodes: ["rack:n1"]}}]
"""
    cluster = planned.cluster_of(reading.parse(text, "vmha.yaml"))
    assert [node.rack for node in cluster.nodes] == ["n1", "r1", "r1"]
    assert set(cluster.rules) == {Pin(("a",), ("n2", "n3")), Avoid(("a",), ("n1",))}
