"""A configuration worked into a live CIB: what changes, what stays, what is asked."""

from __future__ import annotations

import pytest
from clusters.examples import THREE, configuration, live
from lxml import etree

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.pacemaker.difference import changes, meaning
from vmha.heartbeat.pacemaker.target import Target, target
from vmha.heartbeat.pacemaker.times import seconds

WANTED = configuration(parse(THREE, "vmha.yaml"))


def applied(cib: etree._Element | None = None) -> etree._Element:
    made = target(live() if cib is None else cib, WANTED)
    assert made.conflicts == ()
    return made.cib


def with_option(name: str, value: str) -> etree._Element:
    cib = live()
    sets = cib.find(".//cluster_property_set")
    assert sets is not None
    words = {"id": f"by-hand-{name}", "name": name, "value": value}
    etree.SubElement(sets, "nvpair", words)
    return cib


def put(cib: etree._Element, path: str, tag: str, **words: str) -> None:
    parent = cib.find(path)
    assert parent is not None
    made = etree.SubElement(parent, tag)
    for name, value in words.items():
        made.set(name, value)


def test_what_was_applied_is_not_changed_again() -> None:
    once = applied()
    assert changes(once, applied(once)) == ()
    assert etree.tostring(applied(once)) == etree.tostring(once)


def test_guests_are_inserted_in_sorted_order_among_vmhas() -> None:
    fewer = THREE.replace(
        "  own: {domain: own, cpu: 1, memory_mib: 512, ha: false, runs_on: n3}\n", ""
    )
    first = target(live(), configuration(parse(fewer, "vmha.yaml"))).cib
    ids = [one.get("id") for one in applied(first).iterfind(".//primitive")]
    assert ids == sorted(str(ident) for ident in ids)
    assert "own" in ids


@pytest.mark.parametrize("name", ["stonith-enabled", "fencing-enabled"])
def test_an_option_of_another_is_taken_over_only_when_told(name: str) -> None:
    """Under whichever spelling it stands there; no second one appears beside it."""
    cib = with_option(name, "false")
    refused = target(cib, WANTED)
    assert [c.option for c in refused.conflicts] == ["--adopt"]
    assert meaning(refused.cib)["option stonith-enabled"] == {"value": "false"}
    adopted = target(cib, WANTED, adopt=True)
    assert adopted.conflicts == ()
    assert meaning(adopted.cib)["option stonith-enabled"] == {"value": "true"}
    names = [p.get("name") for p in adopted.cib.iterfind("configuration/crm_config//")]
    assert not {"stonith-enabled", "fencing-enabled"} <= set(names)


@pytest.mark.parametrize("value", ["true", "yes", "on", "1"])
def test_an_option_that_means_the_same_is_left(value: str) -> None:
    made = target(with_option("stonith-enabled", value), WANTED)
    assert made.conflicts == ()
    assert made.cib.find(".//nvpair[@name='stonith-enabled']").get("value") == value  # type: ignore[union-attr]


def test_an_option_that_vmha_wrote_goes_when_the_file_drops_it() -> None:
    dropped = THREE.replace("policy: {migration_limit: 2}\n", "")
    made = target(applied(), configuration(parse(dropped, "vmha.yaml")))
    assert "option migration-limit" not in meaning(made.cib)
    assert made.conflicts == ()


def test_an_option_of_another_stays_when_the_file_says_nothing_of_it() -> None:
    made = applied(with_option("cluster-delay", "90s"))
    assert meaning(made)["option cluster-delay"] == {"value": "90s"}


def test_what_an_administrator_added_to_a_guest_stays_and_is_told() -> None:
    cib = applied()
    path = ".//primitive[@id='web1']/meta_attributes"
    put(cib, path, "nvpair", id="by-hand", name="target-role", value="Stopped")
    made = target(cib, WANTED)
    assert made.cib.find(".//nvpair[@id='by-hand']") is not None
    assert "resource web1: meta_attributes target-role is not vmha's" in made.kept


def test_a_value_that_was_changed_behind_the_file_is_set_back() -> None:
    cib = applied()
    pair = cib.find(".//primitive[@id='web1']/utilization/nvpair[@name='hv_memory']")
    assert pair is not None
    pair.set("value", "1")
    found = changes(cib, target(cib, WANTED).cib)
    assert [one.subject for one in found] == ["resource web1"]
    assert found[0].details == ("utilization hv_memory 1 -> 1024",)


def test_a_node_of_the_file_that_is_no_member_stands_in_the_way() -> None:
    made = target(live(2), WANTED)
    assert "node n3 is in the file, but no member" in made.conflicts[0].sentence
    assert made.conflicts[0].option == ""


def test_what_a_guest_waits_for_must_exist() -> None:
    text = THREE.replace("after: [app1]", "after: [nfs-clone]")
    made = target(live(), configuration(parse(text, "vmha.yaml")))
    assert "nfs-clone, which the cluster does not have" in made.conflicts[0].sentence
    clone = (
        '<clone id="nfs-clone"><primitive id="nfs" class="ocf" provider="heartbeat" '
        'type="Filesystem"/></clone>'
    )
    made = target(live(3, clone), configuration(parse(text, "vmha.yaml")))
    assert made.conflicts == ()


def test_a_guest_that_a_strange_constraint_names_cannot_be_removed() -> None:
    cib = applied()
    words = {"id": "mine", "rsc": "web3", "node": "n1", "score": "5"}
    put(cib, "configuration/constraints", "rsc_location", **words)
    line = next(x for x in THREE.splitlines(True) if x.startswith("  web3:"))
    rest = THREE.replace(line, "").replace(
        "  - {avoid: [web3], nodes: [n1], hard: false}\n", ""
    )
    wanted = configuration(parse(rest, "vmha.yaml"))
    made = target(cib, wanted, remove=True)
    assert "constraint mine names it" in made.conflicts[0].sentence
    assert made.cib.find(".//primitive[@id='web3']") is not None


def test_another_level_for_the_same_node_stands_in_the_way() -> None:
    cib = live()
    topology = etree.Element("fencing-topology")
    words = {"id": "fl", "target": "n1", "index": "1", "devices": "mine"}
    etree.SubElement(topology, "fencing-level", words)
    cib.find("configuration").append(topology)  # type: ignore[union-attr]
    refused = target(cib, WANTED)
    assert [c.option for c in refused.conflicts] == ["--adopt"]
    taken = meaning(target(cib, WANTED, adopt=True).cib)
    assert taken["fencing level n1 1"] == {"devices": "vmha-fence-n1"}


def test_a_strange_resource_with_a_guests_name_is_never_adopted() -> None:
    ip = '<primitive id="web1" class="ocf" provider="heartbeat" type="IPaddr2"/>'
    made: Target = target(live(3, ip), WANTED, adopt=True)
    assert "of another agent: IPaddr2" in made.conflicts[0].sentence


@pytest.mark.parametrize(
    ("text", "length"),
    [("120", 120), ("120s", 120), ("2min", 120), ("500ms", 0.5), ("1h", 3600)],
)
def test_times_are_read_as_pacemaker_writes_them(text: str, length: float) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", None, "soon", "INFINITY", "-5s"])
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert seconds(text) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("password", "hunter2"),
        ("snmp_auth_passwd", "hunter2"),
        ("secret_key", "hunter2"),
        ("password_script", "echo hunter2"),
    ],
)
def test_a_difference_shows_no_secret_of_a_device(name: str, value: str) -> None:
    device = f"""<primitive id="f" class="stonith" type="fence_x">
        <instance_attributes id="f-i"><nvpair id="f-p" name="{name}" value="{value}"/>
        </instance_attributes></primitive>"""
    found = changes(live(3, device), live(3)) + changes(live(3), live(3, device))
    other = live(3, device.replace(value, "other"))
    found += changes(live(3, device), other)
    assert "hunter2" not in str(found)
    assert f"parameter {name} (another secret)" in str(found)
