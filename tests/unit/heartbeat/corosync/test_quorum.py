"""Who goes on after a loss, by corosync.conf, and what of it is not reckoned with."""

from __future__ import annotations

import pytest

from vmha.heartbeat.corosync import quorum, reading
from vmha.heartbeat.corosync.quorum import Quorum

NODES = "nodelist {{\n node {{\n name: n1\n{0} }}\n node {{\n name: n2\n }}\n}}\n"
DEVICE = "device {{\n model: net\n {1}\n net {{\n host: q\n algorithm: {0}\n }}\n}}\n"


def of(inside: str, node: str = "") -> Quorum:
    text = f"{NODES.format(node)}quorum {{\n{inside}\n}}\n"
    found = quorum.of(reading.parse(text))
    assert quorum.of_settings(_settings(reading.parse(text))) == found
    return found


def _settings(conf: reading.Section) -> dict[str, str]:
    """Return the same as corosync-cmapctl has it."""
    found = {}
    for number, node in enumerate(conf.first("nodelist").inner["node"]):
        for name, value in node.words.items():
            found[f"nodelist.node.{number}.{name}"] = value

    def add(section: reading.Section, path: str) -> None:
        found.update({f"{path}.{n}": value for n, value in section.words.items()})
        for name, inner in section.inner.items():
            add(inner[0], f"{path}.{name}")

    add(conf.first("quorum"), "quorum")
    return found


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", Quorum()),
        ("two_node: 1\nwait_for_all: 1", Quorum(two_node=True)),
        ("expected_votes: 2", Quorum()),
        (DEVICE.format("ffsplit", "votes: 1"), Quorum(qdevice=True)),
        (DEVICE.format("lms", ""), Quorum(qdevice=True, last_man=True)),
    ],
)
def test_what_the_planner_reckons_with_leaves_no_doubt(
    inside: str, expected: Quorum
) -> None:
    assert of(inside) == expected


@pytest.mark.parametrize("name", ["auto_tie_breaker", "last_man_standing"])
def test_what_lets_more_nodes_go_on_is_a_gain_and_switches_the_arbiter_off(
    name: str,
) -> None:
    """votequorum(5): the quorum device will be disabled."""
    found = of(f"{name}: 1\n{DEVICE.format('lms', '')}")
    assert (found.qdevice, found.last_man, found.costs) == (False, False, ())
    (gain,) = found.gains
    assert gain.startswith(f"{name} is on")


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("expected_votes: 5", "expected_votes is 5, and there are 2 nodes"),
        (DEVICE.format("ffsplit", "votes: 3"), "has 3 votes, not 1"),
        (DEVICE.format("lms", "votes: 1"), "has 1 votes of its own"),
        (DEVICE.format("test", ""), "has the algorithm test"),
        ("device {\n model: other\n}", "is of the model other"),
    ],
)
def test_votes_of_another_number_may_cost_the_quorum(inside: str, said: str) -> None:
    (cost,) = of(inside).costs
    assert said in cost


def test_nodes_with_votes_of_their_own_may_cost_the_quorum() -> None:
    (cost,) = of("", " quorum_votes: 3\n").costs
    assert "quorum_votes is not 1" in cost
    assert of("", " quorum_votes: 1\n").costs == ()
