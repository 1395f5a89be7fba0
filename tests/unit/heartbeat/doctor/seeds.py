"""The faults that the doctor has to find: for each check, ways to make a patient ill.

A row is what is done to a healthy cluster, and words that the finding then has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree
from unit.heartbeat.doctor.fencing_seeds import FENCING
from unit.heartbeat.doctor.patient import NODES, UUIDS, Patient
from unit.heartbeat.doctor.rule_seeds import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def large_guest(ill: Patient) -> None:
    path = ".//primitive[@id='db1']/utilization/nvpair[@name='hv_memory']"
    ill.one(path).set("value", "63000")


def gone(ill: Patient, node: str) -> None:
    state = ill.one(f"status/node_state[@uname='{node}']")
    state.set("in_ccm", "false")
    state.set("crmd", "offline")


def host_processors(ill: Patient) -> None:
    for node in NODES:
        ill.tell(node, "guests", "guests", "web1", "has_host_cpu", value=True)
        model = "EPYC" if node == "n1" else "Skylake-Server"
        ill.tell(node, "libvirt", "processor", value=model)


def old_agent(ill: Patient) -> None:
    ill.primitive("web1").set("provider", "heartbeat")
    ill.primitive("web1").set("type", "VirtualDomain")


def one_ring(ill: Patient) -> None:
    for node in NODES:
        ill.tell(node, "corosync", "links", value=1)


def shared_disks(ill: Patient) -> None:
    ill.tell(
        "n2", "guests", "guests", "web1", "shared_disks", value=["/srv/web1.qcow2"]
    )


def twice(ill: Patient) -> None:
    ill.facts["n1"]["libvirt"]["domains"].append(
        {"name": "web1", "uuid": UUIDS["web1"], "active": True, "running": True}
    )


def unnoticed(ill: Patient) -> None:
    here = ill.facts["n2"]["libvirt"]["domains"]
    (domain,) = [one for one in here if one["uuid"] == UUIDS["web1"]]
    here.remove(domain)
    ill.facts["n1"]["libvirt"]["domains"].append(domain)


def racing(ill: Patient) -> None:
    unit = {"active": "active", "enabled": "enabled", "after": []}
    ill.tell("n3", "units", "units", "libvirt-guests", value=unit)


def slow_migration(ill: Patient) -> None:
    ill.timeout("web1", "migrate_to", "10s")
    ill.parameter("web1", "migration_speed", "100")


def slow_token(ill: Patient) -> None:
    ill.tell("n2", "corosync", "token_ms", value=3650)
    ill.tell("n2", "corosync", "consensus_ms", value=4380)


def _node_attribute(ill: Patient, node: str, name: str, value: str) -> None:
    found = ill.one(f".//nodes/node[@uname='{node}']/instance_attributes")
    etree.SubElement(found, "nvpair", id=f"{node}-{name}", name=name, value=value)


def _on_fail(ill: Patient, guest: str, operation: str, value: str) -> None:
    path = f".//primitive[@id='{guest}']/operations/op[@name='{operation}']"
    ill.one(path).set("on-fail", value)


def switched_off_stop(ill: Patient) -> None:
    _on_fail(ill, "web1", "stop", "ignore")
    ill.one(".//primitive[@id='web1']/operations/op[@name='stop']").set("enabled", "no")


def old_ignored_stop(ill: Patient) -> None:
    old_agent(ill)
    _on_fail(ill, "web1", "stop", "ignore")


def template_that_ignores(ill: Patient) -> None:
    guest = ill.primitive("web1")
    words = ("class", "provider", "type")
    named = {word: str(guest.attrib.pop(word)) for word in words}
    template = etree.Element("template", {"id": "t", **named})
    guest.addprevious(template)
    template.append(ill.one(".//primitive[@id='web1']/operations"))
    ill.one(".//template/operations/op[@name='stop']").set("on-fail", "ignore")
    guest.set("template", "t")


def set_of_an_operation(ill: Patient) -> None:
    stop = ill.one(".//primitive[@id='db1']/operations/op[@name='stop']")
    meta = etree.SubElement(stop, "meta_attributes", id="s")
    etree.SubElement(meta, "nvpair", id="s1", name="on-fail", value="ignore")


def ignored_by_default(ill: Patient, *conditions: tuple[str, dict[str, str]]) -> None:
    """Let op_defaults ignore failures, by a rule where there are conditions."""
    defaults = etree.SubElement(ill.one("configuration"), "op_defaults")
    meta = etree.SubElement(defaults, "meta_attributes", id="od")
    if conditions:
        rule = etree.SubElement(meta, "rule", id="or", score="INFINITY")
        for number, (tag, words) in enumerate(conditions):
            etree.SubElement(rule, tag, {"id": f"e{number}", **words})
    etree.SubElement(meta, "nvpair", id="od1", name="on-fail", value="ignore")


def ignored_by_rule(ill: Patient) -> None:
    words = {"class": "ocf", "provider": "vmha", "type": "VirtualMachine"}
    ignored_by_default(
        ill, ("op_expression", {"name": "stop"}), ("rsc_expression", words)
    )


def _unmanaged(ill: Patient, guest: str) -> None:
    ill.drop(f".//primitive[@id='{guest}']//nvpair[@name='written-by']")
    ill.meta(guest, "is-managed", "false")


def _default(ill: Patient, name: str, value: str) -> None:
    whole = ill.one("configuration")
    defaults = etree.SubElement(whole, "rsc_defaults")
    meta = etree.SubElement(defaults, "meta_attributes", id="d")
    etree.SubElement(meta, "nvpair", id="d1", name=name, value=value)


SEEDS: Mapping[str, list[tuple[Callable[[Patient], object], str]]] = {
    **FENCING,
    "no-quorum-policy": [
        (lambda ill: ill.option("no-quorum-policy", "ignore"), "ignore")
    ],
    "node-down": [(lambda ill: gone(ill, "n3"), "not in the cluster")],
    "single-ring": [
        (one_ring, "one link"),
        (
            lambda ill: ill.tell(
                "n1", "corosync", "links_down", value=["link 1 to n2"]
            ),
            "its link 1 to n2 is down",
        ),
    ],
    "corosync-token": [
        (
            lambda ill: ill.tell("n1", "corosync", "latency_max_ms", value=900.0),
            "a dead node is noticed after 3.6 s",
        ),
        (
            lambda ill: ill.tell("n2", "corosync", "consensus_ms", value=1000),
            "memberships are formed twice",
        ),
        (
            slow_token,
            "after 8.0 s; what was measured allows a token of 1000 ms",
        ),
    ],
    "clock-difference": [
        (lambda ill: ill.offsets.update(n2=-7.5), "7.5 s behind"),
        (
            lambda ill: ill.tell("n1", "time", "synchronised", value=False),
            "follows no other",
        ),
    ],
    "option-unknown": [
        (lambda ill: ill.option("stonith-enable", "true"), "stonith-enable is set")
    ],
    "maintenance": [
        (lambda ill: ill.option("maintenance-mode", "true"), "maintenance-mode is on"),
        (lambda ill: _node_attribute(ill, "n1", "standby", "on"), "on standby"),
        (lambda ill: _unmanaged(ill, "web1"), "nothing restarts it"),
        (
            lambda ill: ill.meta("web1", "is-managed", "false"),
            "guest web1: it is not managed",
        ),
        (
            lambda ill: _default(ill, "is-managed", "false"),
            "the cluster: is-managed is false by default",
        ),
        (
            lambda ill: _default(ill, "maintenance", "true"),
            "maintenance is on by default",
        ),
        (
            lambda ill: ill.option("is-managed-default", "false"),
            "is-managed is false by default",
        ),
    ],
    "stop-all": [
        (
            lambda ill: ill.option("stop-all-resources", "true"),
            "stop-all-resources is true",
        ),
        (
            lambda ill: _default(ill, "target-role", "Stopped"),
            "target-role is Stopped by default",
        ),
    ],
    "failed-actions": [
        (lambda ill: ill.failure("web1", "n1", "start", "no such disk"), "no such disk")
    ],
    "libvirt-guests": [(racing, "does not wait")],
    "placement-strategy": [
        (lambda ill: ill.option("placement-strategy", "default"), "is default"),
        (lambda ill: ill.drop(".//nvpair[@name='placement-strategy']"), "is default"),
    ],
    "node-capacity": [
        (
            lambda ill: ill.drop(".//nodes/node[@uname='n2']/utilization"),
            "no cpu and no hv_memory",
        )
    ],
    "guest-utilization": [
        (
            lambda ill: ill.drop(
                ".//primitive[@id='web1']/utilization/nvpair[@name='hv_memory']"
            ),
            "needing none",
        )
    ],
    "failure-margin": [
        (large_guest, "web2 stays down"),
        (lambda ill: gone(ill, "n3"), "without n1: db1, web1, web2 stay down"),
    ],
    **RULES,
    "leftover-move": [
        (
            lambda ill: ill.constraint(
                "rsc_location",
                id="cli-prefer-web1",
                rsc="web1",
                role="Started",
                node="n1",
                score="INFINITY",
            ),
            "goes back to n1",
        )
    ],
    "file-warnings": [
        (lambda ill: ill.in_file(warnings=("rule 1 names db1",)), "rule 1 names db1")
    ],
    "running-twice": [(twice, "runs on n1 and on n2")],
    "running-unnoticed": [(unnoticed, "it runs on n1, where the cluster has it as")],
    "failure-ignored": [
        (switched_off_stop, "guest web1: its stop has on-fail=ignore"),
        (
            lambda ill: _on_fail(ill, "web1", "stop", "ignore"),
            "guest web1: its stop has on-fail=ignore: a failed stop counts as done",
        ),
        (old_ignored_stop, "guest web1: its stop has on-fail=ignore"),
        (template_that_ignores, "guest web1: its stop has on-fail=ignore"),
        (set_of_an_operation, "guest db1: its stop has on-fail=ignore"),
        (
            ignored_by_default,
            "the cluster: op_defaults set on-fail=ignore for the stop of db1, web1",
        ),
        (ignored_by_rule, "op_defaults set on-fail=ignore for the stop of db1, web1"),
        (
            lambda ill: _on_fail(ill, "web1", "monitor", "ignore"),
            "a failed monitor counts as done",
        ),
        (
            lambda ill: _on_fail(ill, "web1", "start", "block"),
            "a failed start blocks it",
        ),
    ],
    "autostart": [
        (
            lambda ill: ill.facts["n2"]["libvirt"]["domains"][0].update(autostart=True),
            "libvirt on n2 starts it",
        )
    ],
    "guest-definition": [
        (lambda ill: ill.lacks("n3", "web1", "definition", "no file"), "on n3: no file")
    ],
    "guest-storage": [
        (lambda ill: ill.lacks("n3", "web1", "disks", "/x is not there"), "on n3: /x"),
        (
            lambda ill: ill.lacks("n3", "web1", "pools", "pool p is not active"),
            "pool p",
        ),
    ],
    "guest-network": [
        (lambda ill: ill.lacks("n1", "db1", "networks", "network lan is not"), "lan")
    ],
    "guest-machine": [
        (lambda ill: ill.lacks("n1", "db1", "machine", "no pc-q35-8.2"), "q35"),
        (lambda ill: ill.lacks("n1", "db1", "cpu", "the processor lacks"), "lacks"),
        (host_processors, "the nodes have EPYC and Skylake-Server"),
    ],
    "xml-drift": [
        (
            lambda ill: ill.tell("n2", "guests", "guests", "web1", "hash", value="x"),
            "that of n1, n3 from that of n2",
        )
    ],
    "guest-timeouts": [
        (lambda ill: ill.timeout("web1", "stop", "20s"), "stop is given 20 s"),
        (slow_migration, "migrate_to is given 10 s; 4096 MiB"),
    ],
    "disk-locks": [(shared_disks, "web1 have shared disks")],
    "virtualdomain-leftovers": [
        (old_agent, "still a VirtualDomain"),
        (lambda ill: ill.parameter("web1", "snapshot", "/snap"), "parameter snapshot"),
    ],
}
