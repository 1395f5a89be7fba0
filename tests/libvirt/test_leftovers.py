"""What libvirt keeps of a guest: autostart, definitions, images, UEFI variables."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import Resource
from lab.guest import Guest

Fresh = Callable[..., Guest]
DISK = """\
<disk type='file' device='disk'>
  <driver name='qemu' type='raw'/><source file='{}'/><target dev='vdb' bus='virtio'/>
</disk>
"""
TPM = "<tpm><backend type='emulator' version='2.0'/></tpm></devices>"
KEPT = "'emulator' persistent_state='yes'"
FLASH = "/run/guests/flash.fd"
UEFI = f"""\
</type><loader readonly='yes' type='pflash'>{FLASH}</loader>
<nvram template='{FLASH}'>/run/guests/{{}}.nvram</nvram>"""


def of(agent: Path, guest: Guest, **parameters: str) -> Resource:
    return guests.resource(agent, guest, force_stop="yes", **parameters)


def defined(host: Host, guest: Guest) -> bool:
    return guest.name in host.virsh("list", "--all", "--name").split()


def starts_at_boot(host: Host, guest: Guest) -> bool:
    return guest.name in host.virsh("list", "--all", "--autostart", "--name").split()


def undefine(host: Host, guest: Guest) -> None:
    host.virsh("undefine", guest.name, "--managed-save", "--nvram", check=False)


@pytest.mark.parametrize("by_config", [True, False], ids=["config", "domain"])
def test_a_guest_that_libvirt_would_start_at_boot_is_cleared_or_refused(
    alpha: Host, agent: Path, fresh: Fresh, by_config: bool
) -> None:
    guest = fresh()
    alpha.virsh("define", guests.config_path(guest))
    alpha.virsh("autostart", guest.name)
    clear = of(agent, guest)
    if not by_config:
        clear = clear.but(config=None, domain=guest.name)
    refuse = clear.but(autostart="refuse")

    refused = refuse.call(alpha, "start")
    assert refused.code == 1
    assert "autostart" in refused.reason
    assert alpha.emulators(guest.uuid) == []
    assert starts_at_boot(alpha, guest)
    assert clear.call(alpha, "start").code == 0
    assert not starts_at_boot(alpha, guest)

    alpha.virsh("autostart", guest.name)
    assert clear.call(alpha, "monitor").code == 0
    assert starts_at_boot(alpha, guest), "a probe changes nothing"
    assert clear.call(alpha, "stop").code == 0
    assert defined(alpha, guest)
    undefine(alpha, guest)


def test_a_guest_marked_on_the_target_is_cleared_or_not_moved(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = of(agent, guest, migration_transport="tcp", autostart="refuse")
    beta.virsh("define", guests.config_path(guest))
    beta.virsh("autostart", guest.name)
    assert resource.call(alpha, "start").code == 0

    refused = resource.migrate_to(alpha, beta).answer()
    assert refused.code == 1
    assert "autostart" in refused.reason
    assert len(alpha.emulators(guest.uuid)) == 1
    cleared = resource.but(autostart="clear").migrate_to(alpha, beta).answer()
    assert cleared.code == 0
    assert not starts_at_boot(beta, guest)

    assert resource.call(beta, "stop").code == 0
    undefine(beta, guest)


def test_a_definition_of_another_guest_of_that_name_is_named_and_not_touched(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = of(agent, guest, leftover_definition="undefine")
    other = guests.put_config(alpha, guest, guests.other_uuid(guest))
    alpha.virsh("define", other)
    guests.put_config(alpha, guest)

    refused = resource.call(alpha, "start")
    assert refused.code == 1
    assert guests.stranger_uuid(guest) in refused.reason
    assert resource.leveled(10).call(alpha, "validate-all").code == 2
    assert resource.call(alpha, "validate-all").code == 0
    assert resource.call(alpha, "stop").code == 0
    assert defined(alpha, guest)
    undefine(alpha, guest)
    assert resource.leveled(10).call(alpha, "validate-all").code == 0


@pytest.mark.parametrize("nvram", ["keep", "remove"])
def test_a_leftover_definition_goes_after_the_stop_and_uefi_variables_as_told(
    alpha: Host, agent: Path, fresh: Fresh, nvram: str
) -> None:
    guest = fresh()
    alpha.path(FLASH).write_bytes(bytes(256 << 10))
    xml = guest.xml().replace("</type>", UEFI.format(guest.name))
    path = guests.put_config(alpha, guest, xml)
    alpha.virsh("define", path)
    keep = of(agent, guest)
    go = keep.but(leftover_definition="undefine", nvram=nvram)
    variables = alpha.path(f"/run/guests/{guest.name}.nvram")

    assert keep.call(alpha, "start").code == 0
    assert keep.call(alpha, "stop").code == 0
    assert defined(alpha, guest)
    assert variables.exists()
    assert go.call(alpha, "start").code == 0
    assert go.call(alpha, "stop").code == 0
    assert not defined(alpha, guest)
    assert variables.exists() is (nvram == "keep")
    assert alpha.path(path).exists()


@pytest.mark.parametrize("tpm", ["keep", "remove", None])
def test_the_state_of_an_emulated_tpm_stays_or_goes_as_told(
    alpha: Host, agent: Path, fresh: Fresh, tpm: str | None
) -> None:
    """With a definition the parameter decides, without one persistent_state does."""
    guest = fresh()
    kept = TPM if tpm else TPM.replace("'emulator'", KEPT)
    path = guests.put_config(alpha, guest, guest.xml().replace("</devices>", kept))
    resource = of(agent, guest)
    if tpm:
        alpha.virsh("define", path)
        resource = resource.but(leftover_definition="undefine", tpm_state=tpm)

    assert resource.call(alpha, "start", timeout_s=40).code == 0
    state = alpha.path(f"/var/lib/libvirt/swtpm/{guest.uuid}")
    assert state.exists()
    assert resource.call(alpha, "stop").code == 0

    assert not defined(alpha, guest)
    assert state.exists() is (tpm != "remove")


def test_a_saved_memory_image_is_neither_resumed_nor_removed(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = of(agent, guest, leftover_definition="undefine")
    alpha.virsh("define", guests.config_path(guest))
    alpha.virsh("start", guest.name)
    guests.await_tick(alpha, guest)
    alpha.virsh("managedsave", guest.name)

    assert resource.call(alpha, "start").code == 0
    guests.await_tick(alpha, guest)
    assert len({tick.boot for tick in guests.ticks(alpha, guest)}) == 2
    assert resource.call(alpha, "stop").code == 0
    assert guest.name in alpha.virsh("list", "--all", "--with-managed-save", "--name")
    undefine(alpha, guest)


def test_a_config_in_libvirts_own_folder_is_never_deleted(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    alpha.virsh("define", guests.config_path(guest))
    own = f"/etc/libvirt/qemu/{guest.name}.xml"
    link = f"/run/guests/{guest.name}-link.xml"
    alpha.path(link).symlink_to(own)
    resource = of(agent, guest, leftover_definition="undefine").but(config=link)

    assert resource.call(alpha, "start").code == 0
    assert resource.call(alpha, "stop").code == 0

    assert alpha.path(own).exists()
    undefine(alpha, guest)


def test_a_device_attached_to_the_running_guest_is_saved_at_stop(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    path = guests.config_path(guest)
    file = alpha.path(path)
    by_hand = file.read_text() + "<!-- mine -->\n"
    file.write_text(by_hand)
    file.chmod(0o640)
    resource = of(agent, guest, save_config_on_stop="yes")

    assert resource.call(alpha, "start").code == 0
    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    assert resource.call(alpha, "stop").code == 0
    assert file.read_text() == by_hand, "nothing has changed"

    alpha.path("/run/guests/more.raw").write_bytes(bytes(1 << 20))
    alpha.path("/run/guests/more.xml").write_text(DISK.format("/run/guests/more.raw"))
    assert resource.call(alpha, "start").code == 0
    alpha.virsh("attach-device", guest.name, "/run/guests/more.xml")
    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    assert file.read_text() == by_hand, "a monitor writes nothing"
    assert resource.call(alpha, "stop").code == 0

    assert "more.raw" in file.read_text()
    assert guest.uuid in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640
    assert resource.call(alpha, "start").code == 0
    assert "more.raw" in alpha.virsh("dumpxml", guest.name)


def test_a_device_attached_to_a_guest_is_saved_before_it_moves_and_once_only(
    alpha: Host, beta: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = of(agent, guest, save_config_on_stop="yes", migration_transport="tcp")
    files = [host.path(guests.config_path(guest)) for host in (alpha, beta)]
    assert resource.call(alpha, "start").code == 0
    alpha.virsh("desc", guest.name, "--live", "rack 7")

    assert resource.migrate_to(alpha, beta).answer().code == 0
    assert resource.migrate_from(alpha, beta).code == 0
    assert "rack 7" in files[0].read_text()
    before = files[1].read_text()
    assert resource.call(beta, "stop").code == 0
    assert files[1].read_text() == before, "it has not changed on this host"


def test_a_changed_definition_that_cannot_be_saved_stops_all_the_same(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest, other = fresh(), fresh()
    resource = of(agent, guest, sync_config_on_stop="yes")
    alpha.path("/run/guests/more.raw").write_bytes(bytes(1 << 20))
    alpha.path("/run/guests/more.xml").write_text(DISK.format("/run/guests/more.raw"))
    assert resource.call(alpha, "start").code == 0
    alpha.virsh("attach-device", guest.name, "/run/guests/more.xml")
    guests.put_config(alpha, guest, other.xml())

    assert resource.call(alpha, "stop").code == 0

    assert alpha.path(guests.config_path(guest)).read_text() == other.xml()
    assert alpha.emulators(guest.uuid) == []


def test_a_wish_about_disks_that_nobody_fulfils_is_refused_at_start_only(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    plain = of(agent, guest, snapshot="/srv/images", stateless="no")
    assert plain.call(alpha, "start").code == 0
    for name, text in (
        ("stateless", "true"),
        ("backingfile", "/srv/base.qcow2"),
        ("copyindirs", "/etc/x:/etc"),
    ):
        wishing = plain.but(**{name: text})
        assert wishing.call(alpha, "monitor", interval_s=10).code == 0
        assert wishing.call(alpha, "reload-agent").code == 0
        assert wishing.call(alpha, "validate-all").code == 6
        refused = wishing.call(alpha, "start")
        assert refused.code == 6
        assert name in refused.reason
        assert "Not supported" in refused.reason
    assert wishing.call(alpha, "stop").code == 0
    assert alpha.emulators(guest.uuid) == []
