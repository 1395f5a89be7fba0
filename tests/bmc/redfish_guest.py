"""A node that is a real QEMU domain: its power is whether an emulator of it lives.

It has neither disk nor network and stays in its firmware. Its libvirtd has namespaces
of its own; whether it is on is told by the process table, never by libvirt.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from hosts.host import Host

if TYPE_CHECKING:
    from pathlib import Path

UUID = "b2c6f0de-3d1c-4f37-9c3f-2c5d3f1e7a11"
NAME = "node1"
DEFINITION = """\
<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>16</memory>
  <os><type arch='x86_64'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices>
</domain>
"""


class Guest:
    """The domain and its host, which ends with ``end``."""

    def __init__(self, folder: Path) -> None:
        self.host = Host("rack", folder, "127.0.0.1 localhost\n")
        self.host.start_libvirtd()
        self.define(NAME, UUID)
        socket = self.host.path("/run/libvirt/libvirt-sock")
        self.uri = f"qemu+unix:///system?socket={socket}"

    def define(self, name: str, uuid: str) -> None:
        """Add a domain."""
        path = f"/run/guests/{name}.xml"
        self.host.path(path).write_text(DEFINITION.format(name=name, uuid=uuid))
        self.host.virsh("define", path)

    def emulators(self) -> list[int]:
        """Return the QEMU processes of the node: none when it is off."""
        return self.host.emulators(UUID)

    def turn(self, power: str) -> None:
        """Bring the node on or off, past the BMC."""
        if power == "on" and not self.emulators():
            self.host.virsh("start", NAME)
        elif power == "off" and self.emulators():
            self.host.virsh("destroy", NAME)

    def freeze(self) -> None:
        """Stop the daemon: the BMC answers nothing that asks for the power."""
        self.host.signal_libvirtd(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.host.revive()

    def end(self) -> None:
        """End domain, daemon and host."""
        for pid in self.emulators():
            os.kill(pid, signal.SIGKILL)
        self.host.end()
