"""How a guest nearly ran twice: odd but possible sequences, each with its next step."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Callable

from hosts import guests
from hosts.host import Host
from lab.guest import Guest

Fresh = Callable[..., Guest]
HOOK = "/etc/libvirt/hooks/qemu"
# libvirt runs it before the emulator; a storage that hangs has the same effect.
HANGS = """#!/bin/sh
[ "$2" = prepare ] && [ -e /run/hang ] && [ "$1" = "$(cat /run/hang)" ] && sleep 20
exit 0
"""


def _alive(host: Host, name: str) -> list[str]:
    return [a for _, argv in host.processes() for a in argv if f"guest={name}," in a]


def test_a_start_that_libvirt_still_carries_out_is_not_called_stopped(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    """The start gave up, libvirt did not: stop 0 would let a second copy start."""
    guest = fresh()
    resource = guests.resource(agent, guest, force_stop="yes")
    hook = alpha.path(HOOK)
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HANGS)
    hook.chmod(0o755)
    alpha.signal_libvirtd(signal.SIGKILL)
    alpha.revive()  # it looks for hooks when it begins
    alpha.path("/run/hang").write_text(guest.name)
    try:
        assert resource.call(alpha, "start", timeout_s=8).code == 1
        assert resource.call(alpha, "monitor", timeout_s=8).code == 1
        assert resource.call(alpha, "stop", timeout_s=6).code == 1
        alpha.path("/run/hang").unlink()
        stopped = resource.call(alpha, "stop", timeout_s=40)
        assert stopped.code == 0
        time.sleep(1.0)
        assert _alive(alpha, guest.name) == []
    finally:
        hook.unlink()


def test_a_guest_without_a_uuid_that_was_created_anew_by_hand_is_found_and_stopped(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    anonymous = guest.xml().replace(f"<uuid>{guest.uuid}</uuid>", "")
    guests.put_config(alpha, guest, anonymous)
    resource = guests.resource(agent, guest, force_stop="yes")
    assert resource.call(alpha, "start").code == 0
    alpha.virsh("destroy", guest.name)
    alpha.virsh("create", guests.config_path(guest))
    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    assert resource.call(alpha, "monitor").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert _alive(alpha, guest.name) == []


def test_a_resource_that_was_renamed_keeps_its_guest_when_the_file_is_lost(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest, force_stop="yes")
    old = guests.resource(agent, guest, force_stop="yes")
    old.instance = f"{guest.name}-old"
    assert old.call(alpha, "start").code == 0
    assert resource.call(alpha, "monitor").code == 0
    alpha.path(guests.config_path(guest)).unlink()
    assert resource.call(alpha, "monitor").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert _alive(alpha, guest.name) == []
    alpha.path(f"/run/vmha/guests/{old.instance}.guest").unlink()


def test_a_guest_whose_file_differs_on_the_target_is_stopped_there(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    """migrate_from fails, and the stop that follows must find what has arrived."""
    guest = fresh()
    other = guests.define(f"{guest.name}-other")
    guests.put_config(beta, guest, other.xml())
    resource = guests.resource(
        agent, guest, force_stop="yes", migration_transport="tcp"
    )
    assert resource.call(alpha, "start").code == 0
    guests.await_tick(alpha, guest)
    assert resource.migrate_to(alpha, beta).answer().code == 0
    arrived = resource.migrate_from(alpha, beta)
    assert arrived.code == 1
    assert "differ" in arrived.reason
    assert resource.call(beta, "stop").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert _alive(beta, guest.name) == []
    assert _alive(alpha, guest.name) == []


def test_a_paused_guest_whose_uuid_differs_on_the_target_is_stopped_there(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    """libvirt does not remember of a paused guest that it came by a migration."""
    guest = fresh()
    guests.put_config(beta, guest, guests.other_uuid(guest))
    resource = guests.resource(
        agent, guest, force_stop="yes", migration_transport="tcp"
    )
    assert resource.call(alpha, "start").code == 0
    guests.await_tick(alpha, guest)
    alpha.virsh("suspend", guest.name)
    assert resource.migrate_to(alpha, beta).answer().code == 0
    assert resource.migrate_from(alpha, beta).code == 1
    assert resource.call(beta, "monitor").code != 7
    assert resource.call(beta, "stop").code == 0
    assert _alive(beta, guest.name) == []
    assert resource.call(alpha, "stop").code == 0
    assert _alive(alpha, guest.name) == []


def test_a_guest_without_a_uuid_that_libvirt_has_forgotten_is_found_and_stopped(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    """Told of it anew, libvirt gives it a new UUID; the emulator keeps the old one."""
    guest = fresh()
    anonymous = guest.xml().replace(f"<uuid>{guest.uuid}</uuid>", "")
    path = guests.put_config(alpha, guest, anonymous)
    resource = guests.resource(agent, guest, force_stop="yes")
    assert resource.call(alpha, "start").code == 0
    alpha.signal_libvirtd(signal.SIGKILL)
    alpha.path(f"/run/libvirt/qemu/{guest.name}.xml").unlink()
    alpha.revive()
    alpha.virsh("define", path)
    try:
        assert _alive(alpha, guest.name)
        assert resource.call(alpha, "monitor").code == 1
        assert resource.call(alpha, "monitor", interval_s=10).code == 1
        assert resource.call(alpha, "stop").code == 0
        assert _alive(alpha, guest.name) == []
    finally:
        alpha.virsh("undefine", guest.name)
