"""What of others' configurations is not reckoned with, and what is."""

from __future__ import annotations

from itertools import combinations

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
RUNNING = {"a": "n1", "b": "n2"}
MANY = [f"g{n}" for n in range(20)]
APART = '<rsc_colocation id="{0}-{1}" rsc="{1}" with-rsc="{0}" score="-50"/>'
PATTERN = '<rsc_location id="p" rsc-pattern="a{2}" node="n1" score="5"/>'
BY_RULE = (
    '<rsc_location id="l" rsc="a"><rule id="r" score="-INFINITY">'
    '<expression id="e" attribute="{}" operation="eq" value="x"/></rule></rsc_location>'
)


def _clone(name: str, value: str, inside: bool = False) -> str:
    pair = f'<nvpair id="d-p" name="{name}" value="{value}"/>'
    meta = f'<meta_attributes id="d-m">{pair}</meta_attributes>'
    if inside:
        return CLONE.replace("/></clone>", f">{meta}</primitive></clone>")
    return CLONE.replace('<clone id="d-clone">', f'<clone id="d-clone">{meta}')


def doubts(resources: str, constraints: str = "", option: str = "") -> tuple[str, ...]:
    """Return what is doubted of three nodes that vmha's strategy is set for."""
    return of_document(nodes(resources, constraints, option), RUNNING).doubts


def nodes(resources: str, constraints: str = "", option: str = "") -> etree._Element:
    """Return three nodes that nothing but what is given is to be doubted of."""
    whole = live(3, resources, constraints)
    where = whole.find("configuration/crm_config/cluster_property_set")
    assert where is not None
    options = {"placement-strategy": "utilization", "stonith-enabled": "false"}
    name, _, value = option.partition("=")
    for key, text in {**options, **({name: value} if name else {})}.items():
        etree.SubElement(where, "nvpair", id=f"o-{key}", name=key, value=text)
    for node in whole.iterfind("configuration/nodes/node"):
        sizes = etree.SubElement(node, "utilization", id=f"u{node.get('id')}")
        ident = f"c{node.get('id')}"
        etree.SubElement(sizes, "nvpair", id=ident, name="cpu", value="8")
    return whole


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
        (A, "", "stonith-enabled=true", "there is no fence device"),
        (A.replace('value="1"', 'value="1k"'), "", "", "cpu of a is '1k'"),
        (A.replace('value="1"', 'value="1 "'), "", "", "cpu of a is '1 '"),
        (A, BY_RULE.format("#cluster-name"), "", "does not know"),
        (A, BY_RULE.format("#site-name"), "", "does not know"),
        (A, BY_RULE.format("#is_dc"), "", "does not know"),
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
            "".join(GUEST.format(name, "") for name in MANY),
            "".join(APART.format(*pair) for pair in combinations(MANY, 2)),
            "",
            "make more chains than can be followed",
        ),
        (
            A + CLONE,
            '<rsc_colocation id="c" rsc="a" with-rsc="d-clone" score="INFINITY"/>',
            "",
            "no plain resource",
        ),
        (
            A + DUMMY,
            AFTER.format("d", ' kind="Optional"')
            + '<rsc_colocation id="c" rsc="d" with-rsc="a" score="-INFINITY"/>',
            "",
            "a waits for d, which may have to wait until a has left",
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


def _state(whole: etree._Element) -> etree._Element:
    return next(whole.iterfind("status/node_state[@uname='n2']"))


@pytest.mark.parametrize("operation", ["monitor", "start"])
@pytest.mark.parametrize("code", ["2", "3", "4", "5", "6"])
def test_a_hard_error_is_a_doubt_without_a_fail_count(
    operation: str, code: str
) -> None:
    whole = nodes(A + DUMMY, AFTER.format("d", ""))
    for at, name in enumerate(("a", "d")):
        history = etree.SubElement(_state(whole), "lrm", id=f"{at}")
        one = etree.SubElement(history, "lrm_resource", id=name)
        words = {"operation": operation, "rc-code": code}
        etree.SubElement(one, "lrm_rsc_op", {"id": f"{name}-op", **words})
    found = of_document(whole, RUNNING).doubts
    assert [f"{operation} of {name} failed on n2" for name in ("a", "d")] == [
        sentence.partition(" (")[0] for sentence in found
    ]


@pytest.mark.parametrize(
    ("operation", "code", "node", "is_doubt"),
    [
        ("start", "5", "n2", False),
        ("monitor", "5", "n2", False),
        ("start", "5", "n1", True),
        ("start", "6", "n2", True),  # after this one nowhere
        ("stop", "5", "n2", True),  # a stop that fails ends in fencing
    ],
)
def test_a_hard_error_where_the_guest_is_banned_anyway_is_no_doubt(
    operation: str, code: str, node: str, *, is_doubt: bool
) -> None:
    ban = f'<rsc_location id="l" rsc="a" node="{node}" score="-INFINITY"/>'
    whole = nodes(A, ban)
    history = etree.SubElement(_state(whole), "lrm", id="0")
    one = etree.SubElement(history, "lrm_resource", id="a")
    words = {"id": "a-op", "operation": operation, "rc-code": code, "interval": "0"}
    etree.SubElement(one, "lrm_rsc_op", words)
    found = of_document(whole, RUNNING).doubts
    assert any("failed on n2" in sentence for sentence in found) == is_doubt


def test_what_is_not_there_is_no_hard_error() -> None:
    whole = nodes(A)
    one = etree.SubElement(etree.SubElement(_state(whole), "lrm"), "lrm_resource")
    one.set("id", "a")
    etree.SubElement(one, "lrm_rsc_op", {"operation": "monitor", "rc-code": "7"})
    assert of_document(whole, RUNNING).doubts == ()


@pytest.mark.parametrize(
    ("clone", "is_doubt"),
    [
        (CLONE, False),
        (_clone("is-managed", "true"), False),
        (_clone("is-managed", "false"), True),
        (_clone("is-managed", "false", inside=True), True),
        (_clone("maintenance", "true"), True),
        (_clone("clone-min", "3"), True),
    ],
)
def test_a_clone_that_may_not_run_on_survivors_is_a_doubt(
    clone: str, *, is_doubt: bool
) -> None:
    whole = nodes(A + clone, AFTER.format("d-clone", ""))
    one = etree.SubElement(etree.SubElement(_state(whole), "lrm"), "lrm_resource")
    one.set("id", "d")
    words = {"operation": "start", "rc-code": "0", "call-id": "1"}
    etree.SubElement(one, "lrm_rsc_op", words)
    found = of_document(whole, RUNNING).doubts
    assert any("whether that runs" in sentence for sentence in found) == is_doubt


def test_a_capacity_without_a_number_is_a_doubt() -> None:
    whole = nodes(A)
    pair = next(whole.iterfind("configuration/nodes//nvpair[@name='cpu']"))
    pair.set("value", "INFINITY")
    (sentence,) = of_document(whole, RUNNING).doubts
    assert "cpu of n1 is 'INFINITY'" in sentence


def test_a_node_that_is_about_to_shut_down_is_a_doubt() -> None:
    whole = nodes(A)
    outer = etree.SubElement(_state(whole), "transient_attributes", id="2")
    inner = etree.SubElement(outer, "instance_attributes", id="t")
    pair = etree.SubElement(inner, "nvpair", id="s", name="shutdown", value="0")
    assert of_document(whole, RUNNING).doubts == ()
    pair.set("value", "1700000000")
    assert of_document(whole, RUNNING).doubts == ("n2 is about to shut down",)


@pytest.mark.parametrize(
    ("policy", "is_doubt"), [("stop", True), ("freeze", True), ("ignore", False)]
)
def test_no_quorum_now_is_a_doubt(policy: str, *, is_doubt: bool) -> None:
    whole = nodes(A, option=f"no-quorum-policy={policy}")
    whole.set("have-quorum", "0")
    found = of_document(whole, RUNNING).doubts
    assert any("no quorum now" in sentence for sentence in found) == is_doubt


@pytest.mark.parametrize(
    ("text", "is_managed"), [("f", False), ("perhaps", False), ("Yes", True)]
)
def test_what_is_no_word_for_true_is_not_managed(
    text: str, *, is_managed: bool
) -> None:
    pair = f'<nvpair id="i" name="is-managed" value="{text}"/>'
    found = of_document(nodes(GUEST.format("a", pair)), RUNNING)
    assert found.cluster.guests[0].ha == is_managed
    assert found.state.told is not None
    terms = found.state.told.guests[0]
    assert ("is-managed" not in terms.meta) == is_managed


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
