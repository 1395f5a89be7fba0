"""virtlockd, the net below the question to the peers: one disk, one running guest."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts import guests
from hosts.host import PATH, Host
from hosts.waiting import until

Daemon = subprocess.Popen[bytes]
HOSTS_FILE = "127.0.0.1 localhost\n"
DISK = """\
<disk type='file' device='disk'>
  <driver name='qemu' type='raw'/><source file='{}'/><target dev='vda' bus='virtio'/>
</disk>
</devices>"""


def _locking(name: str, folder: Path, leases: Path) -> tuple[Host, Daemon]:
    """A host whose libvirt takes a lease for every disk, in a folder that all share."""
    host = Host(name, folder, HOSTS_FILE)
    with (folder / "libvirt/qemu.conf").open("a") as file:
        file.write('lock_manager = "lockd"\n')
    lockd = f'auto_disk_leases = 1\nfile_lockspace_dir = "{leases}"\n'
    (folder / "libvirt/qemu-lockd.conf").write_text(lockd)
    daemon = subprocess.Popen(
        host.inside(["/usr/sbin/virtlockd"]),
        env={"PATH": PATH, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    socket = host.path("/run/libvirt/virtlockd-sock")
    until(10, socket.exists, "virtlockd does not listen")
    host.start_libvirtd()
    return host, daemon


@pytest.fixture
def locking(tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    """Two hosts that share a folder of leases."""
    leases = tmp_path / "leases"
    leases.mkdir()
    hosts = [_locking(n, tmp_path / n, leases) for n in ("gamma", "delta")]
    yield hosts[0][0], hosts[1][0]
    for host, daemon in hosts:
        host.end()
        daemon.wait(10)


@pytest.mark.timeout(120)
def test_a_lease_on_the_disk_refuses_the_second_copy_that_nobody_was_asked_about(
    locking: tuple[Host, Host], agent: Path, tmp_path: Path
) -> None:
    """Neither host hears of the other; only the lease stands between them."""
    gamma, delta = locking
    disk = tmp_path / "disk.raw"
    disk.write_bytes(bytes(1 << 20))
    guest = guests.define("leased")
    xml = guest.xml().replace("</devices>", DISK.format(disk))
    for host in locking:
        guests.put_config(host, guest, xml)
    resource = guests.resource(agent, guest, force_stop="yes")

    assert resource.call(gamma, "start").code == 0
    second = resource.call(delta, "start")
    assert second.code == 1
    assert "lock" in second.reason
    assert delta.emulators(guest.uuid) == []
    assert resource.call(delta, "stop").code == 0

    gamma.signal_libvirtd(signal.SIGKILL)  # the lease is virtlockd's, not libvirtd's
    assert resource.call(delta, "start").code == 1
    assert resource.call(gamma, "stop").code == 0
    assert resource.call(delta, "start").code == 0
