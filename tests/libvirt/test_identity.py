"""Who the guest is: strangers, adopted guests, records that are lost or stale."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Callable

from hosts import guests
from hosts.host import Host
from hosts.operation import PEER
from lab.guest import Guest

Fresh = Callable[..., Guest]


def _create_stranger(host: Host, guest: Guest) -> None:
    path = f"/run/guests/{guest.name}-stranger.xml"
    host.path(path).write_text(guests.other_uuid(guest))
    host.virsh("create", path)


def test_a_stranger_of_the_same_name_is_neither_claimed_nor_harmed(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest)
    _create_stranger(alpha, guest)
    stranger = alpha.emulators(guests.stranger_uuid(guest))
    assert stranger

    assert resource.call(alpha, "monitor").code == 7
    started = resource.call(alpha, "start")
    assert started.code == 1
    assert guests.stranger_uuid(guest) in started.reason
    assert resource.call(alpha, "stop").code == 0

    assert alpha.emulators(guests.stranger_uuid(guest)) == stranger
    alpha.virsh("destroy", guest.name)


def test_the_peer_kills_a_stranger_of_the_same_name(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    _create_stranger(alpha, guest)
    resource = guests.resource(PEER, guest, force_stop="yes")

    resource.call(alpha, "monitor")
    resource.call(alpha, "stop")

    assert alpha.emulators(guests.stranger_uuid(guest)) == []


def test_a_guest_that_ran_before_is_adopted_by_the_first_monitor(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    alpha.virsh("create", guests.config_path(guest))
    resource = guests.resource(agent, guest, force_stop="yes")

    assert resource.call(alpha, "monitor").code == 0

    alpha.path(guests.config_path(guest)).unlink()
    assert resource.call(alpha, "monitor").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert alpha.emulators(guest.uuid) == []


def test_a_guest_that_the_peer_started_is_adopted_and_stopped(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest, force_stop="yes")
    assert resource.by(PEER).call(alpha, "start").code == 0

    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    assert resource.call(alpha, "stop").code == 0
    assert alpha.emulators(guest.uuid) == []


def test_a_lost_record_is_written_again_by_the_next_monitor(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest)
    assert resource.call(alpha, "start").code == 0
    record = alpha.path(f"/run/vmha/guests/{guest.name}.guest")
    text = record.read_text()
    record.unlink()

    assert resource.call(alpha, "monitor", interval_s=10).code == 0

    assert record.read_text() == text
    assert record.stat().st_mode & 0o777 == 0o600


def test_a_stale_record_does_not_keep_a_guest_from_starting_or_stopping(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    old, guest = fresh(), fresh()
    instance = guest.name
    before = guests.resource(agent, old, force_stop="yes")
    before.instance = instance
    assert before.call(alpha, "start").code == 0
    guests.end(alpha, old)
    resource = guests.resource(agent, guest, force_stop="yes")

    assert resource.call(alpha, "monitor").code == 7
    assert resource.call(alpha, "start").code == 0
    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    assert resource.call(alpha, "stop").code == 0
    assert alpha.emulators(guest.uuid) == []


def test_an_edited_config_stops_the_guest_that_runs_before_the_other_starts(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    old, new = fresh(), fresh()
    resource = guests.resource(agent, old, force_stop="yes")
    assert resource.call(alpha, "start").code == 0
    guests.put_config(alpha, old, new.xml())

    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    probe = resource.call(alpha, "monitor")
    assert probe.code == 1
    assert old.name in probe.reason
    assert resource.call(alpha, "start").code == 1
    assert alpha.emulators(new.uuid) == []

    assert resource.call(alpha, "stop").code == 0
    assert alpha.emulators(old.uuid) == []
    assert resource.call(alpha, "start").code == 0
    assert alpha.emulators(new.uuid)


def test_a_record_of_a_guest_that_another_resource_has_is_not_acted_upon(
    beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest, another = fresh(), fresh()
    renamed = guests.resource(agent, guest)
    assert renamed.call(beta, "start").code == 0
    folder = beta.path("/run/vmha/guests")
    stale = folder / "former-name.guest"
    stale.write_text((folder / f"{guest.name}.guest").read_text())
    stale.chmod(0o600)
    former = guests.resource(agent, another)
    former.instance = "former-name"

    assert former.call(beta, "stop").code == 0

    assert beta.emulators(guest.uuid)


def test_a_persistent_guest_is_run_by_name_and_by_uuid(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    alpha.virsh("define", guests.config_path(guest))
    for domain in (guest.name, guest.uuid, guest.uuid.upper()):
        resource = guests.resource(agent, guest, force_stop="yes")
        resource = resource.but(config=None, domain=domain)
        assert resource.call(alpha, "monitor").code == 7
        assert resource.call(alpha, "start").code == 0
        assert resource.call(alpha, "monitor").code == 0
        assert resource.call(alpha, "monitor", interval_s=10).code == 0
        assert resource.call(alpha, "stop").code == 0
        assert alpha.emulators(guest.uuid) == []
    assert guest.name in alpha.virsh("list", "--all", "--name")
    alpha.virsh("undefine", guest.name)

    undefined = resource.call(alpha, "start")

    assert undefined.code == 5
    assert "virsh define" in undefined.reason


def test_a_saved_memory_image_is_not_resumed(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    alpha.virsh("define", guests.config_path(guest))
    alpha.virsh("start", guest.name)
    guests.await_tick(alpha, guest)
    alpha.virsh("managedsave", guest.name)
    before = guests.ticks(alpha, guest)[-1].boot
    resource = guests.resource(agent, guest, force_stop="yes")
    resource = resource.but(config=None, domain=guest.name)

    assert resource.call(alpha, "start").code == 0
    guests.await_tick(alpha, guest)

    assert guests.ticks(alpha, guest)[-1].boot != before
    assert resource.call(alpha, "stop").code == 0
    alpha.virsh("undefine", "--managed-save", guest.name)


def test_a_guest_without_a_uuid_of_its_own_is_known_by_its_name(
    beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    anonymous = guest.xml().replace(f"<uuid>{guest.uuid}</uuid>", "")
    guests.put_config(beta, guest, anonymous)
    resource = guests.resource(agent, guest, force_stop="yes")
    assert resource.call(beta, "start").code == 0
    given = beta.virsh("domuuid", guest.name)
    record = beta.path(f"/run/vmha/guests/{guest.name}.guest")
    assert f"uuid={given}\n" in record.read_text()
    record.unlink()
    beta.signal_libvirtd(signal.SIGKILL)

    assert resource.call(beta, "monitor").code == 0
    assert resource.call(beta, "stop").code == 0
    assert beta.emulators(given) == []


def test_what_a_guest_needs_is_started_for_it_where_that_is_wanted(
    beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    pool = f"pool-{guest.name}"
    folder = beta.path(f"/run/{pool}")
    folder.mkdir()
    (folder / "disk").write_bytes(bytes(1 << 20))
    beta.virsh("pool-define-as", pool, "dir", "--target", f"/run/{pool}")
    disk = (
        f"<disk type='volume'><source pool='{pool}' volume='disk'/>"
        "<target dev='vda' bus='virtio'/></disk></devices>"
    )
    guests.put_config(beta, guest, guest.xml().replace("</devices>", disk))
    resource = guests.resource(agent, guest, force_stop="yes")

    refused = resource.call(beta, "start")
    assert refused.code == 1
    assert pool in refused.reason
    assert resource.but(start_resources="yes").call(beta, "start").code == 0
    assert "running" in beta.virsh("pool-info", pool)
    assert resource.call(beta, "stop").code == 0
    beta.virsh("pool-destroy", pool)
    beta.virsh("pool-undefine", pool)
