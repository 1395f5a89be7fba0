"""The tiny guest: a kernel and an initramfs that boot in two seconds under TCG.

Every tenth of a second the guest writes one line to its serial console:

    tick BOOT N UPTIME

BOOT is a random id of this boot, N counts from 1, UPTIME is the guest's own clock in
seconds. Two copies of a guest can therefore always be told apart, a restart shows as a
new BOOT, and a live migration must continue BOOT and N without a gap. The guest obeys
the ACPI power button unless its kernel arguments say ``vmha.deaf``. With
``vmha.dirty=MIB`` it writes that much memory anew a few times a second, so that a
migration slower than that does not converge.

Needs no lab: ``image()`` builds (or finds) the two files, ``Guest(...).xml()`` writes
a libvirt definition for them. Called by the lab and by tests that talk to a libvirtd.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from . import initramfs
from .cache import CACHE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAMESPACE = uuid.UUID("6f1dbd4b-3f0a-4a53-9a0e-766d68610000")
TICK = re.compile(
    r"^tick (?P<boot>[0-9a-f]+) (?P<count>\d+) (?P<uptime>\d+\.\d+)\s*$", re.M
)
TICK_S = 0.1


@dataclass(frozen=True)
class Image:
    """The two files a guest boots from; paths as the hypervisor will see them."""

    kernel: Path
    initrd: Path


@dataclass(frozen=True)
class Tick:
    """One line of a guest's counter: which boot, which number, the guest's clock."""

    boot: str
    count: int
    uptime_s: float


def image(cache: Path = CACHE) -> Image:
    """The guest's kernel and initramfs, built on first use and cached.

    Takes about 10 s the first time; downloads two Debian packages with apt-get and
    installs nothing on this machine.
    """
    directory = initramfs.cached(cache)
    return Image(directory / "vmlinuz", directory / "initrd.img")


def ticks(text: str) -> Iterator[Tick]:
    """The ticks in a piece of serial console; a torn last line is left out."""
    complete = text[: text.rfind("\n") + 1]
    for found in TICK.finditer(complete):
        yield Tick(found["boot"], int(found["count"]), float(found["uptime"]))


def guest_name(words: Sequence[str]) -> str:
    """The guest's name from QEMU's command line: -name guest=NAME,..."""
    for option, value in zip(words, words[1:]):
        if option == "-name" and value.startswith("guest="):
            return value[len("guest=") :].partition(",")[0]
    return ""


@dataclass(frozen=True)
class Guest:
    """One guest and its libvirt definition.

    ``serial`` is the console file on the node the guest runs on; it is appended to, so
    that nothing a guest ever said is lost.
    """

    name: str
    image: Image
    serial: str
    memory_mib: int = 128
    deaf: bool = False
    dirty_mib: int = 0
    append: str = ""
    emulator: str = ""

    @property
    def uuid(self) -> str:
        """Fixed by the name: the same guest has the same UUID on every node."""
        return str(uuid.uuid5(NAMESPACE, self.name))

    @property
    def kernel_arguments(self) -> str:
        words = ["console=ttyS0", "quiet", "loglevel=1", "panic=-1", "tsc=unstable"]
        words += ["vmha.deaf"] if self.deaf else []
        words += [f"vmha.dirty={self.dirty_mib}"] if self.dirty_mib else []
        words += [self.append] if self.append else []
        return " ".join(words)

    def xml(self) -> str:
        """The libvirt domain definition: QEMU without KVM, no network, one serial."""
        emulator = f"<emulator>{escape(self.emulator)}</emulator>"
        return f"""\
<domain type='qemu'>
  <name>{escape(self.name)}</name>
  <uuid>{self.uuid}</uuid>
  <memory unit='MiB'>{self.memory_mib}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>{escape(str(self.image.kernel))}</kernel>
    <initrd>{escape(str(self.image.initrd))}</initrd>
    <cmdline>{escape(self.kernel_arguments)}</cmdline>
  </os>
  <features><acpi/></features>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    {emulator if self.emulator else ""}
    <controller type='usb' model='none'/>
    <serial type='file'>
      <source path={quoteattr(self.serial)} append='on'/>
      <target port='0'/>
    </serial>
    <memballoon model='none'/>
  </devices>
</domain>
"""
