"""Containers on a host: a root of busybox, a definition, a counter in a file.

The first process writes a line each second to a file that the host can read, and obeys
SIGTERM, libvirt's "signal" method, unless it is deaf.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import uuid
from pathlib import Path

from hosts.host import Host
from hosts.operation import Resource
from hosts.waiting import until

URI = "lxc:///system"
BUSYBOX = Path("/bin/busybox")
TICKS_S = 10
INIT = """\
#!/bin/sh
trap '{on_term}' TERM
tick=0
while :; do
    tick=$((tick + 1))
    echo $tick >> /ticks/{name}.log
    sleep 0.2
done
"""
XML = """\
<domain type="lxc">
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit="MiB">64</memory>
  <vcpu>1</vcpu>
  <os><type>exe</type><init>/init</init></os>
  <devices>
    <filesystem type="mount"><source dir="{root}"/><target dir="/"/></filesystem>
    <filesystem type="mount">
      <source dir="/run/serial"/><target dir="/ticks"/>
    </filesystem>
    <console type="pty"/>
  </devices>
</domain>
"""


class Container:
    """A container of libvirt's lxc driver, defined by a file on every host."""

    def __init__(self, name: str, deaf: bool = False) -> None:
        self.name = name
        self.deaf = deaf
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        self.root = f"/run/containers/{name}"
        self.config = f"/run/guests/{name}.xml"

    def xml(self, guest_uuid: str = "") -> str:
        """Return its definition, or that of a namesake with another UUID."""
        return XML.format(name=self.name, uuid=guest_uuid or self.uuid, root=self.root)

    def put_on(self, host: Host) -> None:
        """Make its root and its definition on a host."""
        root = host.path(self.root)
        for folder in ("bin", "dev", "etc", "proc", "sys", "ticks", "tmp"):
            (root / folder).mkdir(parents=True)
        shutil.copy(BUSYBOX, root / "bin/busybox")
        for applet in ("sh", "sleep"):
            (root / "bin" / applet).symlink_to("busybox")
        on_term = "" if self.deaf else "exit 0"
        (root / "init").write_text(INIT.format(name=self.name, on_term=on_term))
        (root / "init").chmod(0o755)
        host.path(self.config).write_text(self.xml())

    def resource(self, agent: Path, **parameters: str) -> Resource:
        """Return the resource that runs it."""
        given = {"config": self.config, "hypervisor": URI, **parameters}
        return Resource(agent, self.name, **given)

    def ticks(self, host: Host) -> int:
        """Return how often it has counted on a host."""
        file = host.path(f"/run/serial/{self.name}.log")
        return len(file.read_text().splitlines()) if file.exists() else 0

    def await_tick(self, host: Host) -> None:
        """Wait until it goes on counting on a host."""
        seen = self.ticks(host)
        until(
            TICKS_S,
            lambda: self.ticks(host) > seen,
            f"{self.name} does not count on {host.name}",
        )

    def controller(self, host: Host) -> int:
        """Return its controller's process id as the machine sees it, 0 for none."""
        for pid, argv in host.processes():
            if argv[0].endswith("/libvirt_lxc") and self.name in argv:
                return pid
        return 0

    def processes(self, host: Host) -> list[int]:
        """Return the processes that live inside it, by its cgroup."""
        tail = f"-{self.name}.libvirt-lxc"
        found = []
        for pid in _children_of(host.pid):
            try:
                groups = Path(f"/proc/{pid}/cgroup").read_text()
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                continue
            if tail in groups and b"libvirt_lxc" not in command and command:
                found.append(pid)
        return found

    def first_process(self, host: Host) -> int:
        """Return the process that is number 1 inside it."""
        for pid in self.processes(host):
            numbers = [
                line.split()[1:]
                for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                if line.startswith("NSpid:")
            ]
            if numbers and numbers[0][-1] == "1":
                return pid
        raise AssertionError(f"{self.name} has no first process on {host.name}")

    def end(self, host: Host) -> None:
        """Take it away whatever state it is in, past libvirt."""
        pids = [*self.processes(host), self.controller(host)]
        for pid in filter(None, pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for folder in self._groups():
            state = folder / "freezer.state"
            if state.exists():
                state.write_text("THAWED")
        until(
            TICKS_S,
            lambda: not self.processes(host) and not self.controller(host),
            f"{self.name} cannot be ended on {host.name}",
        )
        for folder in self._groups():
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _groups(self) -> list[Path]:
        """Return its cgroups (version 1), those of a dead one too."""
        tail = f"machine/*-{self.name}.libvirt-lxc"
        return list(Path("/sys/fs/cgroup").glob(f"*/{tail}"))


def _children_of(pid: int) -> list[int]:
    """Return every living descendant of a process, as the machine sees them."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            direct = [int(word) for word in task.read_text().split()]
        except OSError:
            continue
        for child in direct:
            found += [child, *_children_of(child)]
    return found
