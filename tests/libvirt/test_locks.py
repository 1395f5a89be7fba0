"""Leases on disks, the net below the question to the peers: one disk, one copy.

Neither libvirt hears of the other here, and each host has a file of its own under the
disk's path: QEMU's lock on its image cannot be what stops the second copy, as it cannot
on a LUN that two hosts see.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hosts import guests
from hosts.host import PATH, Host
from hosts.operation import Resource
from hosts.waiting import until
from lab.guest import Guest

Daemon = subprocess.Popen[bytes]
NET = 98
HOSTS_FILE = f"127.0.0.1 localhost\n10.{NET}.0.1 gamma\n10.{NET}.0.2 delta\n"
DISK = """\
<disk type='file' device='disk'>
  <driver name='qemu' type='raw'/><source file='{}'/><target dev='vda' bus='virtio'/>
</disk>
</devices>"""
# The disk looks like one of this node alone, which it is; the guest writes nothing.
MIGRATION = {"migration_transport": "tcp", "migrate_options": "--unsafe"}


class Manager(NamedTuple):
    """A lock manager of libvirt's, with its daemon and what it says of a lease."""

    plugin: str
    user: str
    settings: str
    daemon: tuple[str, ...]
    socket: str
    refusal: str


VIRTLOCKD = Manager(
    "lockd",
    "root",
    'auto_disk_leases = 1\nfile_lockspace_dir = "/run/leases"\n',
    ("/usr/sbin/virtlockd",),
    "/run/libvirt/virtlockd-sock",
    "is locked",
)
# Its times are a fifth of the default ones: a host joins in seconds, and a busy disk
# may still answer late. Privileged it wants to lock memory without limit, which a
# container's root may not; its logs would be the machine's.
SANLOCK = Manager(
    "sanlock",
    "sanlock",
    'auto_disk_leases = 1\ndisk_lease_dir = "/run/leases"\nhost_id = {number}\n'
    'io_timeout = 2\nuser = "sanlock"\ngroup = "sanlock"\n',
    (
        *("/usr/bin/env", "SANLOCK_PRIVILEGED=0", "/usr/sbin/sanlock", "daemon", "-D"),
        *("-w", "0", "-l", "0", "-L", "-1", "-S", "-1"),
    ),
    "/run/sanlock/sanlock.sock",
    "Lease is held by another host",
)


class Locking(NamedTuple):
    """Two hosts that share a folder of leases."""

    manager: Manager
    gamma: Host
    delta: Host


@pytest.fixture(scope="module", params=(VIRTLOCKD, SANLOCK), ids=lambda m: m.plugin)
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Locking]:
    """Bring the two hosts up, one after the other, as the first makes the lockspace."""
    manager: Manager = request.param
    folder = tmp_path_factory.mktemp(manager.plugin)
    leases = folder / "leases"
    leases.mkdir()
    leases.chmod(0o770)
    shutil.chown(leases, group=manager.user)
    hosts: list[Host] = []
    daemons: list[Daemon] = []
    try:
        for name in ("gamma", "delta"):
            hosts.append(Host(name, folder / name, HOSTS_FILE))
        hosts[0].link_to(hosts[1], NET)
        for number, host in enumerate(hosts, 1):
            daemons.append(_begin(manager, host, number, leases))
        yield Locking(manager, *hosts)
    finally:
        for host in hosts:
            host.end()
        for daemon in daemons:
            daemon.wait(10)


def _begin(manager: Manager, host: Host, number: int, leases: Path) -> Daemon:
    """Start the lock manager on a host, and the libvirt that asks it."""
    with host.path("/etc/libvirt/qemu.conf").open("a") as file:
        file.write(f'lock_manager = "{manager.plugin}"\n')
    settings = manager.settings.format(number=number)
    host.path(f"/etc/libvirt/qemu-{manager.plugin}.conf").write_text(settings)
    host.path("/run/leases").mkdir()
    host.run("mount", "--bind", str(leases), "/run/leases")
    socket = host.path(manager.socket)
    socket.parent.mkdir(exist_ok=True)
    shutil.chown(socket.parent, manager.user, manager.user)
    as_user = ("setpriv", "--reuid", manager.user, "--regid", manager.user)
    with (leases.parent / f"{host.name}-{manager.plugin}.log").open("wb") as log:
        daemon = subprocess.Popen(
            host.inside([*as_user, "--init-groups", *manager.daemon]),
            env={"PATH": PATH, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    until(10, socket.exists, f"the daemon of {manager.plugin} does not listen")
    host.start_libvirtd()
    return daemon


@pytest.fixture
def locking(both: Locking) -> Locking:
    """The two hosts, whatever the test before has done to them."""
    both.gamma.revive()
    both.delta.revive()
    return both


def _leased(name: str, locking: Locking, agent: Path) -> tuple[Guest, Resource]:
    """A guest with a disk, and its resource, known to both hosts."""
    guest = guests.define(name)
    path = f"/run/guests/{name}.raw"
    xml = guest.xml().replace("</devices>", DISK.format(path))
    for host in (locking.gamma, locking.delta):
        host.path(path).write_bytes(bytes(1 << 20))
        guests.put_config(host, guest, xml)
    return guest, guests.resource(agent, guest, force_stop="yes", **MIGRATION)


@pytest.mark.timeout(120)
def test_a_lease_on_the_disk_refuses_the_second_copy_that_nobody_was_asked_about(
    locking: Locking, agent: Path
) -> None:
    manager, gamma, delta = locking
    guest, resource = _leased("leased", locking, agent)

    assert resource.call(gamma, "start").code == 0
    second = resource.call(delta, "start")
    assert second.code == 1
    assert manager.refusal in second.reason
    assert delta.emulators(guest.uuid) == []
    past_us = delta.run("virsh", "create", guests.config_path(guest), check=False)
    assert manager.refusal in past_us.stderr
    assert delta.emulators(guest.uuid) == []
    assert resource.call(delta, "stop").code == 0

    gamma.signal_libvirtd(signal.SIGKILL)  # the lease is not libvirtd's
    assert manager.refusal in resource.call(delta, "start").reason
    assert resource.call(gamma, "stop").code == 0
    assert resource.call(delta, "start").code == 0
    assert resource.call(delta, "stop").code == 0


@pytest.mark.timeout(120)
def test_a_live_migration_takes_the_lease_along(locking: Locking, agent: Path) -> None:
    manager, gamma, delta = locking
    guest, resource = _leased("moving", locking, agent)
    assert resource.call(gamma, "start").code == 0
    guests.await_tick(gamma, guest)

    assert resource.migrate_to(gamma, delta).answer().code == 0
    assert resource.migrate_from(gamma, delta).code == 0
    assert resource.call(gamma, "stop").code == 0
    guests.await_tick(delta, guest)

    assert manager.refusal in resource.call(gamma, "start").reason
    assert gamma.emulators(guest.uuid) == []
    assert len(delta.emulators(guest.uuid)) == 1
    assert resource.call(delta, "stop").code == 0
    assert resource.call(gamma, "start").code == 0
    assert resource.call(gamma, "stop").code == 0
