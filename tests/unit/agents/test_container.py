"""Containers in the process table: two processes, and whose they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmha.agents.vm.container import Container, Containers
from vmha.agents.vm.emulator import LXC, ProcessTable

UUID = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-2222-3333-4444-555555555555"
PARTITION, SLICE = "/machine", "/machine.slice"
CGROUP = f"{PARTITION}/lxc-51-c1.libvirt-lxc"
RECORD = f"""\
<domstatus state='running' reason='booted' pid='51'>
  <init pid='52'/>
  <domain type='lxc' id='51'><name>c1</name><uuid>{UUID}</uuid></domain>
</domstatus>
"""


class Node:
    """A /proc and a folder of libvirt's records, with only what the table reads."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.records = folder / "records"
        (self.proc / "self/ns").mkdir(parents=True)
        (self.proc / "self/ns/pid").symlink_to("pid:[1]")
        self.records.mkdir()

    def add(
        self,
        pid: int,
        space: str = "pid:[1]",
        numbers: str = "",
        parent: int = 1,
        argv: tuple[str, ...] = ("/init",),
        environ: str = "",
        cgroup: str = "/",
        state: str = "S (sleeping)",
    ) -> None:
        place = self.proc / str(pid)
        (place / "ns").mkdir(parents=True)
        (place / "ns/pid").symlink_to(space)
        (place / "cmdline").write_bytes(b"".join(a.encode() + b"\0" for a in argv))
        (place / "environ").write_bytes(environ.encode())
        (place / "cgroup").write_text(f"6:freezer:{cgroup}\n0::/\n")
        lines = ("Name:\tinit", f"State:\t{state}", f"PPid:\t{parent}", "Threads:\t1")
        (place / "status").write_text(
            "\n".join((*lines, f"NSpid:\t{numbers or pid}")) + "\n"
        )

    def controller(self, pid: int = 51, name: str = "c1") -> None:
        self.add(pid, argv=("/usr/lib/libvirt/libvirt_lxc", "--name", name))

    def first(
        self, pid: int = 52, parent: int = 51, uuid: str = UUID, **more: str
    ) -> None:
        told = f"LIBVIRT_LXC_UUID={uuid}\0LIBVIRT_LXC_NAME=c1\0" if uuid else "A=b\0"
        given = {"environ": told, "cgroup": CGROUP, **more}
        self.add(pid, "pid:[2]", f"{pid}\t1", parent, **given)  # type: ignore[arg-type]

    def living(self) -> list[tuple[str, str, int, int]]:
        containers = Containers(str(self.proc), str(self.records))
        inside, controllers = [], {}
        for place in self.proc.iterdir():
            if place.name == "self":
                continue
            pid = int(place.name)
            if containers.is_inside(pid):
                inside.append(pid)
            if b"libvirt_lxc" in (place / "cmdline").read_bytes():
                controllers[pid] = "c1"
        found: list[Container] = containers.living(controllers, inside)
        return [(c.name, c.uuid, c.controller, c.init) for c in found]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_libvirts_record_tells_whose_a_container_is(node: Node) -> None:
    node.controller()
    node.first(uuid=OTHER)
    (node.records / "c1.xml").write_text(RECORD)
    assert node.living() == [("c1", UUID, 51, 52)]


@pytest.mark.parametrize("record", ["", "<domstatus", RECORD.replace("51", "99")])
def test_without_a_record_of_these_processes_the_environment_tells(
    node: Node, record: str
) -> None:
    node.controller()
    node.first()
    (node.records / "c1.xml").write_text(record)
    assert node.living() == [("c1", UUID, 51, 52)]


def test_a_controller_without_any_word_of_its_guest_has_a_name_only(node: Node) -> None:
    node.controller()
    assert node.living() == [("c1", "", 51, 0)]


def test_a_container_without_its_controller_is_found(node: Node) -> None:
    node.first(parent=1)
    assert node.living() == [("c1", UUID, 0, 52)]


def test_a_container_that_hides_its_name_is_nobodys_and_not_absent(node: Node) -> None:
    node.first(parent=1, uuid="")
    assert node.living() == [("", "", 0, 52)]


def test_one_that_is_ending_without_word_or_cgroup_is_not_absent(node: Node) -> None:
    node.first(parent=1, environ="", cgroup="/")
    assert node.living() == [("", "", 0, 52)]


def test_a_dead_first_process_is_none(node: Node) -> None:
    node.first(parent=1, state="Z (zombie)")
    assert node.living() == []


def test_containers_of_other_systems_are_not_ours(node: Node) -> None:
    node.first(parent=1, environ="container=podman\0", cgroup=f"{SLICE}/x.scope")
    assert node.living() == []


def test_systemds_name_of_the_cgroup_is_known_too(node: Node) -> None:
    scope = f"{SLICE}/machine-lxc\\x2d51\\x2dc1.scope"
    node.first(parent=1, uuid="", cgroup=scope)
    assert node.living() == [("", "", 0, 52)]


def test_what_a_container_makes_for_itself_is_not_looked_at(node: Node) -> None:
    node.controller()
    node.first()
    node.add(60, "pid:[3]", "60\t8\t1", 53, environ="A=b\0", cgroup=CGROUP)
    node.add(53, "pid:[2]", "53\t2", 52, environ="A=b\0", cgroup=CGROUP)
    assert node.living() == [("c1", UUID, 51, 52)]


def test_the_table_shows_a_container_as_one_emulator(node: Node) -> None:
    node.controller()
    node.first()
    found = ProcessTable(str(node.proc)).emulators()
    assert found is not None
    told = [(e.driver, e.name, e.uuid, e.pid, e.init) for e in found]
    assert told == [(LXC, "c1", UUID, 51, 52)]
