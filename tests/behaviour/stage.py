"""How the situations are brought about: steps for one guest, faults of a whole host.

Each cell of the table has a guest of its own on alpha, so that all actions of a
situation can be tried side by side. The guests have nothing to boot from and cost next
to nothing, except where memory has to be sent.
"""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Callable

from hosts import guests
from hosts.host import Host
from hosts.operation import Resource
from hosts.pair import Pair
from hosts.waiting import until
from lab.guest import Guest

QUIET = {
    f"autoset_utilization_{name}": "false"
    for name in ("cpu", "host_memory", "hv_memory")
}
STATE = "/run/resource-agents/{type}-{instance}-emu.state"
RECORD = "/run/vmha/guests/{instance}.guest"
NOTHING_TO_BOOT = "<type arch='x86_64' machine='pc'>hvm</type>"
ARRIVES_S = 25
HALTS = b"\xf4\xeb\xfd"  # hlt, for ever


class Case:
    """One cell's guest, and the resource that has it."""

    def __init__(self, pair: Pair, agent: Path, name: str) -> None:
        self.alpha, self.beta = pair.alpha, pair.beta
        self.guest = guests.define(name)
        self.changed: dict[str, str | None] = {}
        self.resource = Resource(
            agent,
            name,
            config=guests.config_path(self.guest),
            migration_transport="tcp",
            force_stop="yes",
            **QUIET,
        )
        self.children: list[subprocess.Popen[bytes]] = []
        self.write(_without_boot(self.guest))

    def write(self, xml: str) -> None:
        """Put the definition on both hosts."""
        for host in (self.alpha, self.beta):
            guests.put_config(host, self.guest, xml)

    @property
    def config(self) -> Path:
        """The definition on alpha."""
        return self.alpha.path(guests.config_path(self.guest))

    def copies(self, host: Host) -> int:
        """Count the guest's emulators on a host."""
        return len(host.emulators(self.guest.uuid))

    def stranger_lives(self) -> bool:
        """Tell whether the other guest of the same name runs on alpha."""
        return bool(self.alpha.emulators(guests.stranger_uuid(self.guest)))

    def _is_gone(self, host: Host) -> bool:
        return self.copies(host) == 0

    def end(self) -> None:
        """Leave nothing of it on either host."""
        for child in self.children:
            child.kill()
            child.wait(10)
        for host in (self.alpha, self.beta):
            uuids = (self.guest.uuid, guests.stranger_uuid(self.guest))
            for pid in [pid for uuid in uuids for pid in host.emulators(uuid)]:
                os.kill(pid, signal.SIGKILL)
            until(15, partial(self._is_gone, host), "it cannot be ended")
            _forget(self, host)


def _without_boot(guest: Guest) -> str:
    xml = guest.xml()
    start, end = xml.index("<os>"), xml.index("</os>")
    return f"{xml[:start]}<os>{NOTHING_TO_BOOT}{xml[end:]}"


# Steps: one guest each.


def runs(case: Case) -> None:
    """The resource has started it and monitored it."""
    for action in ("start", "monitor"):
        answer = case.resource.call(case.alpha, action, interval_s=10)
        assert answer.code == 0, f"{case.guest.name}: {action}: {answer}"


def boots(case: Case) -> None:
    """The resource has started a guest that counts, and so has memory to send."""
    case.write(case.guest.xml())
    runs(case)
    guests.await_tick(case.alpha, case.guest)


def is_paused(case: Case) -> None:
    case.alpha.virsh("suspend", case.guest.name)


def stands_on_an_io_error(case: Case) -> None:
    """Its boot disk answers each read with EIO, and QEMU pauses it."""
    disk = (
        "driver=blkdebug,image.driver=null-co,image.size=1048576,"
        "inject-error.0.event=none,inject-error.0.iotype=read,"
        "inject-error.0.errno=5,"
        "id=dead,if=none,rerror=stop,werror=stop"
    )
    words = ("-drive", disk, "-device", "virtio-blk-pci,drive=dead,bootindex=1,addr=8")
    argv = "".join(f"<qemu:arg value='{word}'/>" for word in words)
    xml = _without_boot(case.guest).replace(
        "<domain type='qemu'>",
        "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
    )
    added = f"<qemu:commandline>{argv}</qemu:commandline></domain>"
    case.write(xml.replace("</domain>", added))
    _comes_to(case, "I/O error")


def is_frozen(case: Case) -> None:
    """Its emulator takes no orders any more."""
    os.kill(case.alpha.emulators(case.guest.uuid)[0], signal.SIGSTOP)


def is_asked_first(case: Case) -> None:
    """Nothing is forced before it was asked to shut down."""
    case.changed["force_stop"] = None


def is_deaf(case: Case) -> None:
    """It will not hear that it is asked to shut down."""
    case.guest = replace(case.guest, deaf=True)


def boots_on_the_other(case: Case) -> None:
    """It counts on beta, without anybody's resource."""
    case.write(case.guest.xml())
    case.beta.virsh("create", guests.config_path(case.guest))
    guests.await_tick(case.beta, case.guest)


def has_half_arrived(case: Case) -> None:
    """It comes from beta, slowly; beta's libvirt is to freeze over it."""
    words = ("virsh", "-c", "qemu:///system", "migrate", "--live", "--bandwidth", "1")
    case.children.append(
        subprocess.Popen(
            case.beta.inside([*words, case.guest.name, "qemu+tcp://alpha/system"]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    )
    argument = ("domstate", case.guest.name, "--reason")
    until(
        ARRIVES_S,
        lambda: "migrating" in case.alpha.virsh(*argument, check=False),
        "nothing arrives on alpha",
    )


def a_stranger_runs(case: Case) -> None:
    path = f"/run/guests/{case.guest.name}-stranger.xml"
    stranger = guests.stranger_uuid(case.guest)
    xml = _without_boot(case.guest).replace(case.guest.uuid, stranger)
    case.alpha.path(path).write_text(xml)
    case.alpha.virsh("create", path)


def its_file_is_gone(case: Case) -> None:
    case.config.unlink()


def its_file_is_empty(case: Case) -> None:
    case.config.write_text("")


def its_file_is_broken(case: Case) -> None:
    case.config.write_text(f"<domain><name>{case.guest.name}</name>")


def its_file_cannot_be_read(case: Case) -> None:
    """Reading one's own memory at address 0 is EIO, as on a dead disk."""
    case.config.unlink()
    case.config.symlink_to("/proc/self/mem")


def its_file_hangs(case: Case) -> None:
    """Opening a FIFO blocks, as a file on a hung mount does."""
    case.config.unlink()
    os.mkfifo(case.config)


def its_file_is_one_line(case: Case) -> None:
    case.config.write_text(" ".join(case.config.read_text().split()))


def its_file_names_a_second(case: Case) -> None:
    """Metadata of some tool holds a <name> of its own."""
    inner = "<metadata><a:a xmlns:a='urn:a'><name>another</name></a:a></metadata>"
    text = case.config.read_text().replace("</uuid>", f"</uuid>\n  {inner}", 1)
    case.config.write_text(text.replace("<name>another", "\n<name>another"))


def its_file_is_gone_on_the_target(case: Case) -> None:
    case.beta.path(guests.config_path(case.guest)).unlink()


def all_memory_of_it_is_lost(case: Case) -> None:
    """What the agents keep between their calls."""
    _forget(case, case.alpha)


def _forget(case: Case, host: Host) -> None:
    instance = case.resource.instance
    for pattern in (STATE, RECORD):
        name = pattern.format(type=case.resource.agent.name, instance=instance)
        host.path(name).unlink(missing_ok=True)
    for kept in host.path("/run/resource-agents").glob(f"*{instance}[-.]*"):
        kept.unlink(missing_ok=True)


def its_emulator_cannot_start(case: Case) -> None:
    text = case.guest.xml().replace(str(case.guest.image.kernel), "/run/no-kernel")
    case.write(text)


def it_dies_at_once(case: Case) -> None:
    """Its first instructions are a triple fault, and a reset is its end."""
    no_interrupts, breakpoint_ = b"\x0f\x01\x1e\x00\x10", b"\xcc"  # lidt [0x1000]; int3
    text = _with_firmware(case, no_interrupts + breakpoint_)
    case.write(text.replace("<on_reboot>restart<", "<on_reboot>destroy<"))


def has_panicked(case: Case) -> None:
    """It tells QEMU's panic device so, and its crash is kept to be looked at."""
    tells = b"\xba\x05\x05\xb0\x01\xee"  # mov dx,0x505; mov al,1; out dx,al
    text = _with_firmware(case, tells + HALTS)
    text = text.replace("</devices>", "<panic model='isa'/></devices>")
    case.write(text.replace("<on_crash>destroy<", "<on_crash>preserve<"))
    _comes_to(case, "crashed (panicked)")


def sleeps(case: Case) -> None:
    """It has suspended itself to memory (ACPI S3, PM1a_CNT of the PIIX4)."""
    code = (
        "66b8400b0080 baf80c 66ef 66b801060000 b2fc 66ef"  # PMBASE (0x40) = 0x600
        "66b8800b0080 b2f8 66ef b001 b2fc ee"  # PMREGMISC (0x80) = 1: it is there
        "b80024 ba0406 ef"  # SLP_EN and SLP_TYP 1 to 0x604
    )
    case.write(_with_firmware(case, bytes.fromhex(code) + HALTS))
    _comes_to(case, "pmsuspended")


def _with_firmware(case: Case, code: bytes) -> str:
    """Return its definition with these 16-bit instructions for a firmware."""
    jump = b"\xe9\x0d\xff"  # from the reset vector, 0xfff0, to 0xff00
    firmware = f"/run/guests/{case.guest.name}.bin"
    image = (bytes(0xFF00) + code).ljust(0xFFF0, b"\0") + jump.ljust(16, b"\0")
    case.alpha.path(firmware).write_bytes(image)
    loader = f"<loader type='rom' readonly='yes'>{firmware}</loader></os>"
    return _without_boot(case.guest).replace("</os>", loader)


def _comes_to(case: Case, words: str) -> None:
    case.alpha.virsh("create", guests.config_path(case.guest))
    argument = ("domstate", case.guest.name, "--reason")
    until(
        20,
        lambda: words in case.alpha.virsh(*argument),
        f"{case.guest.name} does not become {words}",
    )


def its_data_port_is_dropped(case: Case) -> None:
    """What beta answers on the migration network never comes back."""
    case.changed["migrateuri"] = "tcp://beta-mig"


def it_has_moved_already(case: Case) -> None:
    answer = case.resource.migrate_to(case.alpha, case.beta).answer()
    assert answer.code == 0, answer


def given(name: str, value: str | None) -> Callable[[Case], None]:
    """Return the step that changes a parameter after all others."""

    def change(case: Case) -> None:
        case.changed[name] = value

    return change


# Faults: a whole host, once all guests of the situation are there.


def nothing(_pair: Pair) -> None:
    """All is well."""


def libvirt_is_dead(pair: Pair) -> None:
    pair.alpha.signal_libvirtd(signal.SIGKILL)


def libvirt_is_frozen(pair: Pair) -> None:
    pair.alpha.signal_libvirtd(signal.SIGSTOP)


def the_other_libvirt_is_dead(pair: Pair) -> None:
    pair.beta.signal_libvirtd(signal.SIGKILL)


def the_other_libvirt_is_frozen(pair: Pair) -> None:
    pair.beta.signal_libvirtd(signal.SIGSTOP)


def the_data_network_swallows(pair: Pair) -> None:
    pair.beta.run("ip", "route", "add", "blackhole", "10.97.1.1/32")


def mend(pair: Pair) -> None:
    """Undo every fault."""
    pair.beta.run("ip", "route", "del", "blackhole", "10.97.1.1/32", check=False)
    pair.alpha.revive()
    pair.beta.revive()
