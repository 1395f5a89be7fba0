"""What of others' configurations is not reckoned with, and what is."""

from __future__ import annotations

import pytest
from clusters.examples import THREE, live, rendered
from lxml import etree
from oracle import clusters

from vmha.heartbeat.pacemaker import cib, rendering
from vmha.heartbeat.pacemaker.live import of_document
from vmha.heartbeat.planning.failures import planned
from vmha.heartbeat.planning.instructions import instructions
from vmha.heartbeat.planning.prediction import Scheduler

GUEST = (
    '<primitive id="{0}" class="ocf" provider="heartbeat" type="VirtualDomain">'
    '<meta_attributes id="{0}-m">{1}</meta_attributes>'
    '<utilization id="{0}-u"><nvpair id="{0}-c" name="cpu" value="1"/></utilization>'
    "</primitive>"
)
A, B = GUEST.format("a", ""), GUEST.format("b", "")
DUMMY = '<primitive id="d" class="ocf" provider="pacemaker" type="Dummy"/>'
CLONE = f'<clone id="d-clone">{DUMMY}</clone>'
AFTER = '<rsc_order id="o" first="{}" then="a"{}/>'
REFS = '<resource_ref id="a"/><resource_ref id="b"/>'
SETS = f'<resource_set id="s">{REFS}</resource_set>'
PATTERN = '<rsc_location id="p" rsc-pattern="a{2}" node="n1" score="5"/>'


def doubts(resources: str, constraints: str = "", option: str = "") -> tuple[str, ...]:
    """Return what is doubted of three nodes that vmha's strategy is set for."""
    whole = live(3, resources, constraints)
    where = whole.find("configuration/crm_config/cluster_property_set")
    assert where is not None
    name, _, value = (option or "placement-strategy=utilization").partition("=")
    etree.SubElement(where, "nvpair", id="o-1", name=name, value=value)
    for node in whole.iterfind("configuration/nodes/node"):
        sizes = etree.SubElement(node, "utilization", id=f"u{node.get('id')}")
        ident = f"c{node.get('id')}"
        etree.SubElement(sizes, "nvpair", id=ident, name="cpu", value="8")
    return of_document(whole, {"a": "n1", "b": "n2"}).doubts


@pytest.mark.parametrize(
    ("resources", "constraints"),
    [
        (A + B, ""),
        (A + DUMMY, AFTER.format("d", "")),
        (A + CLONE, AFTER.format("d-clone", ' kind="Optional"')),
        (A, AFTER.format("not-there", "")),
        (A + DUMMY, '<rsc_colocation id="c" rsc="a" with-rsc="d" score="INFINITY"/>'),
        (A + B, '<rsc_colocation id="c" rsc="a" with-rsc="b" score="-INFINITY"/>'),
    ],
)
def test_what_is_reckoned_with_is_no_doubt(resources: str, constraints: str) -> None:
    assert doubts(resources, constraints) == ()


@pytest.mark.parametrize(
    ("resources", "constraints", "option", "fragment"),
    [
        (A, "", "placement-strategy=balanced", "placement-strategy is balanced"),
        (A, "", "node-health-strategy=only-green", "node-health-strategy"),
        (A, '<rsc_ticket id="t" rsc="a" ticket="T"/>', "", "depends on a ticket"),
        (A + B, AFTER.format("b", ' kind="Optional"'), "", "can then start neither"),
        (A + B, f'<rsc_order id="o">{SETS}</rsc_order>', "", "order of sets"),
        (A + B, f'<rsc_colocation id="c">{SETS}</rsc_colocation>', "", "of sets"),
        (
            A + B,
            '<rsc_colocation id="c" rsc="a" with-rsc="b" score="INFINITY"/>',
            "",
            "no node has room for both",
        ),
        (
            A + B,
            '<rsc_colocation id="c" rsc="a" with-rsc="b" score="-50"/>'
            '<rsc_colocation id="e" rsc="b" with-rsc="a" score="9"/>',
            "",
            "go round in a circle",
        ),
        (A + B, '<rsc_colocation id="c" rsc="a" with-rsc="b"/>', "", "no score"),
        (
            A + CLONE,
            '<rsc_colocation id="c" rsc="a" with-rsc="d-clone" score="INFINITY"/>',
            "",
            "no plain resource",
        ),
        (A + DUMMY, AFTER.format("d", ' first-action="stop"'), "", "other actions"),
        (A + DUMMY, AFTER.format("d", ' symmetrical="no"'), "", "of one direction"),
        (f'<group id="g">{A}{B}</group>', "", "", "in the group g"),
        (A, PATTERN, "", "cannot read its pattern"),
        (GUEST.format("a", "").replace("cpu", "disk"), "", "", "needs disk"),
        (A + '<group id="g"><primitive id="i"/></group>', "", "", "group g runs"),
        (
            GUEST.format("a", '<nvpair id="r" name="remote-node" value="r"/>'),
            "",
            "",
            "makes a node",
        ),
        (
            A.replace(
                "<meta", '<meta_attributes id="m"><rule id="r"/></meta_attributes><meta'
            ),
            "",
            "",
            "a rule decides",
        ),
    ],
)
def test_what_is_not_reckoned_with_is_told(
    resources: str, constraints: str, option: str, fragment: str
) -> None:
    found = doubts(resources, constraints, option)
    assert any(fragment in sentence for sentence in found), found


def test_a_failure_of_before_is_a_doubt() -> None:
    whole = live(2, A)
    (state, _) = whole.iterfind("status/node_state")
    outer = etree.SubElement(state, "transient_attributes", id="1")
    inner = etree.SubElement(outer, "instance_attributes", id="t")
    name = "fail-count-a#start_0"
    etree.SubElement(inner, "nvpair", id="f", name=name, value="INFINITY")
    found = of_document(whole, {}).doubts
    assert any("a has failed on n1 before" in sentence for sentence in found)


@pytest.mark.parametrize("seed", range(8))
def test_what_vmha_wrote_leaves_no_doubt_and_is_planned_as_written(seed: int) -> None:
    """The numbers that are read back are those that the planner made."""
    cluster = clusters.drawn(seed).cluster
    written = cib.document(rendering.of_cluster(cluster, instructions(cluster)))
    running = {guest.name: guest.runs_on for guest in cluster.guests if guest.runs_on}
    seen = of_document(written, running)
    assert seen.doubts == ()
    ours = planned(Scheduler(cluster), 1, search=False)
    theirs = planned(Scheduler(seen.cluster, seen.state), 1, search=False)
    assert theirs.tolerates == ours.tolerates
    assert [dict(o.placed) for o in theirs.failures] == [
        dict(o.placed) for o in ours.failures
    ]


def test_a_rendered_file_leaves_no_doubt() -> None:
    assert of_document(rendered(THREE), {}).doubts == ()
