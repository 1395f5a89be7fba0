"""What a node tells of itself: the parts that are read from texts of other programs."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

import pytest

from vmha.agents.domainxml import comparison, host
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Refused, Unreachable
from vmha.heartbeat.doctor import asking
from vmha.heartbeat.doctor.cib import Resource
from vmha.heartbeat.doctor.node import corosync, fencing, units
from vmha.heartbeat.doctor.node import host as own_host
from vmha.heartbeat.doctor.parallel import together

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """\
nodelist.node.0.ring0_addr (str) = 10.66.0.1
nodelist.node.0.ring1_addr (str) = 10.67.0.1
nodelist.node.1.ring0_addr (str) = 10.66.0.2
nodelist.node.1.ring1_addr (str) = 10.67.0.2
quorum.two_node (u8) = 1
runtime.config.totem.consensus (u32) = 1200
runtime.config.totem.token (u32) = 1000
nodelist.node.0.name (str) = n1
nodelist.node.0.nodeid (u32) = 1
nodelist.node.1.name (str) = n2
nodelist.node.1.nodeid (u32) = 2
runtime.votequorum.this_node_id (u32) = 1
"""
STATISTICS = """\
stats.knet.node1.link0.connected (u8) = 1
stats.knet.node1.link0.enabled (u8) = 1
stats.knet.node1.link0.latency_max (u32) = 0
stats.knet.node2.link0.connected (u8) = 1
stats.knet.node2.link0.enabled (u8) = 1
stats.knet.node2.link0.latency_ave (u32) = 300
stats.knet.node2.link0.latency_max (u32) = 12500
stats.knet.node2.link0.latency_samples (u32) = 412
stats.knet.node2.link1.connected (u8) = 0
stats.knet.node2.link1.enabled (u8) = 1
"""
UNITS = """\
Id=libvirt-guests.service
After=system.slice libvirtd.service
ActiveState=active
UnitFileState=enabled

Id=pacemaker.service
After=corosync.service libvirt-guests.service
ActiveState=inactive
UnitFileState=
"""
DOMAIN = """\
<domain type='kvm'><name>web1</name><memory unit='MiB'>{memory}</memory>
<devices><graphics type='vnc' {passwd} port='-1'/></devices></domain>
"""


def test_corosync_tells_its_timers_links_and_latencies_in_milliseconds() -> None:
    told = corosync.read(corosync.parse(SETTINGS), corosync.parse(STATISTICS))
    assert (told["token_ms"], told["consensus_ms"]) == (1000, 1200)
    assert (told["nodes"], told["links"], told["two_node"]) == (2, 2, True)
    assert told["links_down"] == ["link 1 to n2"]
    assert (told["latency_max_ms"], told["latency_ave_ms"]) == (12.5, 0.3)


def test_all_links_to_a_node_down_are_no_link_failure_but_a_node_down() -> None:
    dead = STATISTICS.replace("link0.connected (u8) = 1", "link0.connected (u8) = 0")
    told = corosync.read(corosync.parse(SETTINGS), corosync.parse(dead))
    assert told["links_down"] == []


def test_a_corosync_that_has_measured_nothing_tells_no_latency() -> None:
    told = corosync.read(corosync.parse(SETTINGS), {})
    assert told["latency_max_ms"] is None


def test_units_are_told_with_what_they_are_started_after() -> None:
    told = units.read(UNITS)
    assert told["libvirt-guests"]["active"] == "active"
    assert told["pacemaker"] == {
        "active": "inactive",
        "enabled": "",
        "after": ["corosync.service", "libvirt-guests.service"],
    }


def test_the_fastest_real_link_counts(tmp_path: Path) -> None:
    for name, speed, is_real in (
        ("eth0", "1000", True),
        ("eth1", "10000", True),
        ("down", "-1", True),
        ("br0", "99999", False),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "speed").write_text(f"{speed}\n")
        if is_real:
            (tmp_path / name / "device").mkdir()
    assert own_host.link_mbit_s(str(tmp_path)) == 10000


def test_a_digest_says_what_a_definition_means_and_nothing_of_its_password() -> None:
    one = DOMAIN.format(memory=512, passwd="passwd='geheim'")
    other = DOMAIN.format(memory=512, passwd="passwd='anders'").replace("><", ">\n <")
    without = DOMAIN.format(memory=512, passwd="")
    larger = DOMAIN.format(memory=513, passwd="")
    prints = [comparison.fingerprint(text) for text in (one, other, without, larger)]
    assert prints[0] == prints[1] == prints[2]
    assert prints[2] != prints[3]


def test_capabilities_tell_the_machines_of_the_own_architecture_only() -> None:
    text = (
        "<capabilities><host><cpu><arch>x86_64</arch><model>EPYC</model></cpu></host>"
        "<guest><arch name='x86_64'><machine>q35</machine><domain type='kvm'>"
        "<machine>pc</machine></domain></arch></guest>"
        "<guest><arch name='riscv64'><machine>virt</machine></arch></guest>"
        "</capabilities>"
    )
    assert host.machines(text) == ["pc", "q35"]
    assert (host.architecture(text), host.processor(text)) == ("x86_64", "EPYC")


@pytest.fixture
def agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(fencing, "FOLDERS", (str(tmp_path),))
    return tmp_path


def agent(folder: Path, script: str) -> None:
    path = folder / "fence_test"
    path.write_text(f"#!/bin/sh\n{script}\n")
    os.chmod(path, stat.S_IRWXU)


def device(**parameters: str) -> Resource:
    return Resource("f1", "stonith:fence_test", parameters, {}, {}, ())


def test_a_fence_agent_is_called_as_the_fencer_calls_it(agents: Path) -> None:
    agent(agents, f"cat > {agents}/given")
    given = {"ip": "10.0.0.9", "password": "geheim", "pcmk_host_list": "n1"}
    told = fencing.ask(device(**given), Deadline(5))
    assert told["is"] == "ok"
    lines = (agents / "given").read_text().splitlines()
    assert lines == ["ip=10.0.0.9", "password=geheim", "action=monitor"]


def test_what_an_agent_says_is_told_without_its_password(agents: Path) -> None:
    agent(agents, "echo 'login of ops with geheim failed' >&2; exit 1")
    told = fencing.ask(device(password="geheim"), Deadline(5))
    assert (told["is"], told["said"]) == ("failed", "login of ops with (hidden) failed")


def test_an_agent_that_is_no_fence_agent_is_not_run(agents: Path) -> None:
    agent(agents, "touch ran")
    odd = device()._replace(agent="stonith:../fence_test")
    assert fencing.ask(odd, Deadline(5))["is"] == "failed"
    assert not (agents / "ran").exists()


def test_an_agent_that_hangs_is_left_behind_in_time(agents: Path) -> None:
    agent(agents, "sleep 60")
    began = time.monotonic()
    with pytest.raises(Unreachable):
        fencing.ask(device(), Deadline(0.3))
    assert time.monotonic() - began < 3


def test_the_history_of_fencing_begins_with_the_newest() -> None:
    text = (
        "<pacemaker-result><fence_history>"
        "<fence_event target='n1' action='off' status='success' delegate='n2' "
        "completed='2026-01-01 10:00:00'/>"
        "<fence_event target='n3' action='reboot' status='failed' "
        "completed='2026-01-02 10:00:00'/></fence_history></pacemaker-result>"
    )
    assert [event["target"] for event in fencing.history(text)] == ["n3", "n1"]


def test_questions_that_hang_or_fail_take_nothing_from_the_others() -> None:
    def hangs() -> str:
        time.sleep(30)
        return "late"

    def fails() -> str:
        raise Refused("no")

    def breaks() -> str:
        raise KeyError("member")

    questions = {"a": hangs, "b": fails, "c": breaks, "d": lambda: "answer"}
    told = together(questions, Deadline(0.2))
    assert told["d"] == "answer"
    assert str(told["b"]) == "no"
    assert "KeyError" in str(told["c"])
    assert isinstance(told["a"], AgentError)
    assert "no answer within 0.2 s" in str(told["a"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON"),
        ("[]", "not of form 1"),
        ('{"form": 7, "node": "n1"}', "not of form 1"),
        ('{"form": 1}', "of which node"),
    ],
)
def test_an_answer_that_is_no_facts_is_refused_with_the_reason(
    text: str, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        asking.read(text)
