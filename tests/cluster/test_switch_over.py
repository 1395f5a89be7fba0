"""Running resources change their agents by program, and back, without a stop."""

from __future__ import annotations

import json
import time
from concurrent import futures
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lab import Lab
    from lab.commands import Result
    from lab.node import Node
    from lab.watch import Watch

PROGRAM = "/usr/share/vmha/switch-over"
GUEST = "web1"
FENCES = ("fence-node1",)
SETTLES_S = 240.0
ONE_MONITOR_S = 12.0
OURS = ("ocf:vmha:VirtualMachine", "stonith:fence_vmha_ipmi")
THEIRS = ("ocf:heartbeat:VirtualDomain", "stonith:fence_ipmilan")


def switch_over(node: Node, *words: str) -> Result:
    argv = [PROGRAM, "--json", *words, GUEST, *FENCES]
    return node.run(argv, SETTLES_S, check=False)


def agents(lab: Lab) -> set[str]:
    """Return the types of the resources that are switched, as crm_mon shows them."""
    shown = lab.cluster.status().iterfind("resources/resource")
    wanted = [r for r in shown if r.get("id") in (GUEST, *FENCES)]
    assert len(wanted) == 1 + len(FENCES)
    return {str(r.get("resource_agent")) for r in wanted}


@pytest.fixture(autouse=True)
def version_2(lab: Lab) -> None:
    """Let the devices speak IPMI 2.0 under both agents: fence_ipmilan must be told."""
    for fence in FENCES:
        lab.cluster.pcs("stonith", "update", fence, "lanplus=1", "cipher=3")
    lab.wait_idle()


def test_running_resources_go_to_the_predecessors_and_come_back(
    lab: Lab, watch: Watch
) -> None:
    home = lab.cluster.wait_running(GUEST)
    node = lab.node(home)
    for words, kinds in ((["--back"], THEIRS), ([], OURS)):
        dry = switch_over(node, "--dry-run", *words)
        assert (dry.code, agents(lab) == set(kinds)) == (0, False), dry.stdout
        done = switch_over(node, *words)
        assert (done.code, agents(lab)) == (0, set(kinds)), done.stdout + done.stderr
        assert switch_over(node, *words).code == 0, "a second time changes nothing"
        lab.wait_idle()
        assert lab.cluster.where(GUEST) == [home]
    time.sleep(ONE_MONITOR_S)
    assert watch.unbroken(GUEST)
    assert not lab.cluster.status().findall("failures/failure")
    record = f"/run/vmha/guests/{GUEST}.guest"
    assert f"name={GUEST}" in node.run(["cat", record], 20).stdout


def test_a_guest_that_pacemaker_moves_after_the_switch_is_switched_well(
    lab: Lab, watch: Watch
) -> None:
    home = lab.cluster.wait_running(GUEST)
    other = next(node.name for node in lab.nodes if node.name != home)
    with futures.ThreadPoolExecutor(1) as pool:
        switching = pool.submit(switch_over, lab.node(home), "--back")
        while not in_maintenance(lab):
            assert not switching.done(), switching.result().stdout
        lab.cluster.pcs("constraint", "location", GUEST, "prefers", f"{other}=500")
        gone = switching.result()
    try:
        assert (gone.code, agents(lab)) == (0, set(THEIRS)), gone.stdout
        lab.cluster.wait_where(GUEST, [other])
    finally:
        back = switch_over(lab.node(home))
        rule = f"location-{GUEST}-{other}-500"
        lab.cluster.pcs("constraint", "delete", rule)
    assert (back.code, agents(lab)) == (0, set(OURS)), back.stdout
    assert watch.unbroken(GUEST)


def in_maintenance(lab: Lab) -> bool:
    """Tell whether Pacemaker's hands are off, as crm_mon shows it."""
    options = lab.cluster.status().find("summary/cluster_options")
    assert options is not None
    return options.get("maintenance-mode") == "true"


def test_a_resource_that_would_lose_its_meaning_is_refused_untouched(
    lab: Lab, watch: Watch
) -> None:
    home = lab.cluster.wait_running(GUEST)
    lab.cluster.pcs("resource", "update", GUEST, "guest_agent=ignore")
    lab.wait_idle()
    try:
        refused = switch_over(lab.node(home), "--back")
    finally:
        lab.cluster.pcs("resource", "update", GUEST, "guest_agent=")
    assert refused.code == 2, refused.stdout
    assert "guest_agent" in json.loads(refused.stdout)["text"]
    assert agents(lab) == set(OURS)
    assert watch.unbroken(GUEST)
