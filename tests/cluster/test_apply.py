"""One file brings an empty cluster to life; what was predicted is what happens.

A lab of its own: everything in it is configured by vmha, or by hand with pcs, and taken
away again. Guests have 128 MiB, nodes room for two of them each.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from lab import Lab, Progress, sweep
from lab.errors import LabError
from lab.plan import RUN

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.pacemaker.turns import STEP_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lab.commands import Result
    from lab.node import Node

    from vmha.heartbeat.clusterfile.content import GuestEntry

FILE = "/etc/vmha.yaml"
SECRET = "/etc/pacemaker/bmc.secret"
GUESTS = ("app", "web1", "web2")
SETTLED_S = 90.0
LATE = ["utilization", "host_memory"]
SETTLE = ("--yes", "--wait", "90")
TOO_MANY = "  huge: {{config: {path}, cpu: 1, memory_mib: 250}}\n"

HEAD = "cluster: {name: lab, token_ms: 1000}\nnodes:\n"
NODE = """\
  {name}:
    addresses: [{address}]
    capacity: {{cpu: 4, memory_mib: 280}}
    fencing: [[{{agent: fence_vmha_ipmi, ip: {bmc}, username: {user},
      password_file: {secret}}}]]
"""
RULES = """\
rules:
  - {spread: [web1, web2]}
  - {together: [web1, app], hard: false}
policy: {tolerate: 1}
"""


@pytest.fixture(scope="module")
def lab(debs: list[Path], suite: str) -> Iterator[Lab]:
    """Bring up a lab whose cluster is configured by nobody yet."""
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces and mounts")
    name = f"apply-{os.getpid()}"
    made = Lab(name, 3, suite, debs, boot_delay_s=4.0, progress=Progress(sys.stderr))
    try:
        with made:
            for node in made.nodes:
                provide(node)
            yield made
    finally:
        sweep.sweep(RUN / made.name)


@pytest.fixture
def empty(lab: Lab) -> Lab:
    """Give the lab with a cluster that has its nodes and nothing else."""
    lab.recover()
    for part in ("constraints", "resources"):
        words = ["cibadmin", "--replace", "--scope", part, "--xml-text", f"<{part}/>"]
        lab.cluster.run(words)
    for path in ("//fencing-topology", "//nvpair[starts-with(@id, 'vmha-')]"):
        delete = ["cibadmin", "--delete-all", "--force", "--xpath", path]
        lab.cluster.speaker().run(delete, check=False)
    lab.wait_idle()
    for node in lab.nodes:
        node.run(["rm", "-rf", "/var/lib/vmha/undo"])
    for name in GUESTS:
        lab.guest(name)
    return lab


def provide(node: Node) -> None:
    """Put what the file refers to on a node."""
    secret = node.path(SECRET)
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text(f"{node.bmc.password}\n", encoding="utf-8")
    secret.chmod(0o600)


def written(
    lab: Lab,
    runs_on: dict[str, str] | None = None,
    more: str = "",
    orders: dict[str, int] | None = None,
) -> str:
    """Return the cluster file of the lab."""
    nodes = [
        NODE.format(
            name=node.name,
            address=node.address,
            bmc=node.bmc.address,
            user=node.bmc.user,
            secret=SECRET,
        )
        for node in lab.nodes
    ]
    guests = []
    for name in GUESTS:
        where = (runs_on or {}).get(name)
        at = f", runs_on: {where}" if where else ""
        if orders:
            at += f", start: {{order: {orders[name]}}}"
        guests.append(
            f"  {name}: {{config: {lab.guest_file(name)}, cpu: 1, memory_mib: 128{at}, "
            "options: {migration_transport: tcp}}\n"
        )
    return "".join([HEAD, *nodes, "guests:\n", *guests, more, RULES])


def put(lab: Lab, text: str) -> None:
    lab.cluster.speaker().path(FILE).write_text(text, encoding="utf-8")


def vmha(lab: Lab, *words: str) -> Result:
    """Run the installed command on the node that speaks for the cluster."""
    node = lab.cluster.speaker()
    return node.run(["vmha", *words], timeout=150.0, check=False)


def applied(lab: Lab, *words: str) -> Result:
    """Apply the file, and wait until the cluster is at rest."""
    done = vmha(lab, "apply", FILE, *SETTLE, *words)
    assert done.code == 0, done.stdout + done.stderr
    lab.wait_idle()
    return done


def places(lab: Lab, guests: Sequence[str] = GUESTS) -> dict[str, str]:
    """Return where each guest runs; one that runs nowhere is left out."""
    found = {name: lab.cluster.where(name) for name in guests}
    assert all(len(nodes) <= 1 for nodes in found.values()), found
    return {name: nodes[0] for name, nodes in found.items() if nodes}


def configured(lab: Lab) -> str:
    """Return the configuration, without status and versions."""
    words = ["cibadmin", "--query", "--scope", "configuration"]
    return lab.cluster.run(words).stdout


def test_one_file_brings_up_an_empty_cluster_and_undo_empties_it(
    empty: Lab, figures: list[str]
) -> None:
    put(empty, written(empty, orders={"web2": 1, "web1": 2, "app": 2}))
    before = configured(empty)
    with empty.watch() as witness:
        applied(empty)
    running = places(empty)
    begun_s = {name: witness.copies(name)[0].began_s for name in GUESTS}
    head_s = min(begun_s["web1"], begun_s["app"]) - begun_s["web2"]
    figures.append(f"start order: web2 executes {head_s:.1f} s before the others")
    assert head_s > STEP_S / 2, begun_s
    assert running.keys() == set(GUESTS)
    assert running["web1"] != running["web2"], "they are to be spread"
    devices = [f"vmha-fence-{node.name}" for node in empty.nodes]
    empty.cluster.check_running([*devices, *GUESTS])

    first = configured(empty)
    assert "Nothing to change" in applied(empty).stdout
    assert configured(empty) == first

    more = TOO_MANY.format(path="/srv/none.xml")
    put(empty, written(empty, more=more))
    refused = vmha(empty, "apply", FILE, *SETTLE)
    assert refused.code == 1
    assert "policy.tolerate" in refused.stderr
    assert "stay down" in refused.stderr
    assert configured(empty) == first

    assert vmha(empty, "undo", *SETTLE).code == 0
    empty.wait_idle()
    assert configured(empty) == before
    assert places(empty) == {}


def test_a_cluster_that_changes_after_the_diff_is_refused(empty: Lab) -> None:
    put(empty, written(empty))
    shown = vmha(empty, "diff", FILE, "--json")
    assert shown.code == 1, shown.stderr
    version = json.loads(shown.stdout)["version"]
    empty.cluster.pcs("property", "set", "cluster-recheck-interval=9min")
    before = configured(empty)
    refused = vmha(empty, "apply", FILE, *SETTLE, "--against", version)
    assert refused.code == 2
    assert "has changed since the difference was shown" in refused.stderr
    assert configured(empty) == before


def test_each_lost_node_ends_as_the_plan_said(empty: Lab, figures: list[str]) -> None:
    put(empty, written(empty))
    applied(empty)
    # A node that is back before all has moved has guests again, as it should.
    empty.cluster.pcs("property", "set", "stonith-action=off")
    try:
        for lost in empty.nodes:
            lose(empty, lost, figures)
    finally:
        empty.recover()  # where a loss ended otherwise, pcs may have no cluster
        empty.cluster.pcs("property", "set", "stonith-action=")


def lose(lab: Lab, lost: Node, figures: list[str]) -> None:
    """Cut a node's power, and hold what becomes of its guests against the plan."""
    running = places(lab)
    put(lab, written(lab, running))
    told = vmha(lab, "plan", FILE, "--json")
    assert told.code == 0, told.stdout + told.stderr
    outcomes = json.loads(told.stdout)["failures"]
    predicted = next(one for one in outcomes if one["lost"] == [lost.name])
    wanted = {**running, **predicted["placed"]}
    wanted |= {move["guest"]: move["to"] for move in predicted["moved"]}
    began_s = time.monotonic()
    with lab.watch() as witness:
        lost.power_off()
        wait_for(lab, lost.name, wanted)
        figures.append(f"{lost.name}: as planned {time.monotonic() - began_s:.1f} s on")
        for name in GUESTS:
            witness.wait_tick(name, began_s, SETTLED_S, not_on=lost.name)
    copies = {name: witness.most_copies(name) for name in GUESTS}
    assert set(copies.values()) == {1}, copies
    lab.recover()
    assert places(lab) == wanted, "the node's return moves nothing"


def wait_for(lab: Lab, lost: str, wanted: dict[str, str]) -> None:
    """Wait until the guests run where they were predicted to run."""
    ends_s = time.monotonic() + SETTLED_S
    asked = {name: [node] for name, node in wanted.items()}
    seen: dict[str, list[str]] = {}
    while time.monotonic() < ends_s:
        # While the node is fenced, Pacemaker shows a guest on it and elsewhere.
        with contextlib.suppress(LabError):  # the node that is asked may just boot
            seen = {name: lab.cluster.where(name) for name in GUESTS}
            if seen == asked:
                return
        time.sleep(0.3)
    raise AssertionError(f"without {lost}: {seen}, and {wanted} was planned")


def test_a_cluster_made_by_hand_is_imported_and_adopted(empty: Lab) -> None:
    pcs = empty.cluster.pcs
    for node in empty.nodes:
        login = (f"username={node.bmc.user}", f"password_file={SECRET}")
        host = (f"ip={node.bmc.address}", f"pcmk_host_list={node.name}")
        pcs("stonith", "create", f"fence-{node.name}", "fence_vmha_ipmi", *login, *host)
        pcs("node", "utilization", node.name, "cpu=4", "hv_memory=280")
    for name in ("web1", "web2"):
        empty.cluster.add_guest(name, empty.guest_file(name), peers=True)
        pcs("resource", "utilization", name, "cpu=1", "hv_memory=128")
    pcs("constraint", "colocation", "add", "web1", "with", "web2", "score=-INFINITY")
    empty.wait_idle()
    first = imported(empty)
    file = parse(first, FILE)
    assert [guest.name for guest in file.guests] == ["web1", "web2"]
    assert {guest.memory_mib for guest in file.guests} == {128}
    assert {guest.runs_on for guest in file.guests} == set(
        places(empty, ("web1", "web2")).values()
    )
    assert "spread: [web1, web2]" in first
    assert f"password_file: {SECRET}" in first

    refused = vmha(empty, "apply", FILE, *SETTLE)
    assert refused.code == 1
    assert "--adopt" in refused.stdout
    with empty.watch() as witness:  # a guest that still boots obeys no shutdown
        for name in ("web1", "web2"):
            witness.wait_tick(name, 0.0, SETTLED_S)
    applied(empty, "--adopt")
    again = parse(imported(empty), FILE)
    assert again.nodes == file.nodes
    assert again.rules == file.rules
    assert [elsewhere(guest) for guest in again.guests] == [
        elsewhere(guest) for guest in file.guests
    ]
    left = at_rest(empty)
    if left["changes"]:
        # A monitor of VirtualDomain's that began before the change may end after it,
        # and write once more what it believes the guest to need. Nothing else may.
        details = [said for one in left["changes"] for said in one["details"]]
        assert details
        assert {said.split()[0:2] == LATE for said in details} == {True}, left
        applied(empty)
        left = at_rest(empty)
    assert left["changes"] == left["conflicts"] == [], left


def at_rest(lab: Lab) -> dict[str, Any]:
    """Return what diff finds, as soon as it finds the same twice in an idle cluster."""
    ends_s = time.monotonic() + SETTLED_S
    before: dict[str, Any] = {}
    while time.monotonic() < ends_s:
        lab.wait_idle()
        done = vmha(lab, "diff", FILE, "--json")
        assert done.code in (0, 1), done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        if before and found["changes"] == before["changes"]:
            return found
        before = found
    raise AssertionError(f"what diff finds does not come to rest: {before}")


def imported(lab: Lab) -> str:
    """Import the cluster into the file, and return its text."""
    done = vmha(lab, "import", "-o", FILE)
    assert done.code == 0, done.stdout + done.stderr
    return lab.cluster.speaker().path(FILE).read_text("utf-8")


def elsewhere(guest: GuestEntry) -> GuestEntry:
    """Return the guest as it is wherever it runs: another agent is another start."""
    return dataclasses.replace(guest, runs_on=None)
