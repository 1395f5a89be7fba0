"""What is imported reads back without an error, whatever the cluster had."""

from __future__ import annotations

from typing import Any

import pytest
from clusters.handmade import device, document, element, guest, pairs, primitive
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from lxml import etree

from vmha.heartbeat.clusterfile import acceptable
from vmha.heartbeat.clusterfile.content import ClusterFile
from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.clusterfile.writing import text_of
from vmha.heartbeat.corosync import reading as corosync
from vmha.heartbeat.pacemaker import fencing
from vmha.heartbeat.pacemaker.imported_sizes import Sizes
from vmha.heartbeat.pacemaker.importing import Import, imported
from vmha.heartbeat.pacemaker.live import of_document

PHASES = [Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink]
PDU = {"ip": "10.0.9.9", "username": "u", "pcmk_host_map": "n1:1;n2:2;n3:3"}


def brought(cib: etree._Element, conf: str = "") -> tuple[Import, ClusterFile]:
    """Import a CIB and read what comes of it."""
    made = imported(cib, of_document(cib, {}), corosync.parse(conf))
    return made, parse(text_of(made.file), "vmha.yaml")


def test_a_pdu_for_all_nodes_gives_each_its_plug_and_is_rendered_as_it_was() -> None:
    made, file = brought(document(device("pdu", "fence_apc", **PDU)))
    assert made.left_out == ()
    plugs = {node.name: node.fencing[0][0].plug for node in file.nodes}
    assert plugs == {"n1": "1", "n2": "2", "n3": "3"}
    (one,) = fencing.of(file).devices
    assert one.parameters["pcmk_host_map"] == "n1:1;n2:2;n3:3"
    assert "pcmk_host_list" not in one.parameters


def test_a_map_is_read_as_pacemaker_reads_it() -> None:
    spelt = {**PDU, "pcmk_host_map": " N1=1,7 junk; n2:rack\\ 3\tn3:n3"}
    made, file = brought(document(device("pdu", "fence_apc", **spelt)))
    assert made.left_out == ()
    own = {node.name: node.fencing[0][0] for node in file.nodes}
    assert own["n1"].plug == "1,7"
    assert own["n3"].plug == ""
    assert own["n2"].plug == ""
    options = {"ip": "10.0.9.9", "username": "u"}
    options |= {"pcmk_host_argument": "none", "port": "rack 3"}
    assert own["n2"].options == options
    devices = fencing.of(file).devices
    assert [d.parameters.get("pcmk_host_map") for d in devices] == [
        "n1:1,7;n3:n3",
        None,
    ]
    assert devices[1].parameters["pcmk_host_list"] == "n2"


def test_two_plugs_of_a_node_in_one_device_stay_two_devices_of_one_level() -> None:
    level = element(
        "fencing-level", id="l", target="n1", index="1", devices="left,right"
    )
    both = {"ip": "10.0.9.9"}
    cib = document(
        device("left", "fence_apc", **both, pcmk_host_map="n1:1;n2:2"),
        device("right", "fence_apc", **both, pcmk_host_map="n1:9"),
        levels=(level,),
    )
    made, file = brought(cib)
    assert made.left_out == ()
    rendered = fencing.of(file)
    maps = [one.parameters["pcmk_host_map"] for one in rendered.devices]
    assert sorted(maps) == ["n1:1;n2:2", "n1:9"]
    assert [len(one.devices) for one in rendered.levels] == [2, 1]


def test_a_device_of_a_template_is_imported() -> None:
    template = element("template", id="t", **{"class": "stonith", "type": "fence_x"})
    template.append(pairs("instance_attributes", "t", {"ip": "10.0.9.1"}))
    made, file = brought(document(template, element("primitive", id="f", template="t")))
    (level,) = file.nodes[0].fencing
    assert level[0].agent == "fence_x"
    assert level[0].options == {"ip": "10.0.9.1"}
    assert any("resource f: it is made from a template" in t for t in made.left_out)


def test_a_priority_without_end_becomes_the_most_a_file_takes_and_is_told() -> None:
    made, file = brought(document(guest("a", priority="INFINITY")))
    assert file.guests[0].priority == 999_999
    assert any("its priority INFINITY is more" in line for line in made.left_out)


def test_a_guest_that_was_unmanaged_by_hand_keeps_its_priority_and_is_told() -> None:
    cib = document(
        guest("by-hand", priority="13", is_managed="false", written_by="vmha"),
        guest("by-file", priority="900000", is_managed="false", written_by="vmha"),
    )
    made, file = brought(cib)
    assert [(one.ha, one.priority) for one in file.guests] == [(False, 0), (False, 3)]
    said = "guest by-hand: it is not managed, which stands as ha: false"
    assert made.left_out == (said,)


@pytest.mark.parametrize("name", ["vmha-x", "n2"])
def test_a_guest_whose_name_a_file_refuses_is_left_out_and_told(name: str) -> None:
    apart = element("rsc_colocation", id="c", rsc="a", with_rsc=name, score="-INFINITY")
    cib = document(guest("a"), guest(name), constraints=(apart,))
    made, file = brought(cib)
    assert [one.name for one in file.guests] == ["a"]
    assert file.rules == ()
    told = "\n".join(made.left_out)
    assert f"guest {name} is left out" in told
    assert f"rule {{spread: [a, {name}]}} is left out" in told


def test_a_guest_of_unknown_memory_is_left_out_with_the_entry_to_fill_in() -> None:
    made, file = brought(document(guest("a"), guest("big", (2, 0))))
    assert [one.name for one in file.guests] == ["a"]
    entry = "big: {config: /srv/big.xml, cpu: 2, memory_mib: 0}"
    assert any(line.endswith(entry) for line in made.left_out)


def defined(name: str, **parameters: str) -> etree._Element:
    agent = "ocf:vmha:VirtualMachine"
    return primitive(name, agent, instance_attributes=parameters)


def test_libvirt_is_asked_for_the_size_of_a_guest_that_it_knows() -> None:
    """libvirt's own driver for tests has a domain "test" of 2 processors and 8 GiB."""
    uri = "test:///default"
    cib = document(
        defined("test", hypervisor=uri),
        defined("other", hypervisor=uri, domain="other"),
        defined("far", hypervisor="test:///no/such/file", domain="test"),
        defined("away", hypervisor="test:///no/such/file", domain="test"),
    )
    seen = of_document(cib, {})
    made = imported(cib, seen, corosync.Section(), sizes=Sizes(asks_libvirt=True))
    sizes = {one.name: (one.cpu, one.memory_mib) for one in made.file.guests}
    assert sizes == {"test": (2, 8192)}
    told = "\n".join(made.left_out)
    assert "guest other: its size is unknown (other is not known to libvirt" in told
    assert "guest far: its size is unknown (" in told
    assert imported(cib, seen, corosync.Section()).file.guests == ()


def test_a_command_that_may_hold_the_password_is_not_taken_over() -> None:
    told = device("f", "fence_ipmilan", ip="b", password_script="/bin/echo /hunter2")
    made, file = brought(document(told))
    assert "hunter2" not in text_of(file) + "".join(made.left_out)
    assert any("its password_script could hold a secret" in t for t in made.left_out)


def test_what_a_file_has_no_words_for_is_told_once_for_all_that_share_it() -> None:
    one, two = guest("a", migration_threshold="3"), guest("b", migration_threshold="3")
    operations = etree.SubElement(one, "operations")
    words = {"id": "o", "name": "stop", "interval": "0", "timeout": "900s"}
    operations.append(element("op", **words))
    made, _ = brought(document(one, two))
    assert "guest a, guest b: meta attribute migration-threshold=3" in made.left_out
    assert "guest a: operation stop has 900 s, and vmha would set 190 s" in (
        made.left_out
    )


def test_how_a_fence_device_is_watched_otherwise_is_told() -> None:
    strip = device("strip", "fence_apc", ip="10.0.9.9", pcmk_host_list="n1 n2 n3")
    operations = etree.SubElement(strip, "operations")
    words = {"id": "o", "name": "monitor", "interval": "1h", "timeout": "90s"}
    operations.append(element("op", **words))
    made, _ = brought(document(strip))
    assert made.left_out == (
        "device strip: a monitor every 3600 s; vmha would look every 60 s",
        "device strip: operation monitor has a timeout of 90s",
    )


def test_settings_of_corosync_that_would_get_lost_are_told_and_lms_is_kept() -> None:
    conf = (
        "totem {\ncluster_name: demo\ntransport: udpu\ntoken: 3000\n"
        "interface {\nlinknumber: 0\nknet_link_priority: 3\n}\n}\n"
        "quorum {\nprovider: corosync_votequorum\nauto_tie_breaker: 1\n"
        "device {\nmodel: net\nnet {\nhost: q\nalgorithm: lms\ntls: on\n}\n}\n}\n"
        "logging {\nto_syslog: no\n}\n"
    )
    made, file = brought(document(), conf)
    assert file.qdevice is not None
    assert (file.qdevice.host, file.qdevice.algorithm) == ("q", "lms")
    assert file.token_ms == 3000
    told = [line.partition(", which")[0] for line in made.left_out]
    assert told == [
        "corosync.conf: quorum.auto_tie_breaker is 1",
        "corosync.conf: totem.transport is udpu",
        "corosync.conf: totem.interface.knet_link_priority is 3",
        "corosync.conf: totem.interface.linknumber is 0",
    ]


def test_contradictory_constraints_are_left_out_until_the_rest_can_be_read() -> None:
    words = {"rsc": "a", "with_rsc": "b"}
    made, file = brought(
        document(
            guest("a"),
            guest("b"),
            constraints=(
                element("rsc_colocation", id="x", score="INFINITY", **words),
                element("rsc_colocation", id="y", score="-INFINITY", **words),
                *(
                    element("rsc_location", id=n, rsc="b", node=n, score="-INFINITY")
                    for n in ("n1", "n2", "n3")
                ),
            ),
        )
    )
    assert len(file.rules) < 3
    assert sum("is left out" in line for line in made.left_out) >= 2


def test_without_a_node_no_file_can_be_made() -> None:
    with pytest.raises(acceptable.Unacceptable, match="nodes"):
        brought(document(guest("a"), nodes=()))


# Names and values as clusters have them, and as nobody should.
NAMES = ["a", "b", "web1", "vmha-x", "n1", "on", "1", "g.h", "g.h.i", "_", "no"]
NODES = ["n1", "n2", "on", "1", "a.b", "-x", "N1", "a b", "n1.x"]
VALUES = [
    *("", " ", "1", "true", "INFINITY", "-INFINITY", "+INFINITY", "99999999999999999"),
    *("-5", "x y", "a: b", "#", "\n", "\x7f", "\u2028", "é", "10s", "lrm://", "~"),
    *("qemu+ssh://u:hunter2@h/system", "/srv/a.xml", "a.xml", "n1:1;n2:2", "n1=a\\ b"),
]
PARAMETERS = [
    *(
        "config",
        "domain",
        "hypervisor",
        "snapshot",
        "migration_transport",
        "force_stop",
    ),
    *("password", "passwd", "password_file", "password_script", "plug", "port", "ip"),
    *("pcmk_host_map", "pcmk_host_list", "pcmk_host_check", "hosts", "agent", "a.b"),
    *("username", "options", "snmp_priv_passwd", "cib_secret", "monitor_scripts"),
]
METAS = [
    "priority",
    "is-managed",
    "target-role",
    "vmha-size",
    "vmha-turn",
    "vmha-after",
]
METAS += ["vmha-delay", "written-by", "resource-stickiness"]
NEEDS = ["cpu", "hv_memory", "host_memory", "memory", "disk"]
AGENTS = [
    *(
        "ocf:heartbeat:VirtualDomain",
        "ocf:vmha:VirtualMachine",
        "ocf:heartbeat:IPaddr2",
    ),
    *("stonith:fence_ipmilan", "stonith:fence_vmha_ipmi", "stonith:external/ipmi"),
]


def values(names: list[str]) -> st.SearchStrategy[dict[str, str]]:
    texts = st.sampled_from([v for v in VALUES if v.isprintable() or v in "\n\x7f"])
    return st.dictionaries(st.sampled_from(names), texts, max_size=4)


@st.composite
def resources(draw: st.DrawFn, ident: str) -> etree._Element:
    sets = {
        "meta_attributes": draw(values(METAS)),
        "instance_attributes": draw(values(PARAMETERS)),
        "utilization": draw(values(NEEDS)),
    }
    return primitive(ident, draw(st.sampled_from(AGENTS)), **sets)


@st.composite
def constraints(draw: st.DrawFn, number: int, known: list[str]) -> etree._Element:
    tag = draw(st.sampled_from(["rsc_location", "rsc_colocation", "rsc_order"]))
    words: dict[str, Any] = {"id": f"c{number}"}
    names = st.sampled_from(known)
    if tag == "rsc_order":
        words |= {"first": draw(names), "then": draw(names)}
    elif tag == "rsc_colocation":
        words |= {"rsc": draw(names), "with-rsc": draw(names)}
    else:
        words |= {"rsc": draw(names), "node": draw(st.sampled_from(NODES))}
    if tag != "rsc_order":
        words["score"] = draw(st.sampled_from(["INFINITY", "-INFINITY", "50", "-7"]))
    return element(tag, **words)


@st.composite
def levels(draw: st.DrawFn, number: int, known: list[str]) -> etree._Element:
    devices = draw(st.lists(st.sampled_from(known), min_size=1, max_size=2))
    return element(
        "fencing-level",
        id=f"l{number}",
        target=draw(st.sampled_from(NODES)),
        index=draw(st.sampled_from(["1", "2", "x"])),
        devices=",".join(devices),
    )


@st.composite
def cibs(draw: st.DrawFn) -> etree._Element:
    nodes = sorted(draw(st.sets(st.sampled_from(NODES[:5]), min_size=1)))
    nodes += sorted(draw(st.sets(st.sampled_from(NODES[5:]), max_size=2)))
    names = sorted(draw(st.sets(st.sampled_from(NAMES), min_size=1)))
    count = draw(st.integers(0, 6))
    cib = document(
        *(draw(resources(name)) for name in names),
        nodes=tuple(nodes),
        constraints=tuple(draw(constraints(n, names)) for n in range(count)),
        levels=tuple(draw(levels(n, names)) for n in range(draw(st.integers(0, 3)))),
    )
    racks = st.none() | st.sampled_from([*nodes, "r1", " r", "on", "7"])
    for node in cib.iterfind("configuration/nodes/node"):
        rack = draw(racks)
        if rack is not None:
            node.append(
                pairs("instance_attributes", str(node.get("id")), {"rack": rack})
            )
        if draw(st.booleans()):
            node.remove(node[0])
    return cib


CONF = st.sampled_from(
    [
        "",
        "totem {\ncluster_name: on\ntoken: 5\n}\nquorum {\ntwo_node: 1\n}\n",
        "totem {\ncluster_name: a b\ntoken: 9000\n}\n"
        "quorum {\ndevice {\nnet {\nhost: q q\n}\n}\n}\n"
        "nodelist {\nnode {\nname: n1\nring0_addr: a b\n}\n}\n",
    ]
)


def test_a_password_in_any_place_is_left_out() -> None:
    uri = "qemu+ssh://u:hunter2@h/system"
    made, file = brought(document(guest("a", vmha_after=uri, vmha_turn="1")))
    assert file.guests[0].after == ()
    assert "hunter2" not in text_of(file) + "".join(made.left_out)


@given(cibs(), CONF)
@settings(max_examples=300, deadline=None, phases=PHASES)
def test_any_cluster_is_imported_into_a_file_that_reads_back(
    cib: etree._Element, conf: str
) -> None:
    try:
        made, file = brought(cib, conf)
    except acceptable.Unacceptable:  # not one node has a name that a file can have
        names = {str(n.get("uname")) for n in cib.iter("node")}
        assert not names & set(NODES[:5])
        return
    assert "hunter2" not in text_of(file)
    told = "\n".join(made.left_out)
    kept = {one.name for one in file.guests}
    for one in cib.iter("primitive"):
        if one.get("type") in ("VirtualDomain", "VirtualMachine"):
            assert one.get("id") in kept or f"guest {one.get('id')}" in told
