"""The files on a node's disk, as texts."""

from __future__ import annotations

import pytest
from lab import files, plan
from lab.errors import LabError, NoSuchNode
from lab.plan import Plan


def test_corosync_conf_names_every_node_and_opens_sections_at_line_ends() -> None:
    text = files.corosync_conf(Plan("demo", 3, "bookworm"))
    assert text.count("    node {\n") == 3
    assert "        ring0_addr: 10.66.0.3\n        name: node3\n" in text
    assert all(line.endswith("{") for line in text.splitlines() if "{" in line)
    assert text.count("{") == text.count("}")
    assert "    token: 1000\n" in text
    assert "two_node" not in text


def test_two_nodes_get_the_quorum_of_two() -> None:
    assert "    two_node: 1\n" in files.corosync_conf(Plan("demo", 2, "bookworm"))


def test_hosts_knows_the_nodes_and_their_bmcs() -> None:
    lines = files.hosts(Plan("demo", 2, "bookworm")).splitlines()
    assert "10.66.0.2 node2" in lines
    assert "10.66.0.102 node2-bmc" in lines


def test_every_device_of_the_lab_has_an_address_of_its_own() -> None:
    lab = Plan("demo", plan.MOST_NODES, "bookworm")
    addresses = [
        *(lab.address(name) for name in lab.names()),
        *(lab.bmc_address(name) for name in lab.names()),
        *(lab.second_bmc_address(name) for name in lab.names()),
        *(lab.outlet_address(rack, name) for rack in "ab" for name in lab.names()),
    ]
    assert len(set(addresses)) == 5 * plan.MOST_NODES
    assert all(int(address.rpartition(".")[2]) < 254 for address in addresses)


def test_bare_machines_have_the_addresses_of_the_guides_and_no_cluster() -> None:
    lab = Plan("demo", 3, "bookworm", bare=True)
    assert (lab.address("node3"), lab.bmc_address("node3")) == (
        "192.0.2.3",
        "192.0.2.13",
    )
    assert sorted(files.texts(lab, "node1")) == ["/etc/hostname", "/etc/machine-id"]
    with pytest.raises(LabError, match="1 to 9 nodes"):
        plan.check("demo", 10, bare=True)


def test_nodes_differ_in_what_must_differ() -> None:
    lab = Plan("demo", 2, "bookworm")
    one, two = files.texts(lab, "node1"), files.texts(lab, "node2")
    for path in ("/etc/machine-id", "/etc/hostname", "/etc/libvirt/libvirtd.conf"):
        assert one[path] != two[path]
    assert one["/etc/corosync/corosync.conf"] == two["/etc/corosync/corosync.conf"]


@pytest.mark.parametrize("name", ["", "Big", "a/b", "..", "-x", "x" * 40])
def test_a_name_that_could_leave_the_labs_directory_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="cannot be a lab's name"):
        plan.check(name, 3)


def test_an_unknown_node_is_answered_with_the_known_ones() -> None:
    with pytest.raises(NoSuchNode, match="has no node node9; it has node1, node2"):
        Plan("demo", 2, "bookworm").number("node9")
