"""Two nodes that lose each other: one survives, the one that should, and no third act.

Both have quorum then, and both fence. A delay on one of the two devices, or on the node
with the resources of the highest priority, decides the race before it begins.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest
from lab import Lab, Progress, sweep
from lab.plan import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.node import Node

GUEST = "web1"
DELAY_S = 6
FENCED_S = 60.0
# As long as the loser needs to boot and to see nobody: it must not fence then.
AFTERWARDS_S = 25.0
LEAST_S = 4.0
BOOT_S = 4.0


@pytest.fixture(scope="module")
def pair(debs: list[Path], suite: str) -> Iterator[Lab]:
    """Bring up a lab of two nodes beside the other one."""
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces and mounts")
    name, progress = f"pair-{os.getpid()}", Progress(sys.stderr)
    lab = Lab(name, 2, suite, debs, boot_delay_s=BOOT_S, progress=progress)
    try:
        with lab:
            lab.configure([GUEST])
            yield lab
    finally:
        sweep.sweep(RUN / lab.name)


@pytest.fixture
def whole(pair: Lab) -> Iterator[Lab]:
    """Give the pair whole, and take the delays away again."""
    pair.recover()
    pair.cluster.wait_running(GUEST)
    yield pair
    pair.recover()
    for node in pair.nodes:
        pair.cluster.pcs("stonith", "update", f"fence-{node.name}", "pcmk_delay_base=")
    forget = ["--type", "crm_config", "--name", "priority-fencing-delay", "--delete"]
    pair.cluster.run(["crm_attribute", *forget])


def part(lab: Lab, afterwards_s: float) -> tuple[list[str], float]:
    """Part the nodes; returns which were cut, and when the first was, in seconds."""
    began_s = time.monotonic()
    lab.part()
    ends_s = began_s + FENCED_S
    while not cut_since(lab, began_s):
        assert time.monotonic() < ends_s, "nobody was fenced"
        time.sleep(0.1)
    time.sleep(afterwards_s)
    cut = cut_since(lab, began_s)
    return [node for _, node in cut], cut[0][0] - began_s


def cut_since(lab: Lab, since_s: float) -> list[tuple[float, str]]:
    told = lab.story().since(since_s, "power cut")
    return [(event.time_s, event.subject) for event in told]


def other(lab: Lab, node: Node) -> Node:
    return next(one for one in lab.nodes if one is not node)


def move_away(lab: Lab) -> None:
    """Have the guest on the other node."""
    home = lab.node(lab.cluster.wait_running(GUEST))
    to = other(lab, home).name
    lab.cluster.run(["crm_resource", "--move", "-r", GUEST, "--node", to])
    lab.wait_idle()
    lab.cluster.wait_where(GUEST, [to])
    lab.cluster.run(["crm_resource", "--clear", "-r", GUEST])


@pytest.fixture
def afterwards_s(is_long: bool) -> float:
    return AFTERWARDS_S if is_long else LEAST_S


@pytest.mark.long
def test_the_node_whose_device_waits_survives(
    whole: Lab, repetitions: int, afterwards_s: float, figures: list[str]
) -> None:
    """The device that fences the survivor waits: whoever asks it comes too late."""
    for number in range(repetitions):
        survivor = whole.nodes[number % 2]
        loser = other(whole, survivor)
        device = f"fence-{survivor.name}"
        whole.cluster.pcs("stonith", "update", device, f"pcmk_delay_base={DELAY_S}s")
        whole.wait_idle()
        cut, after_s = part(whole, afterwards_s)
        figures.append(f"pcmk_delay_base: {cut} cut after {after_s:.1f} s")
        assert cut == [loser.name]
        assert survivor.init() is not None
        whole.recover()
        whole.cluster.pcs("stonith", "update", device, "pcmk_delay_base=")


def test_the_node_with_the_most_important_guest_survives(
    whole: Lab, repetitions: int, afterwards_s: float, figures: list[str]
) -> None:
    """Its guest does not even notice."""
    whole.cluster.pcs("resource", "meta", GUEST, "priority=10")
    whole.cluster.pcs("property", "set", f"priority-fencing-delay={DELAY_S}s")
    for number in range(repetitions):
        if number:
            move_away(whole)
        whole.wait_idle()
        home = whole.node(whole.cluster.wait_running(GUEST))
        with whole.watch() as watch:
            watch.wait_tick(GUEST, 0.0, 60.0)
            cut, after_s = part(whole, afterwards_s)
            figures.append(f"priority-fencing-delay: {cut} cut after {after_s:.1f} s")
            assert cut == [other(whole, home).name]
            assert watch.unbroken(GUEST)
            assert watch.most_copies(GUEST) == 1
        whole.recover()
