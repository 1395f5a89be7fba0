"""The order in which a node shuts down: Pacemaker first, then its guests' libvirt."""

from __future__ import annotations

from packages.overlay import OverlayRoot

DROP_IN = "/usr/lib/systemd/system/pacemaker.service.d/vmha.conf"
UNITS = "/usr/lib/systemd/system"


def _listed(installed: OverlayRoot, key: str) -> set[str]:
    lines = installed.output(["cat", DROP_IN]).splitlines()
    values = [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]
    return {name for value in values for name in value.split()}


def test_pacemaker_ends_before_every_unit_of_libvirt(installed: OverlayRoot) -> None:
    found = installed.output(["sh", "-c", f"cd {UNITS} && ls virt*d*.s* libvirt*.s*"])
    units = {name for name in found.split() if "-ro." not in name}
    daemons = {name for name in units if "-admin." not in name and "@" not in name}
    assert {"libvirtd.service", "libvirt-guests.service"} <= daemons
    assert not daemons - _listed(installed, "After")


def test_guests_outlive_pacemaker_in_their_scopes(installed: OverlayRoot) -> None:
    target = "virt-guest-shutdown.target"
    assert target in _listed(installed, "After")
    assert target in _listed(installed, "Wants")


def test_systemd_finds_no_fault_and_no_cycle(installed: OverlayRoot) -> None:
    verify = ["systemd-analyze", "--man=no", "verify", "pacemaker.service"]
    checked = installed.run([*verify, "libvirtd.service", "libvirt-guests.service"])
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
