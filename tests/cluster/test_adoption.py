"""Switching a running guest from VirtualDomain to VirtualMachine, one word changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab import Lab
    from lab.watch import Watch

GUEST = "web3"
ONE_WORD = "<primitive id='web3' class='ocf' provider='vmha' type='VirtualMachine'/>"
MONITORED_S = 15.0


def test_a_guest_of_virtualdomain_is_adopted_without_a_pause(
    lab: Lab, watch: Watch
) -> None:
    lab.guest(GUEST)
    began = time.monotonic()
    lab.cluster.add_guest(GUEST, lab.guest_file(GUEST), peers=True)
    try:
        place = watch.wait_tick(GUEST, began, 60).node
        lab.wait_idle()
        lab.cluster.pcs("property", "set", "maintenance-mode=true")
        lab.cluster.run(["cibadmin", "--modify", "--xml-text", ONE_WORD])
        lab.cluster.run(["crm_resource", "--refresh", "--resource", GUEST])
        lab.wait_idle()
        lab.cluster.pcs("property", "set", "maintenance-mode=false")
        lab.wait_idle()
        time.sleep(MONITORED_S)
        assert lab.cluster.where(GUEST) == [place]
        assert watch.executing(GUEST) == [place]
        assert watch.unbroken(GUEST, began)
    finally:
        lab.cluster.pcs("property", "set", "maintenance-mode=false")
        lab.cluster.pcs("resource", "delete", GUEST, timeout_s=120)
    lab.wait_idle()
    assert watch.executing(GUEST) == []
