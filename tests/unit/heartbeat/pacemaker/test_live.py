"""A CIB as the planner's cluster, and as a cluster file."""

from __future__ import annotations

import pytest
from clusters.examples import THREE, live, rendered
from lxml import etree
from oracle import clusters

from vmha.heartbeat.clusterfile.planned import cluster_of
from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.clusterfile.writing import text_of
from vmha.heartbeat.corosync import conf
from vmha.heartbeat.corosync import reading as corosync
from vmha.heartbeat.pacemaker import cib, rendering
from vmha.heartbeat.pacemaker.difference import changes
from vmha.heartbeat.pacemaker.importing import imported
from vmha.heartbeat.pacemaker.live import of_document
from vmha.heartbeat.pacemaker.proposal import located
from vmha.heartbeat.planning.failures import plan
from vmha.heartbeat.planning.instructions import instructions
from vmha.heartbeat.planning.model import Avoid, Spread, Together
from vmha.heartbeat.planning.outcome import Outcome

RUNNING = {
    "app1": "n1",
    "db1": "n1",
    "own": "n3",
    "web1": "n1",
    "web2": "n2",
    "web3": "n3",
}
VIRTUAL_DOMAIN = """\
<group id="g"><meta_attributes id="gm"><nvpair id="gm1" name="priority" value="4"/>
</meta_attributes>
<primitive id="old" class="ocf" provider="heartbeat" type="VirtualDomain">
<instance_attributes id="oi"><nvpair id="oi1" name="config" value="/srv/old.xml"/>
<nvpair id="oi2" name="snapshot" value="/srv/snapshots"/>
<nvpair id="oi3" name="migration_transport" value="ssh"/></instance_attributes>
<utilization id="ou"><nvpair id="ou1" name="cpu" value="2"/>
<nvpair id="ou2" name="host_memory" value="999"/></utilization></primitive></group>
<primitive id="new" class="ocf" provider="vmha" type="VirtualMachine">
<meta_attributes id="nm"><nvpair id="nm1" name="is-managed" value="false"/>
</meta_attributes></primitive>
"""
CONSTRAINTS = """\
<rsc_location id="l1" rsc="new" node="n2" score="50"/>
<rsc_location id="l2" rsc="new" node="n1" score="100"/>
<rsc_location id="l3" rsc="old" node="n3" score="-INFINITY"/>
<rsc_location id="l4" rsc="old" node="ghost" score="9"/>
<rsc_location id="l5" rsc="old"><rule id="l5r" score="1">
<expression id="l5e" attribute="site" operation="eq" value="x"/></rule></rsc_location>
<rsc_colocation id="c1" rsc="old" with-rsc="new" score="-INFINITY"/>
<rsc_colocation id="c2" rsc="new" with-rsc="old" score="7"/>
"""


def test_a_rendered_cluster_is_planned_as_its_file_is() -> None:
    """Rules come back in other words; what is planned by them is the same."""
    file = parse(THREE, "vmha.yaml")
    seen = of_document(rendered(THREE), RUNNING)
    assert seen.unread == ()
    assert seen.cluster.nodes == cluster_of(file).nodes
    ours = plan(located(cluster_of(file), RUNNING), 1, search=False)
    theirs = plan(seen.cluster, 1, search=False)
    assert theirs.tolerates == ours.tolerates
    assert [dict(o.placed) for o in theirs.failures] == [
        dict(o.placed) for o in ours.failures
    ]


def test_guests_of_virtualdomain_are_read_like_ours() -> None:
    seen = of_document(live(3, VIRTUAL_DOMAIN, CONSTRAINTS), {"old": "n2"})
    guests = {guest.name: guest for guest in seen.cluster.guests}
    old, new = guests["old"], guests["new"]
    assert (old.cpu, old.memory_mib, old.priority) == (2, 999, 4)
    assert (old.runs_on, new.runs_on) == ("n2", None)
    assert (old.ha, new.ha) == (True, False)
    assert new.prefer == ("n1", "n2")


def test_constraints_become_rules_and_the_others_are_told() -> None:
    seen = of_document(live(3, VIRTUAL_DOMAIN, CONSTRAINTS), {})
    assert set(seen.cluster.rules) == {
        Avoid(("old",), ("n3",), True),
        Spread(("new", "old")),
        Together(("old", "new"), False),
    }
    assert [line.partition(":")[0] for line in seen.unread] == [
        "constraint l4",
        "constraint l5",
    ]


def test_what_keeps_guests_from_nodes_is_a_rule_however_it_is_written() -> None:
    """Import writes it as such; an opt-in cluster is no wish.

    A pattern is held against what stands in nothing else: the group, not the guest.
    """
    pattern = '<rsc_location id="p" rsc-pattern="^g$" node="N2" score="-INFINITY"/>'
    seen = of_document(live(3, VIRTUAL_DOMAIN, pattern), {})
    assert seen.cluster.rules == (Avoid(("old",), ("n2",)),)
    opened = '<rsc_location id="o" rsc="new" node="n1" score="0"/>'
    whole = live(3, VIRTUAL_DOMAIN, opened)
    option = '<nvpair id="s" name="symmetric-cluster" value="false"/>'
    (options,) = whole.iterfind(".//cluster_property_set")
    options.append(etree.fromstring(option))
    rules = of_document(whole, {}).cluster.rules
    assert {(r.guests[0], r.nodes[0]) for r in rules if isinstance(r, Avoid)} == {
        *(("old", node) for node in ("n1", "n2", "n3")),
        *(("new", node) for node in ("n2", "n3")),
    }


def test_an_import_means_the_same_as_the_file_it_came_from() -> None:
    file = parse(THREE, "vmha.yaml")
    found = rendered(THREE)
    settings = corosync.parse(conf.text(file))
    made = imported(found, of_document(found, RUNNING), settings)
    assert made.left_out == ()
    text = text_of(made.file)
    again = parse(text, "again.yaml")
    assert changes(found, rendered(text)) == ()
    assert again.token_ms == 1000
    assert [n.addresses for n in again.nodes] == [n.addresses for n in file.nodes]
    assert {g.name: g.runs_on for g in again.guests} == RUNNING


@pytest.mark.parametrize(
    "rule",
    [
        "{together: [web1, db1, web3]}",
        "{together: [web1, db1]}\n  - {pin: [db1], to: [n1, n2]}",
        "{together: [db1, web3]}\n  - {spread: [web3, web2]}",
        "{pin: [own, web1], to: [n2], hard: false}",
        "{avoid: [web1, web2], nodes: [n2, n3], hard: false}",
        "{spread: [app1, db1, web1, web2], hard: false}",
    ],
)
def test_rules_that_bind_are_read_back(rule: str) -> None:
    """Sizes of a set stand with its leader, and its rules are told of all of it."""
    text = THREE[: THREE.index("rules:")] + f"rules:\n  - {rule}\n"
    found = rendered(text)
    file = parse(text, "vmha.yaml")
    made = imported(found, of_document(found, RUNNING), corosync.Section()).file
    assert [(g.name, g.cpu, g.memory_mib) for g in made.guests] == [
        (g.name, g.cpu, g.memory_mib) for g in file.guests
    ]
    assert changes(found, rendered(text_of(made))) == ()


def test_an_import_tells_what_it_leaves_out() -> None:
    found = live(3, VIRTUAL_DOMAIN, CONSTRAINTS)
    made = imported(found, of_document(found, {}), corosync.Section(), (8, 8192))
    told = "\n".join(made.left_out)
    assert "guest old: parameter snapshot, which vmha does not have" in told
    assert "guest old: it is in the group g" in told
    assert "guest new: its size is unknown" in told
    assert "constraint l5" in told
    assert [node.memory_mib for node in made.file.nodes] == [8192] * 3
    options = {guest.name: guest.options for guest in made.file.guests}
    assert options["old"] == {"migration_transport": "ssh"}


def test_nodes_without_capacity_are_told() -> None:
    found = live(2)
    made = imported(found, of_document(found, {}), corosync.Section())
    assert len([line for line in made.left_out if "no capacity" in line]) == 2


@pytest.mark.parametrize("seed", range(12))
def test_any_cluster_that_is_read_back_is_planned_as_before(seed: int) -> None:
    """What vmha wrote into a CIB says all that the plan was made from."""
    cluster = clusters.drawn(seed).cluster
    written = cib.document(rendering.of_cluster(cluster, instructions(cluster)))
    running = {guest.name: guest.runs_on for guest in cluster.guests if guest.runs_on}
    seen = of_document(written, running, cluster.two_node, cluster.qdevice)
    assert seen.unread == ()
    ours, theirs = (plan(one, 1, search=False) for one in (cluster, seen.cluster))
    assert [_without_words(one) for one in theirs.failures] == [
        _without_words(one) for one in ours.failures
    ]


def _without_words(outcome: Outcome) -> Outcome:
    """Return an outcome without sentences: a pin is read as avoided nodes."""
    bare = tuple(one._replace(text="") for one in outcome.unplaced)
    return outcome._replace(unplaced=bare)
