"""NodeCapacity in the cluster: room decides over a start, "can host" over a move."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab import Lab
    from lab.node import Node
    from lab.watch import Watch

GUEST, LARGE = "web1", "web3"
TELLS_S = 30.0
MOVE_S = 60.0
ONLINE = "/sys/devices/system/cpu/online"
OPERATION = ("op", "monitor", "interval=3s", "timeout=30s")


@pytest.fixture(scope="module")
def capacity(whole_lab: Lab) -> Iterator[Lab]:
    """A lab whose nodes advertise what they have, and heed it."""
    lab, pcs = whole_lab, whole_lab.cluster.pcs
    agent = ("ocf:vmha:NodeCapacity", "can_host=all")
    pcs("resource", "create", "capacity", *agent, *OPERATION, "clone")
    lab.wait_idle()
    pcs("property", "set", "placement-strategy=balanced")
    yield lab
    pcs("property", "set", "placement-strategy=")
    for constraint in ("resource", "delete", LARGE), ("resource", "delete", "capacity"):
        try:
            pcs(*constraint)
        except LabError:
            continue
    lab.wait_idle()


def cib(lab: Lab) -> ElementTree.Element:
    """Return the cluster's configuration and status."""
    said = lab.cluster.run(["cibadmin", "--query"])
    return ElementTree.fromstring(said.stdout)  # noqa: S314


def needs(lab: Lab, guest: str) -> dict[str, str]:
    """Return a guest's utilization."""
    pairs = cib(lab).iterfind(f".//primitive[@id='{guest}']/utilization/nvpair")
    return {p.get("name", ""): p.get("value", "") for p in pairs}


def has(lab: Lab, node: str) -> dict[str, str]:
    """Return what a node advertises."""
    pairs = cib(lab).iterfind(f".//nodes/node[@uname='{node}']/utilization/nvpair")
    return {p.get("name", ""): p.get("value", "") for p in pairs}


def can_host(lab: Lab, node: str) -> str | None:
    """Return what a node says of the guest."""
    state = f".//node_state[@uname='{node}']/transient_attributes//nvpair"
    pair = cib(lab).find(f"{state}[@name='vmha-can-host-{GUEST}']")
    return None if pair is None else pair.get("value")


def wait(holds: Callable[[], bool], what: str) -> None:
    """Wait until it holds."""
    ends = time.monotonic() + TELLS_S
    while not holds():
        assert time.monotonic() < ends, f"waited {TELLS_S:g} s for {what}"
        time.sleep(0.5)


def pretend_online(node: Node, cpus: str) -> None:
    """Let a node's kernel say that only these processors are online."""
    script = f"echo {cpus} > /run/online && mount --bind /run/online {ONLINE}"
    node.run(["sh", "-euc", script])


def test_a_guest_without_room_is_not_started_and_with_room_it_is(
    capacity: Lab, lab: Lab, watch: Watch
) -> None:
    pcs = capacity.cluster.pcs
    for name in (GUEST, "web2"):
        asked = needs(lab, name)
        assert (asked["cpu"], asked["host_memory"]) == ("1", "128")
    node = lab.nodes[0]
    real = has(lab, node.name)["cpu"]
    pretend_online(node, "0-7")
    wait(lambda: has(lab, node.name)["cpu"] == "8", "eight processors to be told")
    node.run(["umount", ONLINE])
    wait(lambda: has(lab, node.name)["cpu"] == real, "the real number to be told")

    lab.guest(LARGE)
    config = f"config={lab.guest_file(LARGE)}"
    meta = ("meta", "target-role=Stopped")
    pcs("resource", "create", LARGE, "ocf:vmha:VirtualMachine", config, *meta)
    pcs("resource", "utilization", LARGE, "cpu=100")
    pcs("resource", "enable", LARGE)
    lab.wait_idle()
    assert lab.cluster.where(LARGE) == []
    pcs("resource", "update", "capacity", "cpu_ratio=1000.0")
    place = lab.cluster.wait_running(LARGE)
    watch.wait_tick(LARGE, 0.0, MOVE_S, node=place)
    wait(lambda: needs(lab, LARGE)["cpu"] == "1", "the guest's true size to be told")
    for guest in (GUEST, "web2"):
        assert watch.unbroken(guest), f"{guest} was restarted"


def test_a_guest_moves_only_to_where_it_can_be_and_is_left_where_it_runs(
    capacity: Lab, lab: Lab, watch: Watch
) -> None:
    pcs = capacity.cluster.pcs
    rule = ("rule", "score=-INFINITY", f"vmha-can-host-{GUEST}", "eq", "0")
    pcs("constraint", "location", GUEST, *rule)
    source = lab.cluster.wait_running(GUEST)
    bad, good = (node.name for node in lab.nodes if node.name != source)
    names = [node.name for node in lab.nodes]
    wait(lambda: [can_host(lab, n) for n in names] == ["1"] * 3, "three nodes that can")
    try:
        for name in (bad, source):
            lab.node(name).path(lab.guest_file(GUEST)).unlink()
        wait(lambda: can_host(lab, bad) == "0", f"{bad} to say that it cannot")
        lab.wait_idle()
        assert can_host(lab, source) == "1"
        assert lab.cluster.where(GUEST) == [source]
        lab.guest(GUEST)
        lab.node(bad).path(lab.guest_file(GUEST)).unlink()
        began = time.monotonic()
        pcs("node", "standby", source)
        lab.wait_idle(MOVE_S)
        watch.wait_tick(GUEST, began, MOVE_S, node=good)
    finally:
        lab.guest(GUEST)
        pcs("node", "unstandby", source)
        ids = cib(lab).iterfind(f".//rsc_location[@rsc='{GUEST}']")
        for constraint in [location.get("id", "") for location in ids]:
            pcs("constraint", "delete", constraint)
    lab.wait_idle(MOVE_S)
    assert watch.unbroken(GUEST), "the guest was restarted"
