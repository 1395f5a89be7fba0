"""An LXC container in the same agent's hands: started, watched, moved, never twice.

The container's files lie on the shared storage, and its first process writes to them
which start of it is counting: two copies would show as two starts that alternate.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from lab import Lab
from lab.node import Node
from lab.watch import Watch

NAME = "box"
BUSYBOX = Path("/bin/busybox")
FAILOVER_S = 60.0
COUNTS_S = 20.0
HOME = "/shared/box"
XML = f"""\
<domain type="lxc">
  <name>{NAME}</name>
  <uuid>7d0b54a2-95b1-4a8c-9f0a-3a1d5f1d9a11</uuid>
  <memory unit="MiB">64</memory>
  <vcpu>1</vcpu>
  <os><type>exe</type><init>/init</init></os>
  <devices>
    <filesystem type="mount"><source dir="{HOME}/root"/><target dir="/"/></filesystem>
    <console type="pty"/>
  </devices>
</domain>
"""
INIT = """\
#!/bin/sh
trap 'exit 0' TERM
read boot < /proc/sys/kernel/random/uuid
while :; do
    echo $boot >> /count
    sleep 0.2
done
"""
# What a real node has and the lab's lack: FUSE, by which a container sees its own share
# of memory, and the cgroups of version 1, if the machine has them.
PREPARE = """\
mknod /dev/fuse c 10 229
mount -t tmpfs cgroups /sys/fs/cgroup
while read name _ _ on; do
    [ "$on" = 1 ] && mkdir /sys/fs/cgroup/$name &&
        mount -t cgroup -o $name cgroup /sys/fs/cgroup/$name
done < /proc/cgroups
true
"""


class Box:
    """The container as seen on the shared storage and on the nodes."""

    def __init__(self, lab: Lab) -> None:
        self.home = lab.directory / HOME[1:]

    def install(self) -> None:
        """Put its root and its definition on the shared storage."""
        root = self.home / "root"
        for folder in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            (root / folder).mkdir(parents=True)
        shutil.copy(BUSYBOX, root / "bin/busybox")
        for applet in ("sh", "sleep"):
            (root / "bin" / applet).symlink_to("busybox")
        (root / "init").write_text(INIT)
        (root / "init").chmod(0o755)
        (self.home / "box.xml").write_text(XML)

    def starts(self) -> list[str]:
        """Return its starts in their order; one that comes back is there twice."""
        file = self.home / "root/count"
        lines = file.read_text().splitlines() if file.exists() else []
        return [start for start, _ in groupby(lines)]

    def count(self) -> int:
        """Return how often it has counted in all."""
        file = self.home / "root/count"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def await_start(self, number: int, limit_s: float) -> float:
        """Wait until its nth start counts; return the seconds it took."""
        began = time.monotonic()
        while len(self.starts()) < number:
            assert time.monotonic() < began + limit_s, f"start {number} does not count"
            time.sleep(0.1)
        return time.monotonic() - began

    def first_process(self, node: Node) -> int:
        """Return its first process as the machine sees it."""
        (controller,) = node.pids("libvirt_lxc")
        children = Path(f"/proc/{controller}/task/{controller}/children").read_text()
        return int(children.split()[0])


@pytest.fixture
def box(lab: Lab) -> Iterator[Box]:
    """Give a container to the cluster, and take it away again."""
    for node in lab.nodes:
        node.run(["sh", "-c", PREPARE])
    container = Box(lab)
    container.install()
    agent = ["ocf:vmha:VirtualMachine", f"config={HOME}/box.xml"]
    often = ["op", "monitor", "interval=2s", "timeout=20s"]
    # Else Pacemaker would move it back for balance as soon as its node has come back.
    stays = ["meta", "resource-stickiness=100"]
    words = [NAME, *agent, "hypervisor=lxc:///system", *often, *stays]
    lab.cluster.pcs("resource", "create", *words)
    yield container
    lab.recover()
    lab.cluster.pcs("resource", "delete", NAME, timeout_s=120)
    shutil.rmtree(container.home)
    for group in Path("/sys/fs/cgroup").glob(f"*/machine/*-{NAME}.libvirt-lxc"):
        with contextlib.suppress(OSError):
            group.rmdir()


def test_a_container_is_watched_fails_over_and_stops_and_never_runs_twice(
    lab: Lab, box: Box, watch: Watch
) -> None:
    source = lab.cluster.wait_running(NAME)
    box.await_start(1, COUNTS_S)

    os.kill(box.first_process(lab.node(source)), signal.SIGKILL)
    restarted_s = box.await_start(2, COUNTS_S)
    lab.wait_idle()

    source = lab.cluster.wait_running(NAME)
    lab.node(source).cut()
    elsewhere_s = box.await_start(3, FAILOVER_S)
    lab.recover()
    target = lab.cluster.wait_running(NAME)
    assert target != source

    lab.cluster.pcs("resource", "disable", NAME, "--wait=60", timeout_s=70)
    assert lab.cluster.where(NAME) == []
    stopped = box.count()
    time.sleep(1)
    assert box.count() == stopped, "it counts on after Pacemaker called it stopped"
    starts = box.starts()
    assert len(set(starts)) == len(starts), "two starts alternate: two copies ran"
    assert len(starts) == 3
    print(f"container: restarted {restarted_s:.1f} s after its death, ", end="")
    print(f"elsewhere {elsewhere_s:.1f} s after its node was cut")
    assert watch.guests()
