"""The faults of fencing that the doctor has to find; ``seeds`` has the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unit.heartbeat.doctor.patient import NODES, Patient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

USER = "the BMC at 10.0.9.2 does not grant user 'ops' the privilege operator, only user"


def two_nodes_without_delay(ill: Patient) -> None:
    ill.__init__(("n1", "n2"))  # type: ignore[misc]
    ill.drop(".//nvpair[@name='priority-fencing-delay']")
    ill.drop(".//nvpair[@name='pcmk_delay_base']")


def nobody_asked_it(ill: Patient) -> None:
    ill.drop(".//lrm_resource[@id='vmha-fence-n2']")
    for node in NODES:
        ill.tell(
            node,
            *("fencing", "devices", "vmha-fence-n2"),
            value={"is": "unanswered", "said": "busy", "took_s": None},
        )


def shared_feed(ill: Patient) -> None:
    for node in ("n1", "n2"):
        element = ill.one(f".//nodes/node[@uname='{node}']")
        found = element.find("instance_attributes")
        assert found is not None
        for pair in found.findall("nvpair"):
            pair.set("value", "r1")


def level_without_device(ill: Patient) -> None:
    ill.one(".//fencing-level[@target='n2']").set("devices", "vmha-fence-n2,strip")


def _without_device(ill: Patient, node: str) -> None:
    ill.drop(f".//primitive[@id='vmha-fence-{node}']")
    for facts in ill.facts.values():
        facts["fencing"]["can_fence"][node] = []
        facts["fencing"]["devices"].pop(f"vmha-fence-{node}")


def _refused(ill: Patient, words: str) -> None:
    answer = {"is": "failed", "said": words, "took_s": 1.0}
    ill.tell("n3", "fencing", "devices", "vmha-fence-n2", value=answer)


def _mapped(ill: Patient, pairs: str) -> None:
    device = ill.one(".//primitive[@id='vmha-fence-n1']/instance_attributes")
    for pair in device.findall("nvpair[@name='pcmk_host_list']"):
        device.remove(pair)
    ill.parameter("vmha-fence-n1", "pcmk_host_map", pairs)


def stopped_device(ill: Patient) -> None:
    ill.meta("vmha-fence-n1", "target-role", "Stopped")


def banned_device(ill: Patient) -> None:
    ill.close("vmha-fence-n1", ("n2", "n3"))


def device_for_another(ill: Patient) -> None:
    ill.parameter("vmha-fence-n1", "pcmk_host_list", "n1.local")


def pattern_of_devices(ill: Patient) -> None:
    words = {"id": "p", "rsc_pattern": "-fence-n[12]$", "node": "N3"}
    ill.constraint("rsc_location", **words, score="-INFINITY")
    ill.close("vmha-fence-n2", ("n1",))


FENCING: Mapping[str, list[tuple[Callable[[Patient], object], str]]] = {
    "fencing-disabled": [
        (lambda ill: ill.option("stonith-enabled", "false"), "stonith-enabled is false")
    ],
    "fence-device-missing": [
        (lambda ill: _without_device(ill, "n2"), "no fence device names it"),
        (level_without_device, "its levels name strip, which is no device"),
    ],
    "fence-device-untested": [
        (nobody_asked_it, "no monitor of it has succeeded"),
        (
            lambda ill: ill.drop(".//primitive[@id='vmha-fence-n1']/operations"),
            "no recurring monitor",
        ),
    ],
    "fence-device-stopped": [
        (stopped_device, "target-role is Stopped: no node's fencer uses it against n1"),
    ],
    "fence-device-banned": [
        (
            lambda ill: ill.close("vmha-fence-n1"),
            "rules keep it away from every node",
        ),
        (banned_device, "rules leave it n1 only, which cannot fence itself"),
        (pattern_of_devices, "fence device vmha-fence-n2: rules leave it n2 only"),
        (
            lambda ill: ill.option("symmetric-cluster", "false"),
            "fence device vmha-fence-n3: rules keep it away from every node",
        ),
    ],
    "fence-level-refused": [
        (device_for_another, "vmha-fence-n1, which says that it fences n1.local"),
        (lambda ill: _mapped(ill, "n2:1;n3:2"), "which says that it fences n2, n3"),
    ],
    "fence-account": [
        (lambda ill: _refused(ill, USER), "only user"),
        (lambda ill: ill.parameter("vmha-fence-n2", "privlvl", "user"), "privlvl=user"),
    ],
    "fence-unreachable": [
        (lambda ill: _refused(ill, "the BMC does not answer"), "asked from n3")
    ],
    "fence-timeout": [
        (
            lambda ill: ill.parameter("vmha-fence-n1", "pcmk_off_timeout", "5s"),
            "off is",
        ),
        (
            lambda ill: ill.parameter("vmha-fence-n1", "power_timeout", "90"),
            "its own parameters",
        ),
        (
            lambda ill: ill.tell(
                "n2", "fencing", "devices", "vmha-fence-n1", "took_s", value=21.0
            ),
            "a monitor took 21.0 s from n2",
        ),
    ],
    "bmc-on-shared-power": [(shared_feed, "vmha-rack r1 feeds 2 nodes")],
    "two-node-race": [(two_nodes_without_delay, "each fences the other")],
}
