"""What docs/disasters.md tells an administrator to type works, at the moment it is for.

The blocks are taken from the page as they stand; only the nodes' names are the lab's.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from cluster import guide

if TYPE_CHECKING:
    from lab import Lab
    from lab.node import Node
    from lab.watch import Watch

GUEST = "web1"
GUESTS = ("web1", "web2")
SILENT = "The node is dead and the BMC does not answer"
ALONE = "The cluster has lost its majority"
# The agent's tries are over: the cluster waits for a person.
TRIED_S = 25.0
STARTS_S = 60.0
STOPS_S = 60.0
TYPED_S = 60.0


def commands(heading: str) -> list[str]:
    """Return the lines that a section of the page has for a node."""
    (text,) = [
        body
        for title, kind, body in guide.blocks("disasters.md")
        if title == heading and kind == "sh nodes"
    ]
    return [line for line in text.splitlines() if not line.startswith("#")]


def typed(node: Node, text: str) -> None:
    """Type it at a terminal, without which pcs 0.12 asks nothing; and yes to it."""
    terminal = ["script", "--quiet", "--return", "--command", f"set -e\n{text}"]
    node.run([*terminal, "/dev/null"], TYPED_S, stdin="yes\n")


def stays_down(lab: Lab, watch: Watch, source: str, began_s: float) -> None:
    """The guest runs nowhere while nobody has proven its node off."""
    while time.monotonic() < began_s + TRIED_S:
        assert watch.first_execution(GUEST, began_s, not_on=source) is None
        time.sleep(0.2)
    assert lab.story().first("fencing confirmed", source, began_s, "OK") is None


def wait_stopped(lab: Lab, node: Node) -> None:
    """Wait until a node has no quorum and has stopped what it had."""
    ends_s = time.monotonic() + STOPS_S
    without = "./summary/current_dc[@with_quorum='false']"
    while node.guests() or lab.cluster.status().find(without) is None:
        assert time.monotonic() < ends_s, node.guests()
        time.sleep(0.2)


FIRST, *SAME = commands(SILENT)
LONG = [pytest.param(line, marks=pytest.mark.long) for line in SAME]


@pytest.mark.parametrize("line", [FIRST, *LONG])
def test_the_guest_of_a_dead_node_starts_when_a_person_confirms(
    lab: Lab, watch: Watch, line: str
) -> None:
    source = lab.cluster.wait_running(GUEST)
    node = lab.node(source)
    node.bmc.freeze()
    began_s = time.monotonic()
    node.power_off()
    stays_down(lab, watch, source, began_s)
    assert "node1" in line
    typed(lab.cluster.speaker(), line.replace("node1", source))
    watch.wait_tick(GUEST, began_s, STARTS_S, not_on=source)


def test_the_last_of_three_nodes_goes_on_when_it_is_told_to(
    lab: Lab, watch: Watch
) -> None:
    """Its guests stop with the majority, and run again with a person's word."""
    survivor = lab.node(lab.cluster.wait_running(GUEST))
    others = [node for node in lab.nodes if node is not survivor]
    for node in others:
        node.bmc.freeze()
    for node in others:
        node.power_off()
    wait_stopped(lab, survivor)
    stopped_s = time.monotonic()
    dead = dict(zip(("node1", "node2"), (node.name for node in others)))
    text = "\n".join(commands(ALONE))
    assert set(re.findall(r"\bnode\d\b", text)) == set(dead)
    typed(survivor, re.sub(r"\bnode\d\b", lambda found: dead[found[0]], text))
    for guest in GUESTS:
        watch.wait_tick(guest, stopped_s, STARTS_S, node=survivor.name)
