"""The daemon of one driver (virtqemud) instead of libvirtd, as its clients see it.

Debian's packages have no virtqemud; the difference for a client is the socket, and
``mode=direct`` makes it use that one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Callable

from hosts import guests
from hosts.host import Host
from lab.guest import Guest

Fresh = Callable[..., Guest]
SOCKET = "/run/libvirt/virtqemud-sock"
DIRECT = "qemu+unix:///system?mode=direct"


def test_a_guest_lives_and_moves_through_the_socket_of_its_own_daemon(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(
        agent, guest, force_stop="yes", hypervisor=DIRECT, migration_transport="tcp"
    )
    sockets = [host.path(SOCKET) for host in (alpha, beta)]
    try:
        assert resource.call(alpha, "start", timeout_s=6).code == 1, "no such socket"
        assert resource.call(alpha, "stop", timeout_s=6).code in (0, 1)
        assert alpha.emulators(guest.uuid) == []
        for socket in sockets:
            socket.symlink_to("libvirt-sock")
        assert resource.call(alpha, "start").code == 0
        assert resource.call(alpha, "monitor", interval_s=10).code == 0
        assert resource.migrate_to(alpha, beta).answer().code == 0
        assert resource.migrate_from(alpha, beta).code == 0
        assert resource.call(alpha, "monitor").code == 7
        sockets[1].unlink()
        assert resource.call(beta, "monitor", interval_s=10).code == 0
        assert len(beta.emulators(guest.uuid)) == 1
        sockets[1].symlink_to("libvirt-sock")
        assert resource.call(beta, "stop").code == 0
        assert beta.emulators(guest.uuid) == []
    finally:
        for socket in sockets:
            socket.unlink(missing_ok=True)
