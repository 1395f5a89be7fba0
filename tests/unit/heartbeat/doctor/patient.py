"""A healthy cluster as the doctor sees it, and ways to make it ill.

The CIB is the one that vmha renders from a cluster file, with the status of a cluster
in which all runs; the facts have the form that ``vmha node-facts`` gives.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lxml import etree

from vmha.heartbeat.clusterfile.content import (
    ClusterFile,
    Device,
    GuestEntry,
    NodeEntry,
    SpreadEntry,
)
from vmha.heartbeat.doctor.catalogue import checks
from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.doctor.evidence import Evidence, Facts
from vmha.heartbeat.doctor.examination import Report, examine
from vmha.heartbeat.doctor.reading import Reading
from vmha.heartbeat.doctor.survival import plan_of
from vmha.heartbeat.pacemaker import cib as writing
from vmha.heartbeat.pacemaker.rendering import configuration
from vmha.heartbeat.pacemaker.state import with_state
from vmha.heartbeat.planning.instructions import instructions
from vmha.heartbeat.planning.model import Cluster, Guest, Node, Spread

NODES = ("n1", "n2", "n3")
UUIDS = {
    "db1": "11111111-1111-4111-8111-111111111111",
    "web1": "22222222-2222-4222-8222-222222222222",
    "web2": "33333333-3333-4333-8333-333333333333",
}
RUNS_ON = {"db1": "n1", "web1": "n2", "web2": "n3"}
OPTIONS = (
    *("cluster-name", "concurrent-fencing", "enable-acl", "maintenance-mode"),
    *("migration-limit", "no-quorum-policy", "node-health-base"),
    *("node-health-strategy", "placement-strategy", "priority-fencing-delay"),
    *("stonith-enabled", "stonith-timeout", "symmetric-cluster"),
)


class Patient:
    """The evidence in pieces that a test may change before it is examined.

    ``cib`` is an element tree, ``facts`` a JSON object for each node, ``offsets`` the
    clocks in seconds, ``silent`` the nodes that did not answer, with their reasons.
    """

    def __init__(self, nodes: tuple[str, ...] = NODES) -> None:
        self.file: ClusterFile | None = _file(nodes)
        self.cib = with_state(_rendered(_file(nodes)), RUNS_ON)
        self.facts = {node: facts_of(node, nodes) for node in nodes}
        self.offsets = dict.fromkeys(nodes, 0.01)
        self.silent: dict[str, str] = {}

    def evidence(self) -> Evidence:
        """Return what the checks get."""
        told = {
            node: Facts(node, Reading(raw), self.offsets[node], 0.1)
            for node, raw in self.facts.items()
            if node not in self.silent
        }
        cib = Cib(self.cib)
        plan = plan_of(cib, RUNS_ON, 1)
        return Evidence(self.file, cib, True, told, self.silent, True, plan)

    def report(self) -> Report:
        """Examine it with the whole catalogue."""
        return examine(self.evidence(), checks())

    def found(self) -> list[tuple[str, str, str]]:
        """Return check, subject and text of every finding."""
        return [
            (result.check.id, finding.subject, finding.text)
            for result in self.report().results
            for finding in result.findings
        ]

    # Ways to make it ill.

    def one(self, path: str) -> etree._Element:
        """Return the one element of the CIB at a path."""
        (found,) = self.cib.findall(path)
        return found

    def primitive(self, name: str) -> etree._Element:
        """Return a resource."""
        return self.one(f".//primitive[@id='{name}']")

    def drop(self, path: str) -> None:
        """Remove all elements at a path."""
        found = self.cib.findall(path)
        assert found, path
        for element in found:
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)

    def option(self, name: str, value: str) -> None:
        """Set a cluster option."""
        options = self.one("configuration/crm_config/cluster_property_set")
        for pair in options.findall(f"nvpair[@name='{name}']"):
            options.remove(pair)
        etree.SubElement(options, "nvpair", id=f"o-{name}", name=name, value=value)

    def parameter(self, resource: str, name: str, value: str) -> None:
        """Set a resource's parameter."""
        self._pair(resource, "instance_attributes", name, value)

    def meta(self, resource: str, name: str, value: str) -> None:
        """Set a resource's meta attribute."""
        self._pair(resource, "meta_attributes", name, value)

    def constraint(self, tag: str, **words: str) -> etree._Element:
        """Add a constraint."""
        whole = self.one("configuration/constraints")
        named = {name.replace("_", "-"): text for name, text in words.items()}
        return etree.SubElement(whole, tag, named)

    def close(self, resource: str, nodes: tuple[str, ...] = NODES) -> None:
        """Keep a resource from nodes, as a ban by hand does."""
        for node in nodes:
            words = {"rsc": resource, "node": node, "score": "-INFINITY"}
            self.constraint("rsc_location", id=f"not-{node}", **words)

    def timeout(self, resource: str, operation: str, text: str) -> None:
        """Set an operation's timeout."""
        path = f".//primitive[@id='{resource}']/operations/op[@name='{operation}']"
        self.one(path).set("timeout", text)

    def failure(self, resource: str, node: str, operation: str, reason: str) -> None:
        """Record a failed operation of a resource on a node."""
        path = f"status/node_state[@uname='{node}']//lrm_resource[@id='{resource}']"
        words = {
            "id": f"{resource}_last_failure_0",
            "operation": operation,
            "operation_key": f"{resource}_{operation}_0",
            "interval": "0" if operation != "monitor" else "60000",
            "rc-code": "1",
            "op-status": "4",
            "exit-reason": reason,
            "transition-magic": "4:1;5:3:0:00000000-0000-0000-0000-000000000000",
            "call-id": "99",
            "last-rc-change": "1795779000",
        }
        etree.SubElement(self.one(path), "lrm_rsc_op", words)

    def tell(self, node: str, *path: str, value: object) -> None:
        """Change one of a node's facts; the path's last word is the member's name."""
        place: Any = self.facts[node]
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    def lacks(self, node: str, guest: str, kind: str, text: str) -> None:
        """Let a node miss something that a guest needs."""
        self.facts[node]["guests"]["guests"][guest]["missing"][kind] = [text]

    def in_file(self, **changes: Any) -> None:
        """Change the cluster file, and nothing in the cluster."""
        assert self.file is not None
        self.file = replace(self.file, **changes)

    def _pair(self, resource: str, tag: str, name: str, value: str) -> None:
        primitive = self.primitive(resource)
        found = primitive.find(tag)
        if found is None:
            found = etree.Element(tag, id=f"{resource}-{tag}")
            primitive.insert(0, found)
        for pair in found.findall(f"nvpair[@name='{name}']"):
            found.remove(pair)
        words = {"id": f"{resource}-{tag}-{name}", "name": name, "value": value}
        etree.SubElement(found, "nvpair", words)


def facts_of(node: str, nodes: tuple[str, ...] = NODES) -> dict[str, Any]:
    """Return what a healthy node tells."""
    return {
        "form": 1,
        "vmha": "0.1.0",
        "node": node,
        "time": {"epoch_s": 1.7e9, "synchronised": True},
        "host": {"cpus": 16, "memory_mib": 65536, "link_mbit_s": 10000},
        "units": {
            "systemd": True,
            "units": {
                "libvirt-guests": {"active": "inactive", "enabled": "disabled"},
                "pacemaker": {"active": "active", "enabled": "enabled", "after": []},
            },
        },
        "corosync": _corosync(len(nodes)),
        "pacemaker": {"version": "2.1.5", "options": list(OPTIONS)},
        "libvirt": {"domains": _domains(node), "lock_manager": ""},
        "guests": {"guests": {name: _guest(name) for name in UUIDS}},
        "fencing": {
            "devices": {
                f"vmha-fence-{other}": {"is": "ok", "said": "", "took_s": 0.4}
                for other in nodes
            },
            "can_fence": {other: [f"vmha-fence-{other}"] for other in nodes},
            "history": [],
        },
        "unknown": {},
    }


def _corosync(nodes: int) -> dict[str, Any]:
    return {
        "token_ms": 1650,
        "consensus_ms": 1980,
        "nodes": nodes,
        "links": 2,
        "links_down": [],
        "latency_max_ms": 4.0,
        "latency_ave_ms": 0.3,
        "two_node": nodes == 2,
        "qdevice": False,
    }


def _domains(node: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "uuid": UUIDS[name],
            "active": True,
            "running": True,
            "autostart": False,
        }
        for name, place in RUNS_ON.items()
        if place == node
    ]


def _guest(name: str) -> dict[str, Any]:
    kinds = ("definition", "disks", "pools", "networks", "machine", "cpu")
    return {
        "uuid": UUIDS[name],
        "hash": f"hash-of-{name}",
        "missing": {kind: [] for kind in kinds},
        "unanswered": [],
        "shared_disks": [],
        "memory_mib": 4096,
        "machine": "pc-q35-7.2",
    }


def _file(nodes: tuple[str, ...]) -> ClusterFile:
    entries = [
        NodeEntry(
            name,
            (f"10.0.0.{number}", f"10.1.0.{number}"),
            cpu=16,
            memory_mib=65536,
            fencing=((Device("fence_vmha_ipmi", {"ip": f"10.0.9.{number}"}),),),
        )
        for number, name in enumerate(nodes, 1)
    ]
    guests = [
        GuestEntry(name, 2, 4096, config=f"/srv/guests/{name}.xml") for name in RUNS_ON
    ]
    spread = SpreadEntry(("web1", "web2"))
    is_two = len(nodes) == 2
    return ClusterFile(
        "vmha.yaml",
        "demo",
        tuple(entries),
        tuple(guests),
        rules=(spread,),
        two_node=is_two,
    )


def _rendered(file: ClusterFile) -> etree._Element:
    cluster = Cluster(
        tuple(Node(n.name, n.cpu, n.memory_mib, n.name) for n in file.nodes),
        tuple(Guest(g.name, g.cpu, g.memory_mib) for g in file.guests),
        (Spread(("web1", "web2")),),
        two_node=file.two_node,
    )
    return writing.document(configuration(file, cluster, instructions(cluster)))
