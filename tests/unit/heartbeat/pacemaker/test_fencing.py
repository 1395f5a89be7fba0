"""Fence devices and levels as rendered from a cluster file."""

from __future__ import annotations

import pytest
from clusters.examples import THREE, TWO

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.pacemaker import fencing

ARBITER = "quorum: {qdevice: {host: 10.0.9.9}}\n"


def made(text: str) -> fencing.Fencing:
    return fencing.of(parse(text, "vmha.yaml"))


def test_a_node_has_its_own_device_and_shares_those_with_the_same_entry() -> None:
    names = [device.id for device in made(THREE).devices]
    own = [f"vmha-fence-n{number}" for number in (1, 2, 3)]
    assert names == [*own, "vmha-fence-sbd"]
    shared = made(THREE).devices[-1]
    assert shared.parameters["pcmk_host_list"] == "n1 n2 n3"


def test_every_node_with_devices_has_levels_in_their_order() -> None:
    levels = {(one.node, one.index): one.devices for one in made(THREE).levels}
    assert levels["n2", 1] == ("vmha-fence-n2",)
    assert levels["n2", 2] == ("vmha-fence-sbd",)
    assert len(levels) == 6


def test_devices_of_one_level_must_all_succeed() -> None:
    both = TWO.replace(
        "[[{agent: fence_vmha_ipmi, ip: 10.0.9.1, password_file: /etc/bmc}]]",
        "[[{agent: fence_vmha_ipmi, ip: 10.0.9.1, password_file: /etc/bmc}, "
        "{agent: fence_vmha_ipmi, ip: 10.0.9.3, password_file: /etc/bmc}]]",
    )
    level = made(both).levels[0]
    assert level.devices == ("vmha-fence-n1", "vmha-fence-n1-2")


def test_two_nodes_get_a_rule_for_their_race() -> None:
    pair = made(TWO)
    assert pair.properties == {"priority-fencing-delay": "15s"}
    delays = {d.id: d.parameters.get("pcmk_delay_base") for d in pair.devices}
    assert delays == {"vmha-fence-n1": "5s", "vmha-fence-n2": None}


@pytest.mark.parametrize("text", [THREE, ARBITER + TWO], ids=["three", "arbiter"])
def test_who_has_a_majority_needs_no_such_rule(text: str) -> None:
    other = made(text)
    assert other.properties == {}
    assert not any("pcmk_delay_base" in d.parameters for d in other.devices)


def test_an_administrators_own_delay_is_left_as_it_is() -> None:
    own = TWO.replace("ip: 10.0.9.2,", "ip: 10.0.9.2, options: {pcmk_delay_base: 9s},")
    delays = {d.id: d.parameters.get("pcmk_delay_base") for d in made(own).devices}
    assert delays == {"vmha-fence-n1": None, "vmha-fence-n2": "9s"}


def test_a_secret_of_the_cib_is_named_and_not_written() -> None:
    text = TWO.replace("password_file: /etc/bmc", "cib_secret: true")
    passwords = {device.parameters["password"] for device in made(text).devices}
    assert passwords == {"lrm://"}
