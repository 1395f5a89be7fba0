"""A guest that falls ill on order: its disks, its kernel, its agent.

It has a guest agent of its own, a shell script on the virtio channel. That answers what
libvirt's guest-ping needs and obeys a few orders, given with virsh qemu-agent-command:

    spoil-a  write to vda, whose server answers EIO     panic  crash the kernel
    spoil-b  write to vdb, whose file system is full    stall  do nothing any more
    busy     compute without end                        leave  close the channel
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lab import guest as tiny
from lab import initramfs
from lab.cache import CACHE
from lab.guest import Guest, Image

from hosts import guests
from hosts.faulty import FaultyDisk
from hosts.host import Host
from hosts.waiting import until

BOOTS_S = 60
MODULES = (
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "virtio_blk",
    "virtio_console",
    "pvpanic",
    "pvpanic-mmio",
)
APPLETS = ("dd", "insmod", "mkfifo", "mount", "sh")
INIT = r"""#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod "$module"; done
mkfifo /pause
exec 4<>/pause
until [ -e /dev/vport1p1 ] || [ -e /dev/vport0p1 ]; do read -r -t 0.1 x <&4; done
for port in /dev/vport*p1; do exec 3<>"$port"; done
echo "patient is ready"
done='{"return":{}}'
while :; do
    if ! read -r line <&3; then
        read -r -t 0.2 x <&4
        continue
    fi
    id=${line##*'"id":'}
    id=${id%%'}'*}
    case $line in
    *guest-sync-delimited*) printf '\377{"return":%s}\n' "${id# }" >&3 ;;
    *guest-sync*) printf '{"return":%s}\n' "${id# }" >&3 ;;
    *guest-ping*) echo "$done" >&3 ;;
    *spoil-a*) echo "$done" >&3; dd if=/init of=/dev/vda bs=512 conv=fsync & ;;
    *spoil-b*) echo "$done" >&3; dd if=/bin/sh of=/dev/vdb bs=9k conv=fsync & ;;
    *panic*) echo "$done" >&3; echo c > /proc/sysrq-trigger ;;
    *stall*) echo "$done" >&3; kill "$hog"; while :; do read -r x <&4; done ;;
    *busy*) echo "$done" >&3; while :; do :; done & hog=$! ;;
    *leave*) echo "$done" >&3; exec 3>&-; while :; do read -r -t 9 x <&4; done ;;
    *) echo '{"error":{"class":"CommandNotFound","desc":"no such order"}}' >&3 ;;
    esac
done
"""
DEVICES = """
    <disk type='network' device='disk'>
      <driver name='qemu' type='raw' error_policy='stop'/>
      <source protocol='nbd' name='faulty'>
        <host transport='unix' socket='{socket}'/>
      </source>
      <target dev='vda' bus='virtio'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' error_policy='stop'/>
      <source file='{folder}/disk'/>
      <target dev='vdb' bus='virtio'/>
    </disk>
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
    <panic model='isa'/>
  </devices>"""


class Patient:
    """One such guest on one host; ``admit`` boots nothing yet."""

    def __init__(self, host: Host, guest: Guest) -> None:
        self.host = host
        self.guest = replace(guest, image=image(), append="panic=0")
        self._folder = f"/run/guests/{guest.name}-full"
        socket = f"/run/guests/{guest.name}.nbd"
        self.disk = FaultyDisk(str(host.path(socket)))
        size = "size=64k,mode=755"
        host.run("mkdir", self._folder)
        host.run("mount", "-t", "tmpfs", "-o", size, "vmha-test", self._folder)
        host.run("truncate", "-s", "1M", f"{self._folder}/disk")
        devices = DEVICES.format(socket=socket, folder=self._folder)
        xml = self.guest.xml().replace("</devices>", devices.lstrip("\n"))
        xml = xml.replace("<on_crash>destroy<", "<on_crash>preserve<")
        guests.put_config(host, self.guest, xml)

    def await_ready(self) -> None:
        """Wait until its agent listens."""
        until(
            BOOTS_S,
            lambda: "patient is ready" in guests.console(self.host, self.guest),
            f"{self.guest.name} does not boot",
        )

    def order(self, what: str) -> None:
        """Make it ill."""
        command = f'{{"execute":"{what}"}}'
        self.host.virsh("qemu-agent-command", "--timeout", "20", self._name, command)

    def await_state(self, words: str) -> None:
        """Wait for what virsh says of its state and reason."""
        until(
            20,
            lambda: words in self.host.virsh("domstate", "--reason", self._name),
            f"{self._name} does not become {words}",
        )

    def make_space(self) -> None:
        """Let the file system below vdb grow, and the guest run on."""
        grow = "remount,size=4M"
        self.host.run("mount", "-o", grow, self._folder)
        self.host.virsh("resume", self._name)

    def discharge(self) -> None:
        """Take it away with all that it had."""
        guests.end(self.host, self.guest)
        self.disk.close()
        self.host.run("umount", "-l", self._folder)

    @property
    def _name(self) -> str:
        return self.guest.name


def image(cache: Path = CACHE) -> Image:
    """Return its kernel and initramfs, built on first use."""
    recipe = initramfs.Recipe(MODULES, APPLETS, {"/init": INIT})
    directory = initramfs.cached(cache, recipe)
    return tiny.Image(directory / "vmlinuz", directory / "initrd.img")
