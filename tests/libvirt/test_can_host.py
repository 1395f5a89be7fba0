"""NodeCapacity's "can host", on a real libvirt: what a start would need is looked for.

The cluster is a file: Pacemaker's tools read it, and a stand-in for attrd_updater
writes the node's attributes into it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable
from xml.etree import ElementTree

import pytest
from hosts import guests
from hosts.host import PATH, Host
from hosts.operation import Resource
from hosts.pool import Pool
from hosts.waiting import until
from lab.guest import Guest

STAND_IN = Path(guests.__file__).with_name("attrd_updater")
TOOL = "/usr/sbin/attrd_updater"
NOTES = "/run/vmha/capacity/capacity"
VM = 'class="ocf" provider="vmha" type="VirtualMachine"'
CIB = """\
<cib validate-with="pacemaker-3.7" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config/><nodes><node id="1" uname="n1"/></nodes>
<resources>{resources}</resources><constraints>{constraints}</constraints>
</configuration><status><node_state id="1" uname="n1"><transient_attributes id="1">
<instance_attributes id="s"/></transient_attributes></node_state></status></cib>
"""


class Node:
    """Node n1 of a cluster with one guest, and what its agent says of it."""

    def __init__(self, host: Host, agent: Path, cib: Path) -> None:
        self._host = host
        self._agent = agent.with_name("NodeCapacity")
        self._cib = cib
        self.guest = ""

    def configure(
        self, guest: str, constraints: str = "", extra: str = "", **parameters: str
    ) -> None:
        """Make this guest, with these parameters, the cluster's only one."""
        self.guest = guest
        pairs = "".join(
            f'<nvpair id="{name}" name="{name}" value="{value}"/>'
            for name, value in parameters.items()
        )
        sets = f'<instance_attributes id="i">{pairs}</instance_attributes>'
        primitive = f'<primitive id="{guest}" {VM}>{sets}</primitive>'
        text = CIB.format(resources=primitive + extra, constraints=constraints)
        self._cib.write_text(text)

    def look(self, can_host: str = "all") -> int:
        """Let the agent look once; its answer."""
        known = self._host.path(NOTES).exists()
        environ = {
            "OCF_RESOURCE_INSTANCE": "capacity",
            "OCF_RESKEY_CRM_meta_on_node": "n1",
            "OCF_RESKEY_CRM_meta_timeout": "20000",
            "OCF_RESKEY_CRM_meta_interval": "60000",
            "OCF_RESKEY_can_host": can_host,
            "HA_LOGFACILITY": "none",
            "CIB_file": str(self._cib),
            "PATH": PATH,
        }
        argv = [str(self._agent), "monitor" if known else "start"]
        done = self._host.run(*argv, check=False, environ=environ)
        assert done.returncode in (0, 190), done.stderr
        return done.returncode

    def said(self, kind: str = "can-host") -> str | None:
        """Return the guest's attribute, None where there is none."""
        root = ElementTree.parse(self._cib).getroot()  # noqa: S314
        wanted = f".//status//nvpair[@name='vmha-{kind}-{self.guest}']"
        pair = root.find(wanted)
        return None if pair is None else pair.get("value")

    def says(self) -> str | None:
        """Look, and return the attribute."""
        self.look()
        return self.said()


@pytest.fixture
def node(alpha: Host, agent: Path, tmp_path: Path, pool: Pool) -> Iterator[Node]:
    # A guest without a record may be any: with a file gone, nothing could be told.
    pool.drain()
    until(20, lambda: not _ended(alpha), "guests of earlier tests cannot be ended")
    until(20, alpha.has_forgotten_the_dead, "libvirt lists guests that have ended")
    if alpha.run("grep", "-q", TOOL, "/proc/mounts", check=False).returncode:
        alpha.run("mount", "--bind", str(STAND_IN), TOOL)
    yield Node(alpha, agent, tmp_path / "cib.xml")
    alpha.path(NOTES).unlink(missing_ok=True)


def _ended(host: Host) -> list[int]:
    """End whatever executes a guest here; what was still there."""
    found = [pid for pid, argv in host.processes() if _executes(argv)]
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return found


def _executes(argv: list[str]) -> bool:
    is_qemu = any(word.startswith("guest=") for word in argv)
    return is_qemu or argv[0].endswith("libvirt_lxc")


def rewritten(host: Host, guest: Guest, old: str, new: str) -> str:
    """Change a guest's definition; its path."""
    assert old in guest.xml()
    return guests.put_config(host, guest, guest.xml().replace(old, new))


def test_a_guest_that_could_start_here_can_be_hosted(
    node: Node, alpha: Host, fresh: Callable[..., Guest]
) -> None:
    guest = fresh()
    path = guests.config_path(guest)
    node.configure(guest.name, config=path)
    assert node.says() == "1"
    alpha.path(path).unlink()
    assert node.says() == "0"
    assert f"config {path} cannot be read" in (node.said("why-not") or "")
    guests.put_config(alpha, guest)
    assert node.says() == "1"
    assert node.said("why-not") is None
    alpha.path(path).unlink()
    node.look()
    node.look(can_host="")
    assert (node.said(), node.said("why-not")) == (None, None)


DISK = "<disk type='file' device='disk'><source file='/run/guests/no.img'/>"
NIC = "<interface type='network'><source network='nonesuch'/></interface>"
MISSING = {
    "disk": ("<serial ", DISK + "<target dev='vda'/></disk><serial ", "/run/guests/no"),
    "network": ("<serial ", NIC + "<serial ", "network nonesuch is not defined"),
    "pool": (
        "<serial ",
        "<disk type='volume'><source pool='nopool' volume='v'/><target dev='vda'/>"
        "</disk><serial ",
        "storage pool nopool is not defined",
    ),
    "machine": ("machine='pc'", "machine='pc-nonsense'", "pc-nonsense"),
    "emulator": ("<devices>", "<devices><emulator>/bin/no</emulator>", "/bin/no"),
    "kernel": ("<kernel>", "<kernel>/nowhere", "/nowhere"),
    "bridge": (
        "<serial ",
        "<interface type='bridge'><source bridge='br-no'/></interface><serial ",
        "br-no",
    ),
    "xml": ("</domain>", "", "not well-formed"),
}


def test_whatever_a_start_would_miss_makes_it_impossible(
    node: Node, alpha: Host, fresh: Callable[..., Guest]
) -> None:
    guest = fresh()
    for what, (old, new, reason) in MISSING.items():
        path = rewritten(alpha, guest, old, new)
        node.configure(guest.name, config=path)
        assert node.says() == "0", what
        assert reason in (node.said("why-not") or ""), what
        alpha.path(NOTES).unlink()


def test_an_optional_medium_is_not_missed(
    node: Node, alpha: Host, fresh: Callable[..., Guest]
) -> None:
    guest = fresh()
    medium = (
        "<disk type='file' device='cdrom'><source file='/run/no.iso' "
        "startupPolicy='optional'/><target dev='sda'/></disk><serial "
    )
    node.configure(guest.name, config=rewritten(alpha, guest, "<serial ", medium))
    assert node.says() == "1"


def test_a_guest_given_by_name_must_be_defined_here(
    node: Node, alpha: Host, fresh: Callable[..., Guest]
) -> None:
    guest = fresh()
    node.configure(guest.name, domain=guest.name, autostart="refuse")
    assert node.says() == "0"
    assert "is not defined here" in (node.said("why-not") or "")
    alpha.virsh("define", guests.config_path(guest))
    try:
        assert node.says() == "1"
        alpha.virsh("autostart", guest.name)
        assert node.says() == "0"
        assert "autostart" in (node.said("why-not") or "")
    finally:
        alpha.virsh("undefine", guest.name)


def test_where_the_guest_runs_it_is_never_zero(
    node: Node, alpha: Host, running: Callable[..., tuple[Resource, Guest]]
) -> None:
    _, guest = running()
    path = guests.config_path(guest)
    node.configure(guest.name, config=path)
    assert node.says() == "1"
    alpha.path(path).unlink()
    assert node.says() == "1"
    assert node.said("why-not") is None
    alpha.signal_libvirtd(signal.SIGSTOP)
    for _ in range(3):
        assert node.says() == "1"
    alpha.revive()
    # Without a record nobody knows that it is this guest: what was said stays.
    alpha.path(f"/run/vmha/guests/{guest.name}.guest").unlink()
    assert node.says() == "1"


def test_a_silent_libvirt_changes_nothing_until_the_third_look(
    node: Node, alpha: Host, fresh: Callable[..., Guest]
) -> None:
    guest = fresh()
    node.configure(guest.name, config=guests.config_path(guest))
    assert node.says() == "1"
    alpha.signal_libvirtd(signal.SIGSTOP)
    assert [node.says() for _ in range(3)] == ["1", "1", "0"]
    assert "no answer" in (node.said("why-not") or "")
    alpha.revive()
    assert node.says() == "1"


def test_a_definition_on_a_hung_mount_holds_nobody(
    node: Node, alpha: Host, fresh: Callable[..., Guest]
) -> None:
    guest = fresh()
    path = guests.config_path(guest)
    alpha.path(path).unlink()
    os.mkfifo(alpha.path(path))
    node.configure(guest.name, config=path)
    began = time.monotonic()
    assert node.look() == 0
    assert time.monotonic() - began < 15
    assert node.said() is None
    alpha.path(path).unlink()


def test_a_disk_that_another_resource_may_bring_is_no_reason(
    node: Node, alpha: Host, fresh: Callable[..., Guest]
) -> None:
    guest = fresh()
    path = rewritten(alpha, guest, "<kernel>", "<kernel>/nowhere")
    mount = '<primitive id="fs" class="ocf" provider="heartbeat" type="Filesystem"/>'
    order = f'<rsc_order id="o" first="fs" then="{guest.name}"/>'
    node.configure(guest.name, order, mount, config=path)
    assert node.says() is None
    node.configure(guest.name, "", mount, config=path)
    assert node.says() == "0"
    guests.put_config(alpha, guest)
    node.configure(guest.name, order, mount, config=path)
    assert node.says() == "1"
