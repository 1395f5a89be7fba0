"""What is looked at on the target before a guest is touched, and what copies disks."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import Answer, Resource
from hosts.waiting import until
from lab.guest import Guest

Fresh = Callable[..., Guest]
TCP = {"migration_transport": "tcp"}
SIZE = 1 << 20
BACKUP = """\
<domainbackup mode='pull'>
  <server transport='unix' socket='/run/guests/backup.sock'/>
  <disks>
    <disk name='vda' type='file'><scratch file='/run/guests/scratch'/></disk>
  </disks>
</domainbackup>
"""


def disk(path: str) -> str:
    """Return a raw disk without a host cache: libvirt itself would let it go."""
    return (
        "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>"
        f"<source file='{path}'/><target dev='vda' bus='virtio'/></disk>"
    )


def started(
    alpha: Host, beta: Host, agent: Path, guest: Guest, device: str, **parameters: str
) -> Resource:
    """Start a guest with one more device on alpha; its file is on both hosts."""
    xml = guest.xml().replace("<devices>", f"<devices>{device}")
    for host in (alpha, beta):
        guests.put_config(host, guest, xml)
    resource = guests.resource(agent, guest, **TCP, **parameters)
    assert resource.call(alpha, "start").code == 0
    guests.await_tick(alpha, guest)
    return resource


def untouched(alpha: Host, beta: Host, guest: Guest, answer: Answer) -> bool:
    """The guest counts on, nothing of it is on beta, one sentence says so."""
    guests.await_tick(alpha, guest)
    said = len(answer.reasons) == 1 and "untouched" in answer.reason
    return answer.code == 1 and said and beta.emulators(guest.uuid) == []


def test_a_disk_of_this_node_alone_keeps_the_guest_here_or_is_copied(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    path = f"/run/guests/{guest.name}.raw"
    content = guest.uuid.encode() * (SIZE // 36)
    alpha.path(path).write_bytes(content.ljust(SIZE, b"."))
    resource = started(alpha, beta, agent, guest, disk(path))

    answer = resource.migrate_to(alpha, beta).answer()
    assert untouched(alpha, beta, guest, answer)
    assert path in answer.reason

    copying = resource.but(migration_copy_storage="all")
    answer = copying.migrate_to(alpha, beta).answer()
    assert untouched(alpha, beta, guest, answer)
    assert f"no image {path}" in answer.reason

    beta.path(path).write_bytes(b"\0" * SIZE)
    assert copying.migrate_to(alpha, beta).answer().code == 0
    assert copying.migrate_from(alpha, beta).code == 0
    assert resource.call(alpha, "stop").code == 0
    guests.await_tick(beta, guest)
    assert beta.path(path).read_bytes() == alpha.path(path).read_bytes()


def test_a_disk_that_is_not_there_keeps_the_guest_here(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    path = f"/run/guests/{guest.name}.iso"
    alpha.path(path).write_bytes(b"\0" * SIZE)
    medium = disk(path).replace("'/></disk>", "'/><readonly/></disk>")
    resource = started(alpha, beta, agent, guest, medium)

    answer = resource.migrate_to(alpha, beta).answer()

    assert untouched(alpha, beta, guest, answer)
    assert f"its disk {path} is not there" in answer.reason


def test_a_storage_pool_that_is_not_there_keeps_the_guest_here_or_is_started(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    for host in (alpha, beta):
        host.path("/run/pool").mkdir()
        host.path("/run/pool/v").write_bytes(b"\0" * SIZE)
    alpha.virsh("pool-create-as", "p", "dir", "--target", "/run/pool")
    volume = disk("").replace("type='file'", "type='volume'", 1)
    volume = volume.replace("file=''", "pool='p' volume='v'")
    volume = volume.replace("<target", "<readonly/><target")
    resource = started(alpha, beta, agent, guest, volume)

    answer = resource.migrate_to(alpha, beta).answer()
    assert untouched(alpha, beta, guest, answer)
    assert "storage pool p is not defined" in answer.reason

    beta.virsh("pool-define-as", "p", "dir", "--target", "/run/pool")
    answer = resource.migrate_to(alpha, beta).answer()
    assert untouched(alpha, beta, guest, answer)
    assert "start_resources" in answer.reason

    starting = resource.but(start_resources="yes")
    assert starting.migrate_to(alpha, beta).answer().code == 0
    assert starting.migrate_from(alpha, beta).code == 0


def test_a_backup_is_waited_for_and_never_aborted(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    path = f"/run/guests/{guest.name}.raw"
    for host in (alpha, beta):
        host.path(path).write_bytes(b"\0" * SIZE)
    copied = {"migration_copy_storage": "all"}
    resource = started(alpha, beta, agent, guest, disk(path), **copied)
    alpha.path("/run/guests/backup.xml").write_text(BACKUP)
    alpha.virsh("backup-begin", guest.name, "/run/guests/backup.xml")

    answer = resource.migrate_to(alpha, beta, timeout_s=6).answer()
    assert untouched(alpha, beta, guest, answer)
    assert "a backup of it is under way" in answer.reason
    assert "Backup" in alpha.virsh("domjobinfo", guest.name)

    migrating = resource.migrate_to(alpha, beta)
    alpha.virsh("domjobabort", guest.name)
    assert migrating.answer().code == 0
    assert resource.migrate_from(alpha, beta).code == 0


@pytest.fixture
def clients() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that end with the test."""
    begun: list[subprocess.Popen[bytes]] = []
    yield begun
    for client in begun:
        os.killpg(client.pid, signal.SIGKILL)
        client.wait(9)


def test_a_guest_whose_driver_cannot_migrate_live_stays_or_moves_by_stop_and_start(
    alpha: Host,
    beta: Host,
    agent: Path,
    fresh: Fresh,
    clients: list[subprocess.Popen[bytes]],
) -> None:
    guest = fresh()
    xml = guest.xml().replace("type='qemu'", "type='test'")
    for host in (alpha, beta):
        guests.put_config(host, guest, xml)
    mock = {"hypervisor": "test+unix:///default"}
    resource = guests.resource(agent, guest, **mock)
    listed = ("-c", mock["hypervisor"], "list", "--name")
    # The mock forgets its guests with its last client.
    client = ["sh", "-c", f"sleep 99 | virsh -c {mock['hypervisor']}"]
    for host in (alpha, beta):
        clients.append(
            subprocess.Popen(
                host.inside(client),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
        until(9, lambda: host.pids("virsh"), "no client stays")  # noqa: B023
    assert resource.call(alpha, "start").code == 0

    answer = resource.migrate_to(alpha, beta).answer()
    assert answer.code == 1
    assert "cold_migration" in answer.reason
    assert guest.name in alpha.run("virsh", *listed).stdout.split()

    cold = resource.but(cold_migration="yes")
    for _ in range(2):
        assert cold.migrate_to(alpha, beta).answer().code == 0
        assert guest.name not in alpha.run("virsh", *listed).stdout.split()
    for _ in range(2):
        assert cold.migrate_from(alpha, beta).code == 0
        assert guest.name in beta.run("virsh", *listed).stdout.split()
    assert cold.call(alpha, "stop").code == 0
    assert cold.call(beta, "monitor", interval_s=10).code == 0
    assert cold.call(beta, "stop").code == 0


def test_a_migration_that_an_agent_began_and_left_is_joined(
    alpha: Host, beta: Host, running: Callable[..., tuple[Resource, Guest]]
) -> None:
    resource, guest = running(**TCP, migration_mode="p2p", migration_speed="16")
    migrating = resource.migrate_to(alpha, beta)
    until(10, lambda: beta.emulators(guest.uuid), "nothing arrives on beta")
    migrating.kill()

    answer = resource.migrate_to(alpha, beta).answer()

    assert (answer.code, answer.killed) == (0, False)
    assert resource.migrate_from(alpha, beta).code == 0
    assert resource.call(alpha, "stop").code == 0
    guests.await_tick(beta, guest)
    assert alpha.emulators(guest.uuid) == []
    boots = {tick.boot for host in (alpha, beta) for tick in guests.ticks(host, guest)}
    assert len(boots) == 1


def test_a_migration_that_the_daemon_drives_is_aborted_in_time_too(
    alpha: Host, beta: Host, running: Callable[..., tuple[Resource, Guest]]
) -> None:
    resource, guest = running(**TCP, migrate_options="--p2p --bandwidth 1")

    answer = resource.migrate_to(alpha, beta, timeout_s=8).answer()

    assert (answer.code, answer.killed) == (1, False)
    assert "aborted" in answer.reason
    guests.await_tick(alpha, guest)
    until(5, lambda: not beta.emulators(guest.uuid), "half a guest stays on beta")
