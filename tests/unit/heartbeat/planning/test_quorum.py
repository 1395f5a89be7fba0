"""Quorum counts: what is left without it runs nothing."""

from __future__ import annotations

import pytest

from vmha.heartbeat.planning.failures import plan
from vmha.heartbeat.planning.model import Cluster, Guest, Node
from vmha.heartbeat.planning.quorum import has_quorum

TABLE = [
    # nodes, lost, two_node, qdevice, has quorum
    (1, 1, False, False, False),
    (2, 1, False, False, False),
    (2, 1, True, False, True),
    (2, 1, False, True, True),
    (2, 2, True, True, False),
    (3, 1, False, False, True),
    (3, 2, False, False, False),
    (3, 2, False, True, False),
    (4, 1, False, False, True),
    (4, 2, False, False, False),
    (4, 2, False, True, True),
    (5, 2, False, False, True),
    (5, 3, False, False, False),
    (3, 1, True, False, True),
]


@pytest.mark.parametrize(("nodes", "lost", "two_node", "qdevice", "expected"), TABLE)
def test_a_majority_of_the_votes_goes_on(
    nodes: int, lost: int, two_node: bool, qdevice: bool, expected: bool
) -> None:
    assert has_quorum(nodes, lost, two_node=two_node, qdevice=qdevice) is expected


def _cluster(count: int, two_node: bool = False, qdevice: bool = False) -> Cluster:
    names = [f"n{number}" for number in range(1, count + 1)]
    return Cluster(
        tuple(Node(name, 8, 8192, name) for name in names),
        tuple(Guest(f"on-{name}", 1, 1024, runs_on=name) for name in names),
        two_node=two_node,
        qdevice=qdevice,
    )


@pytest.mark.parametrize(
    ("cluster", "failures", "expected"),
    [
        (_cluster(1), 1, 0),
        (_cluster(2), 1, 0),
        (_cluster(2, two_node=True), 1, 1),
        (_cluster(2, two_node=True), 2, 1),
        (_cluster(2, qdevice=True), 1, 1),
        (_cluster(4), 2, 1),
        (_cluster(4, qdevice=True), 2, 2),
        (_cluster(5), 2, 2),
        (_cluster(1)._replace(guests=()), 1, 0),
        (_cluster(3)._replace(guests=()), 3, 1),
    ],
)
def test_no_more_failures_are_tolerated_than_leave_quorum(
    cluster: Cluster, failures: int, expected: int
) -> None:
    assert plan(cluster, failures).tolerates == expected


def test_without_quorum_the_survivors_guests_stop_too() -> None:
    [first, _] = plan(_cluster(2)).failures
    assert first.placed == {}
    assert [(entry.guest, entry.reason) for entry in first.unplaced] == [
        ("on-n1", "no-quorum"),
        ("on-n2", "no-quorum"),
    ]
    assert "1 of 2 nodes has no quorum" in first.unplaced[0].text
