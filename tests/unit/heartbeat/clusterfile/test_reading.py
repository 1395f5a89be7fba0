"""A sound cluster file is read completely, quickly, and in whatever order it is."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import pytest
from unit.heartbeat.clusterfile.texts import BASE, NODES

from vmha.heartbeat.clusterfile import planned, reading, sizes
from vmha.heartbeat.clusterfile.content import (
    AvoidEntry,
    ClusterFile,
    Device,
    GuestEntry,
    NodeEntry,
    PinEntry,
    Policy,
    QDevice,
    SpreadEntry,
    TogetherEntry,
)
from vmha.heartbeat.clusterfile.errors import BadClusterFile
from vmha.heartbeat.planning.model import RACK

WHOLE = """\
cluster: {name: demo, token_ms: 1000}
quorum: {two_node: auto, qdevice: {host: 10.0.9.9}}
nodes:
  n2: {capacity: {cpu: 32, memory_mib: 65536}}
  n1:
    addresses: [10.0.0.1, 10.1.0.1]
    capacity: {cpu: 32, memory_mib: 65536}
    reserve: {memory_mib: 4096}
    cpu_ratio: 2.0
    rack: r1
    fencing:
      - - agent: fence_vmha_ipmi
          ip: 10.0.9.1
          username: admin
          password_file: /etc/vmha/bmc.secret
          options: {lanplus: on, ipport: 623}
      - - {agent: fence_sbd, options: {devices: /dev/disk/by-id/sbd}}
        - {agent: fence_x, cib_secret: true}
guests:
  web1:
    config: /srv/guests/web1.xml
    class: gold
    cpu: 2
    memory_mib: 4096
    runs_on: n1
    prefer: [n2, n1]
    ha: true
    after: [shared-fs-clone, db1]
    start: {order: 10, delay_s: 5}
    options: {migration_downtime: 300}
  db1: {domain: database, hypervisor: "qemu:///system", cpu: 4, memory_mib: 9, ha: no}
  app1: {class: gold, priority: 9, cpu: 1, memory_mib: 1}
classes: {silver: {priority: 2}, gold: {priority: 3}}
rules:
  - {together: [db1, web1, app1], hard: false}
  - {spread: [web1, app1], across: rack}
  - {pin: [web1, db1], to: ["rack:r1", n2]}
  - {avoid: [app1], nodes: [n2], hard: false}
policy: {tolerate: 2, preemption: none, migration_limit: 2, guest_overhead_mib: 100}
"""


def test_every_key_of_nodes_is_read() -> None:
    file = reading.parse(WHOLE, "vmha.yaml")
    bmc = {
        "ip": "10.0.9.1",
        "ipport": "623",
        "lanplus": "on",
        "password_file": "/etc/vmha/bmc.secret",
        "username": "admin",
    }
    levels = (
        (Device("fence_vmha_ipmi", bmc),),
        (
            Device("fence_sbd", {"devices": "/dev/disk/by-id/sbd"}),
            Device("fence_x", {}, cib_secret=True),
        ),
    )
    assert file.nodes == (
        NodeEntry(
            "n1",
            ("10.0.0.1", "10.1.0.1"),
            32,
            65536,
            0,
            4096,
            2.0,
            "r1",
            levels,
        ),
        NodeEntry("n2", (), 32, 65536),
    )


def test_every_key_of_guests_is_read() -> None:
    file = reading.parse(WHOLE, "vmha.yaml")
    assert file.guests == (
        GuestEntry("app1", 1, 1, guest_class="gold", priority=9),
        GuestEntry(
            "db1", 4, 9, domain="database", hypervisor="qemu:///system", ha=False
        ),
        GuestEntry(
            "web1",
            2,
            4096,
            config="/srv/guests/web1.xml",
            guest_class="gold",
            priority=3,
            runs_on="n1",
            prefer=("n2", "n1"),
            after=("db1", "shared-fs-clone"),
            start_order=10,
            start_delay_s=5,
            options={"migration_downtime": "300"},
        ),
    )


def test_every_other_key_is_read() -> None:
    file = reading.parse(WHOLE, "vmha.yaml")
    assert set(file.rules) == {
        TogetherEntry(("db1", "app1", "web1"), hard=False),
        SpreadEntry(("app1", "web1"), RACK),
        PinEntry(("db1", "web1"), ("n2", "rack:r1")),
        AvoidEntry(("app1",), ("n2",), hard=False),
    }
    assert (file.name, file.token_ms, file.classes) == (
        "demo",
        1000,
        {"gold": 3, "silver": 2},
    )
    assert file.policy == Policy(2, "none", 2, 100)
    assert (file.two_node, file.qdevice) == (False, QDevice("10.0.9.9"))


def test_what_is_left_out_has_its_default() -> None:
    file = reading.parse(BASE, "vmha.yaml")
    assert file.guests[0] == GuestEntry("a", 1, 512)
    assert file.nodes[0] == NodeEntry("n1", (), 8, 8192)
    assert (file.policy, file.qdevice, file.rules) == (Policy(), None, ())


@pytest.mark.parametrize(
    ("nodes", "quorum", "is_two_node"),
    [
        (1, "", False),
        (2, "", True),
        (3, "", False),
        (2, "quorum: {two_node: false}\n", False),
        (2, "quorum: {two_node: true}\n", True),
        (2, "quorum: {qdevice: {host: q}}\n", False),
    ],
)
def test_two_node_is_for_two_nodes_without_a_qdevice(
    nodes: int, quorum: str, is_two_node: bool
) -> None:
    text = "cluster: {name: a}\nnodes:\n" + "".join(
        f"  n{n}: {{capacity: {{cpu: 1, memory_mib: 1}}}}\n" for n in range(nodes)
    )
    assert reading.parse(text + quorum, "vmha.yaml").two_node is is_two_node


def test_sections_with_everything_commented_out_are_empty() -> None:
    text = NODES + "guests:\n  # a: {}\nclasses:\nrules:\npolicy:\nquorum:\n"
    assert reading.parse(text, "vmha.yaml").guests == ()


def test_merged_defaults_are_taken_and_a_guests_own_value_wins() -> None:
    guests = """\
guests:
  a: &small {cpu: 1, memory_mib: 512}
  b: {<<: *small, cpu: 2}
"""
    a, b = reading.parse(NODES + guests, "vmha.yaml").guests
    assert ((a.cpu, a.memory_mib), (b.cpu, b.memory_mib)) == ((1, 512), (2, 512))


def test_merges_of_merges_end_before_they_use_up_the_machine() -> None:
    lines = ["a0: &a0 {cpu: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 30)]
    began_s = time.process_time()
    with pytest.raises(BadClusterFile, match="aliases expanded"):
        reading.parse("\n".join(lines) + "\n", "vmha.yaml")
    assert time.process_time() - began_s < 15


def test_the_value_of_a_merge_is_told_as_it_stands_in_the_file() -> None:
    with pytest.raises(BadClusterFile, match=r"guests\.b\.cpu: -1 is not accepted"):
        reading.parse(NODES + "guests:\n  b: {<<: {cpu: -1}}\n", "vmha.yaml")


def test_the_order_of_entries_changes_nothing(seed: int) -> None:
    order = random.Random(seed)
    expected = reading.parse(WHOLE, "vmha.yaml")
    plain = _plain(WHOLE)
    for _ in range(50):
        # JSON is YAML, and keeps the order that it is given.
        text = json.dumps(_shuffled(plain, order))
        assert reading.parse(text, "vmha.yaml") == expected


def _plain(text: str) -> object:
    import yaml

    # Everything stays text: words like "on" would be changed by loading.
    return yaml.load(text, yaml.BaseLoader)  # noqa: S506


ORDERED = {"addresses", "prefer", "fencing", "together"}
NUMBERS = {"cpu", "memory_mib", "priority", "order", "delay_s", "tolerate", "token_ms"}
NUMBERS |= {"migration_limit", "guest_overhead_mib"}


def _shuffled(value: object, order: random.Random, key: str = "") -> object:
    if isinstance(value, dict):
        names = list(value)
        order.shuffle(names)
        return {name: _shuffled(value[name], order, name) for name in names}
    if isinstance(value, list):
        items = [_shuffled(item, order, key) for item in value]
        if key not in ORDERED:
            order.shuffle(items)
        return items
    if key in NUMBERS:
        return int(str(value))
    if key == "cpu_ratio":
        return float(str(value))
    return {"true": True, "no": False, "false": False}.get(str(value), value)


XML = """\
<domain type='kvm'>
  <name>a</name>
  <memory unit='{unit}'>{memory}</memory>
  <vcpu{current}>4</vcpu>
</domain>
"""


@pytest.mark.parametrize(
    ("unit", "memory", "current", "cpu", "memory_mib"),
    [
        ("KiB", 1048576, "", 4, 1024),
        ("KiB", 1048577, "", 4, 1025),
        ("GiB", 2, " current='2'", 2, 2048),
        ("MB", 1000, " placement='static'", 4, 954),
        ("b", 1, "", 4, 1),
    ],
)
def test_a_size_that_is_left_out_comes_from_the_xml(
    tmp_path: Path, unit: str, memory: int, current: str, cpu: int, memory_mib: int
) -> None:
    config = tmp_path / "a.xml"
    config.write_text(XML.format(unit=unit, memory=memory, current=current))
    text = f"{NODES}guests:\n  a: {{config: {config}}}\n"
    (guest,) = reading.parse(text, "vmha.yaml").guests
    assert (guest.cpu, guest.memory_mib) == (cpu, memory_mib)


def test_the_files_own_size_wins_over_the_xml(tmp_path: Path) -> None:
    config = tmp_path / "a.xml"
    config.write_text(XML.format(unit="GiB", memory=2, current=""))
    text = f"{NODES}guests:\n  a: {{config: {config}, cpu: 9}}\n"
    (guest,) = reading.parse(text, "vmha.yaml").guests
    assert (guest.cpu, guest.memory_mib) == (9, 2048)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<domain><name>a</name></domain>", "no <vcpu> and <memory>"),
        ("<domain>", "not well-formed"),
        ("<network/>", "holds <network>"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_an_xml_that_tells_no_size_is_an_error_that_says_why(
    tmp_path: Path, content: str | bytes, reason: str
) -> None:
    config = tmp_path / "a.xml"
    config.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadClusterFile) as caught:
        reading.parse(f"{NODES}guests:\n  a: {{config: {config}}}\n", "vmha.yaml")
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (5, "guests.a.cpu")
    assert reason in problem.message


def test_guests_xml_that_do_not_answer_are_waited_for_once_for_each_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A FIFO that nobody writes into is read as a file on a dead mount is."""
    monkeypatch.setattr(sizes, "ANSWERS_S", 0.3)
    guests = ""
    for name in "abcdefgh":
        folder = tmp_path / ("dead" if name < "g" else name)
        folder.mkdir(exist_ok=True)
        os.mkfifo(folder / name)
        guests += f"  {name}: {{config: {folder / name}}}\n"
    started = time.monotonic()
    with pytest.raises(BadClusterFile) as caught:
        reading.parse(f"{NODES}guests:\n{guests}", "vmha.yaml")
    assert time.monotonic() - started < 3
    told = [problem.message for problem in caught.value.problems]
    dead = tmp_path / "dead"
    assert f"{dead / 'a'} could not be read within 0.3 s" in told[0]
    for name, sentence in zip("bcdef", told[1:6]):
        said = f"{dead / name} was not read, as {dead / 'a'} beside it does not answer"
        assert said in sentence
    assert f"{tmp_path / 'g/g'} could not be read within" in told[6]


def test_after_several_silent_folders_no_other_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "ANSWERS_S", 0.2)
    configs = sizes.Configs()
    reasons = []
    for number in range(sizes.MOST_SILENT + 1):
        (tmp_path / str(number)).mkdir()
        os.mkfifo(tmp_path / f"{number}/x")
        with pytest.raises(sizes.NoSize) as caught:
            configs.size(str(tmp_path / f"{number}/x"))
        reasons.append(str(caught.value))
    assert all("within 0.2 s" in reason for reason in reasons[:-1])
    assert "as 4 folders do not answer" in reasons[-1]


def test_a_cluster_file_that_does_not_answer_is_given_up_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ANSWERS_S", 0.3)
    fifo = tmp_path / "vmha.yaml"
    os.mkfifo(fifo)
    with pytest.raises(BadClusterFile) as caught:
        reading.read(str(fifo))
    assert str(caught.value).startswith(f"{fifo}: could not be read within 0.3 s")


def test_what_another_program_writes_is_read_as_it_comes(tmp_path: Path) -> None:
    """A shell's <(...) is such a file: a pipe that this process has open."""
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)
    os.write(write_end, NODES.encode())
    os.close(write_end)
    try:
        assert reading.read(f"/dev/fd/{read_end}").nodes
    finally:
        os.close(read_end)


def large(guests: int) -> str:
    nodes = "".join(
        f"  n{n}: {{capacity: {{cpu: 64, memory_mib: 262144}}, cpu_ratio: 4.0}}\n"
        for n in range(32)
    )
    entries = "".join(
        f"  g{n}: {{domain: g{n}, class: gold, cpu: 1, memory_mib: 512, "
        f"runs_on: n{n % 32}, prefer: [n{n % 32}], start: {{order: 1, delay_s: 5}}}}\n"
        for n in range(guests)
    )
    rules = "".join(
        f"  - {{spread: [g{n}, g{n + 1}]}}\n" for n in range(0, guests - 1, 10)
    )
    return (
        f"cluster: {{name: large}}\nnodes:\n{nodes}guests:\n{entries}"
        f"classes: {{gold: {{priority: 3}}}}\nrules:\n{rules}"
    )


def test_ten_thousand_guests_are_read_in_seconds(figures: list[str]) -> None:
    text = large(10_000)
    started = time.process_time()  # others' load on the machine is not ours
    file: ClusterFile = reading.parse(text, "vmha.yaml")
    took_s = time.process_time() - started
    figures.append(f"cluster file of 10,000 guests: read in {took_s:.1f} s")
    assert len(file.guests) == 10_000
    assert took_s < 15
    assert len(planned.cluster_of(file).guests) == 10_000


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, reason in ((tmp_path, "directory"), (tmp_path / "no", "No such file")):
        with pytest.raises(BadClusterFile, match=reason):
            reading.read(str(path))
    broken = tmp_path / "vmha.yaml"
    broken.write_bytes(b"cluster: {name: a}\nnodes: \xff\n")
    with pytest.raises(BadClusterFile) as caught:
        reading.read(str(broken))
    assert caught.value.problems[0].line == 2
