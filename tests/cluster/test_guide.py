"""docs/getting-started.md, typed as it stands: from two bare machines to a failover.

The machines are fresh Debian systems with systemd and sshd; what is installed in them
comes with the guide's own apt-get. Stand-ins are there for what a person does (an
editor that knows what to write, the answers to passwd and pcs) and for what this
machine has not: KVM, NFS, the kernel's crash key. Minutes: for long runs.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cluster import guide
from lab import Lab, Progress, sweep
from lab.cluster import Cluster
from lab.commands import run
from lab.plan import BMC_PASSWORD, GROUP, RUN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.node import Node

GUEST = "web"
HOME = "/root"
SECRET = "cluster-secret"
INSTALL_S = 1500.0
STEP_S = 150.0
RUNS_S = 60.0
TEST_S = 2400
BOOT_S = 4.0
# Writes a dot to the serial port ten times a second (INT 14h, 15h), and never sleeps.
BOOT_SECTOR = bytes.fromhex(
    "31c08ed8b8e30031d2cd14b02eb40131d2cd14b486b90100baa086cd15ebec"
).ljust(510, b"\0") + bytes((0x55, 0xAA))
STAND_INS = {
    # a person who knows what goes into which file
    "/usr/local/bin/editor": f"""#!/bin/sh
case $1 in
*/bmc-*) echo {BMC_PASSWORD} >"$1" ;;
*.xml) cp ~/typed.xml "$1" ;;
*) exit 1 ;;
esac
""",
    # for libvirt, which asks the kernel: a file system of several machines
    "/usr/sbin/mount.nfs": """#!/bin/sh
exec bindfs -o fsname="$1",subtype=glusterfs /shared "$2"
""",
}


@pytest.fixture
def machines(suite: str) -> Iterator[Lab]:
    """Two bare machines, and a third as the one on which the reader works."""
    if os.geteuid() != 0:
        pytest.skip("needs root: namespaces and mounts")
    name, progress = f"guide-{os.getpid()}", Progress(sys.stderr)
    lab = Lab(name, 3, suite, boot_delay_s=BOOT_S, progress=progress, bare=True)
    try:
        with lab:
            yield lab
    finally:
        sweep.sweep(RUN / lab.name)
    groups = Path("/sys/fs/cgroup")
    for depth in ("", "*/"):
        assert not list(groups.glob(f"{depth}{GROUP}-{name}")), "nothing stays behind"


@pytest.mark.long
@pytest.mark.timeout(TEST_S)
@pytest.mark.parametrize("shell", ["pcs", "crm"])
def test_a_reader_of_the_guide_gets_from_bare_machines_to_a_failover(
    machines: Lab, debs: list[Path], figures: list[str], shell: str
) -> None:
    *nodes, desk = machines.nodes
    hand_over(nodes, desk, debs)
    reader = Reader(nodes, desk)
    began_s = time.monotonic()
    for step in guide.steps(shell):
        reader.follow(step)
    survivor = reader.other(reader.crashed)
    assert reader.was_fenced(), "its guest may run elsewhere only then"
    assert survivor.guests() == [GUEST]
    assert executes(survivor)
    for told in searched(survivor, reader.crashed):
        assert told.strip()
        assert "No entries" not in told
    took_s = time.monotonic() - began_s
    figures.append(f"guide with {shell}: {reader.failover_s:.1f} s, all {took_s:.0f} s")


class Reader:
    """Somebody with two nodes who types what the guide says and waits where it says."""

    def __init__(self, nodes: Sequence[Node], desk: Node) -> None:
        self.nodes = nodes
        self.desk = desk
        self.cluster = Cluster(nodes)
        self._former = ""
        self.crashed = desk
        self.crashed_s = self.failover_s = 0.0

    def follow(self, step: guide.Step) -> None:
        """Type one step and see what the guide lets expect of it."""
        if "apt-get" in step.text:
            with ThreadPoolExecutor() as together:
                list(together.map(lambda node: install(node, step.text), self.nodes))
        elif "sysrq" in step.text:
            self._crash()
        elif step.text.strip() == "crm_mon":
            assert GUEST in typed(self.other(self.crashed), "crm_mon --one-shot")
        else:
            self._before(step.text)
            for node in self._where(step.where):
                typed(node, step.text)
            self._after(step.text)

    def other(self, node: Node) -> Node:
        return next(one for one in self.nodes if one is not node)

    def _where(self, words: str) -> Sequence[Node]:
        if words.startswith("every node"):
            return self.nodes
        if words == "your own machine":
            return [self.desk]
        assert words.startswith(("any node", "node1")), words
        return self.nodes[:1]

    def was_fenced(self) -> bool:
        """Whether the crashed node's power was cut afterwards."""
        told = self.crashed.bmc.journal()
        return any(what == "power cut" for when, what in told if when > self.crashed_s)

    def _before(self, text: str) -> None:
        if text.startswith("crm_mon"):
            self.cluster.wait_online()
        if "--move" in text:
            (self._former,) = self.cluster.where(GUEST)

    def _after(self, text: str) -> None:
        """Look at crm_mon until it shows what the guide speaks of."""
        if "stonith_admin" in text:
            self.cluster.wait_online()
        if "VirtualMachine" in text:
            self.cluster.wait_running(GUEST)
            self.cluster.wait_idle()
        if "--move" in text:
            assert self.cluster.where(GUEST) != [self._former], "it moved away"
            moved = "//lrm_rsc_op[@operation='migrate_from'][@rc-code='0']"
            self.cluster.run(["cibadmin", "--query", "--xpath", moved])

    def _crash(self) -> None:
        """A kernel that crashes, and how long the guest is away."""
        self.crashed = next(node for node in self.nodes if node.guests())
        survivor = self.other(self.crashed)
        self.crashed_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.crashed.crash()
        while survivor.guests() != [GUEST]:
            self.failover_s = time.clock_gettime(time.CLOCK_BOOTTIME) - self.crashed_s
            assert self.failover_s < RUNS_S, typed(survivor, "crm_mon --one-shot")
            time.sleep(0.1)
        Cluster([survivor]).wait_where(GUEST, [survivor.name])


def hand_over(nodes: Sequence[Node], desk: Node, debs: Sequence[Path]) -> None:
    """What the reader has before the first line: packages, an image, a way in."""
    typed(desk, "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519")
    key = typed(desk, "cat .ssh/id_ed25519.pub")
    names = "".join(f"{node.address} {node.name}\n" for node in nodes)
    for node in nodes:
        for deb in debs:
            shutil.copy(deb, node.path(f"{HOME}/{deb.name}"))
        typed(node, "mkdir -p -m 700 .ssh; cat >>.ssh/authorized_keys", key)
        node.path(f"{HOME}/typed.xml").write_text(guide.domain())
        node.path(f"{HOME}/web.img").write_bytes(BOOT_SECTOR.ljust(1 << 20, b"\0"))
        node.path("/usr/sbin/policy-rc.d").unlink()
        # The reader answers yes; the archive is reached as this machine reaches it.
        said = run(["apt-config", "dump", "--format", '%F "%v";%n', "Acquire"], 30)
        yes = 'APT::Get::Assume-Yes "true";\n'
        node.path("/etc/apt/apt.conf.d/00machine").write_text(said.stdout + yes)
        shutil.copy("/etc/resolv.conf", node.path("/etc/resolv.conf"))
    typed(desk, "cat >>/etc/hosts", names)
    known = " ".join(node.name for node in nodes)
    typed(desk, f"ssh-keyscan -t ed25519 {known} >.ssh/known_hosts")


def typed(node: Node, text: str, answers: str = "") -> str:
    """Have a shell of root's do it; each program that asks for a password gets one."""
    if "hacluster" in text:
        answers = f"{SECRET}\n{SECRET}\n"
    done = node.run(["bash", "-euc", f"cd\n{text}"], STEP_S, stdin=answers)
    return done.stdout


def install(node: Node, text: str) -> None:
    """The same on the machine's network, since the lab's leads to no archive."""
    words = [
        word for word in node.command(["bash", "-euc", f"cd\n{text}"]) if word != "-n"
    ]
    run(words, INSTALL_S, environ={"DEBIAN_FRONTEND": "noninteractive"})
    for place, script in STAND_INS.items():
        node.path(place).unlink(missing_ok=True)
        node.path(place).write_text(script)
        node.path(place).chmod(0o755)


def searched(node: Node, fenced: Node) -> list[str]:
    """What docs/maintenance.md finds in a journal: the guest's agent, the device's."""
    page = [body for _, _, body in guide.blocks("maintenance.md")]
    lines = [x for x in "".join(page).splitlines() if x.startswith("journalctl -t")]
    assert len(lines) == len(("VirtualMachine(web)", "fence_vmha_ipmi(192.0.2.11)"))
    return [typed(node, x.replace("192.0.2.11", fenced.bmc.address)) for x in lines]


def executes(node: Node) -> bool:
    """Whether the guest's processor works: it writes to its console."""
    look = f"timeout 20 head -c 3 $(virsh ttyconsole {GUEST})"
    return typed(node, look) == "..."
