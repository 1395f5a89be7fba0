"""The doctor in the cluster: a healthy one has no fault, and real faults are found.

The lab is made healthy by the doctor's own measure first: two links for Corosync,
capacities that count, and ssh between the nodes, over which all of them are asked.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lab import Lab
    from lab.node import Node
    from lab.watch import Watch

GUEST = "web1"
SSHD = (
    "mkdir -p /run/sshd && ssh-keygen -q -A && "
    "/usr/sbin/sshd -o UsePAM=no -o PidFile=/run/sshd.pid"
)
SLOW_MIB_S = 12  # a migration then takes ten seconds
FORGETS = "bookworm"
OPERATION = ("op", "monitor", "interval=3s", "timeout=30s")
TELLS_S = 40.0


@pytest.fixture(scope="module")
def healthy(whole_lab: Lab) -> Iterator[Lab]:
    """A lab in which the doctor has nothing to find."""
    lab, pcs = whole_lab, whole_lab.cluster.pcs
    lab.recover()
    connect(lab)
    plain = [conf(node).read_text() for node in lab.nodes]
    add_ring(lab)
    agent = ("ocf:vmha:NodeCapacity", "cpu_ratio=8.0")
    pcs("resource", "create", "capacity", *agent, *OPERATION, "clone")
    lab.wait_idle()
    pcs("property", "set", "placement-strategy=balanced")
    pcs("resource", "cleanup")
    lab.wait_idle()
    until(lambda: check(lab)["exit_code"] == 0, lambda: check(lab))
    yield lab
    pcs("property", "set", "placement-strategy=")
    pcs("resource", "delete", "capacity")
    for node, text in zip(lab.nodes, plain):
        conf(node).write_text(text)
        node.run(["sh", "-c", "kill $(cat /run/sshd.pid)"], check=False)
    lab.cluster.run(["corosync-cfgtool", "-R"])
    lab.wait_idle()


def connect(lab: Lab) -> None:
    """Let root log in from every node to every node, and know them by their keys."""
    first = lab.nodes[0]
    make = "test -e /root/.ssh/id || ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id"
    first.run(["sh", "-c", f"mkdir -p -m 700 /root/.ssh && {make}"])
    secret = first.path("/root/.ssh/id").read_text()
    public = first.path("/root/.ssh/id.pub").read_text()
    for node in lab.nodes:
        node.run(["sh", "-c", f"mkdir -p -m 700 /root/.ssh && {SSHD}"])
    names = [node.name for node in lab.nodes]
    keys = [node.path("/etc/ssh/ssh_host_ed25519_key.pub") for node in lab.nodes]
    known = [f"{n} {key.read_text()}" for n, key in zip(names, keys)]
    for node in lab.nodes:
        node.path("/root/.ssh/id_ed25519").write_text(secret)
        node.path("/root/.ssh/id_ed25519").chmod(0o600)
        node.path("/root/.ssh/authorized_keys").write_text(public)
        node.path("/root/.ssh/known_hosts").write_text("".join(known))


def conf(node: Node) -> Any:
    """Return where a node's corosync.conf is."""
    return node.path("/etc/corosync/corosync.conf")


def add_ring(lab: Lab) -> None:
    """Give Corosync a second link, on addresses of another network."""
    for node in lab.nodes:
        number = node.address.rpartition(".")[2]
        node.run(["ip", "address", "add", f"10.67.0.{number}/24", "dev", "eth0"])
        text = conf(node).read_text()
        for other in lab.nodes:
            first = f"ring0_addr: {other.address}\n"
            second = f"ring1_addr: 10.67.0.{other.address.rpartition('.')[2]}\n"
            text = text.replace(first, f"{first}        {second}")
        conf(node).write_text(text)
    lab.cluster.run(["corosync-cfgtool", "-R"])


def check(lab: Lab, *words: str) -> Mapping[str, Any]:
    """Run the doctor on a node."""
    said = lab.nodes[0].run(["vmha", "check", "--json", *words], 40, check=False)
    assert said.stdout, said.stderr
    found: Mapping[str, Any] = json.loads(said.stdout)
    assert found["exit_code"] == said.code
    return found


def findings(lab: Lab) -> dict[str, list[str]]:
    """Return subjects and texts by check."""
    told: dict[str, list[str]] = {}
    for one in check(lab)["findings"]:
        told.setdefault(one["check"], []).append(f"{one['subject']}: {one['text']}")
    return told


def until(holds: Callable[[], bool], seen: Callable[[], object]) -> None:
    """Wait until it holds; what is seen last stands in the failure."""
    ends = time.monotonic() + TELLS_S
    while not holds():
        assert time.monotonic() < ends, seen()
        time.sleep(1.0)


def wait_for(lab: Lab, name: str, words: str) -> None:
    """Wait until a check has found it."""

    def is_found() -> bool:
        return any(words in text for text in findings(lab).get(name, ()))

    until(is_found, lambda: findings(lab))


def wait_healthy(lab: Lab) -> None:
    """Wait until nothing is found and all is known."""
    lab.wait_idle()
    until(lambda: check(lab)["exit_code"] == 0, lambda: check(lab))


def test_a_healthy_cluster_has_no_fault_and_all_nodes_tell(
    healthy: Lab, lab: Lab
) -> None:
    found = check(healthy)
    assert found["findings"] == []
    assert found["unknown"] == []
    assert found["unasked"] == {}
    assert found["exit_code"] == 0
    assert {one["check"] for one in found["passed_over"]} == {"file-warnings"}
    for node in lab.nodes:
        secret = node.bmc.password
        assert secret not in node.run(["vmha", "node-facts", "--json"]).stdout


def test_a_fence_device_that_was_removed_is_missed(healthy: Lab, lab: Lab) -> None:
    node = lab.nodes[1]
    healthy.cluster.pcs("stonith", "delete", f"fence-{node.name}")
    try:
        wait_for(healthy, "fence-device-missing", f"node {node.name}: ")
        status = json.loads(_shown(healthy, "status", "--json"))
        assert status["unfenced"] == [node.name]
        assert not status["well"]
    finally:
        healthy.cluster.add_fencing(node)
    wait_healthy(healthy)


@pytest.mark.long
def test_a_placement_strategy_that_was_reset_is_found(healthy: Lab, lab: Lab) -> None:
    pcs = lab.cluster.pcs
    pcs("property", "set", "placement-strategy=")
    try:
        assert "placement-strategy" in findings(healthy)
    finally:
        pcs("property", "set", "placement-strategy=balanced")
    wait_healthy(healthy)


def test_a_definition_that_was_changed_on_one_node_is_found(
    healthy: Lab, lab: Lab
) -> None:
    odd = lab.nodes[1]
    file = odd.path(lab.guest_file(GUEST))
    text = file.read_text()
    file.write_text(text.replace("</name>", "</name><title>new</title>"))
    try:
        (told,) = findings(healthy)["xml-drift"]
        assert told.endswith(f"from that of {odd.name}")
        file.unlink()
        assert any(odd.name in t for t in findings(healthy)["guest-definition"])
    finally:
        file.write_text(text)
    wait_healthy(healthy)


@pytest.mark.long
def test_a_libvirt_that_does_not_run_is_unknown_and_not_fine(
    healthy: Lab, lab: Lab
) -> None:
    dead = lab.nodes[2]
    dead.service("stop", "libvirtd")

    def is_unknown() -> bool:
        gaps = {gap["subject"] for gap in check(healthy)["unknown"]}
        return f"node {dead.name}" in gaps

    try:
        until(is_unknown, lambda: check(healthy))
        assert check(healthy)["exit_code"] == 3
    finally:
        dead.service("start", "libvirtd")
    wait_healthy(healthy)


def test_an_account_that_the_bmc_does_not_know_is_found(healthy: Lab, lab: Lab) -> None:
    node, pcs = lab.nodes[1], lab.cluster.pcs
    device = f"fence-{node.name}"
    pcs("stonith", "update", device, "username=nobody", "--force")
    try:
        wait_for(healthy, "fence-account", f"fence device {device}: asked from")
    finally:
        pcs("stonith", "update", device, f"username={node.bmc.user}", "--force")
        lab.wait_idle()
        pcs("stonith", "cleanup", device)
    wait_healthy(healthy)


@pytest.mark.long
def test_a_node_that_ssh_does_not_reach_is_named_with_the_reason(
    healthy: Lab, lab: Lab
) -> None:
    deaf = lab.nodes[2]
    deaf.run(["sh", "-c", "kill $(cat /run/sshd.pid)"])
    try:
        found = check(healthy)
        assert list(found["unasked"]) == [deaf.name]
        assert "ssh" in found["unasked"][deaf.name]
        assert found["findings"] == []
        assert found["exit_code"] == 3
    finally:
        deaf.run(["sh", "-c", SSHD])
    wait_healthy(healthy)


@pytest.mark.long
def test_a_node_that_left_is_named_and_leaves_no_margin(healthy: Lab, lab: Lab) -> None:
    lost = lab.nodes[2]
    lost.service("stop", "pacemaker")

    def is_shown() -> bool:
        return f"node {lost.name}" in str(findings(healthy).get("node-down"))

    try:
        until(is_shown, lambda: findings(healthy))
        (told,) = findings(healthy)["failure-margin"][:1]
        assert "stay down" in told
        assert not json.loads(_shown(healthy, "status", "--json"))["margin"]["holds"]
    finally:
        lost.service("start", "pacemaker")
        lab.cluster.wait_online()
    wait_healthy(healthy)


def test_status_and_explain_tell_where_guests_are_and_why(
    healthy: Lab, lab: Lab
) -> None:
    place = lab.cluster.wait_running(GUEST)
    status = json.loads(_shown(healthy, "status", "--json"))
    assert status["well"], status
    assert {g["name"]: g["node"] for g in status["guests"]}[GUEST] == place
    assert status["margin"]["holds"]
    text = _shown(healthy, "status")
    for part in (GUEST, place, f"fence-{place}"):
        assert part in text

    other, third = (n.name for n in lab.nodes if n.name != place)
    lab.cluster.pcs("node", "standby", other)
    try:
        lab.wait_idle()
        told = json.loads(_shown(healthy, "explain", GUEST, "--json"))
        assert told["node"] == place
        assert told["nodes"][other]["obstacles"][0]["code"] == "node-standby"
        assert told["nodes"][third]["obstacles"] == []
        assert f"{other}: the node is standby" in _shown(healthy, "explain", GUEST)
    finally:
        lab.cluster.pcs("node", "unstandby", other)
    lab.cluster.pcs("resource", "disable", GUEST)
    try:
        lab.wait_idle()
        assert "target-role is Stopped" in _shown(healthy, "explain", GUEST)
    finally:
        lab.cluster.pcs("resource", "enable", GUEST)
    wait_healthy(healthy)


def test_a_guest_that_pacemaker_forgot_is_found_and_never_runs_twice(
    healthy: Lab, lab: Lab, watch: Watch, suite: str
) -> None:
    """Pacemaker 2.1.5 takes the target's old migrate_from for the one to come.

    A migration to where the guest had once arrived before is so forgotten when the
    configuration changes under way. 3.0.0 stops the guest on both nodes.
    """
    source = lab.cluster.wait_running(GUEST)
    target = next(node.name for node in lab.nodes if node.name != source)
    for node in (target, source):
        move(lab, node)
        lab.wait_idle()
    lab.cluster.pcs("resource", "update", GUEST, f"migration_speed={SLOW_MIB_S}")
    lab.wait_idle()
    began = time.monotonic()
    try:
        move(lab, target)
        disable(lab, began)
        assert lab.cluster.where(GUEST) == []
        left = [node.name for node in lab.nodes if GUEST in node.guests()]
        assert left == ([target] if suite == FORGETS else [])
        if left:
            wait_for(healthy, "running-unnoticed", f"it runs on {target}")
        lab.cluster.run(["crm_resource", "--clear", "--resource", GUEST])
        lab.cluster.pcs("resource", "enable", GUEST)
        lab.wait_idle()
        lab.cluster.run(["crm_resource", "--refresh", "--resource", GUEST])
        lab.wait_idle()
        place = lab.cluster.wait_running(GUEST)
        watch.wait_tick(GUEST, time.monotonic(), TELLS_S, node=place)
        assert watch.executing(GUEST) == [place]
        assert watch.unbroken(GUEST) == bool(left)
    finally:
        clear = f"crm_resource --clear --resource {GUEST} || true"
        lab.cluster.run(["sh", "-c", clear])
        lab.cluster.pcs("resource", "enable", GUEST)
        lab.cluster.pcs("resource", "update", GUEST, "migration_speed=")
    wait_healthy(healthy)


def disable(lab: Lab, began: float) -> None:
    """Stop the guest in the middle of the migration that was ordered."""
    while lab.story().first("migrate_to begun", GUEST, began) is None:
        assert time.monotonic() < began + TELLS_S, "migrate_to has not begun"
    role = ["crm_resource", "--resource", GUEST, "--meta", "--set-parameter"]
    lab.cluster.run([*role, "target-role", "--parameter-value", "Stopped"])
    assert lab.story().first("migrate_to ended", GUEST, began) is None, "too late"
    lab.wait_idle()


def move(lab: Lab, node: str) -> None:
    """Let Pacemaker move the guest, by a preference that stays."""
    words = ["crm_resource", "--move", "--resource", GUEST, "--node", node]
    lab.cluster.run(words)


def _shown(lab: Lab, *words: str) -> str:
    return lab.nodes[0].run(["vmha", *words], 40, check=False).stdout
