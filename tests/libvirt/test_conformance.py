"""ClusterLabs' own tests of an agent, on a real guest."""

from __future__ import annotations

import re
from typing import Callable

import pytest
from hosts import guests, installed
from hosts.host import Host
from lab.guest import Guest

Fresh = Callable[..., Guest]

# Its document type is that of OCF 1.0: it knows neither reloadable nor unique-group,
# and wants a DOCTYPE. Everything else must hold.
OUTDATED = "Your agent produces meta-data which does not conform to ra-api-1.dtd"
FAULT = re.compile(r"^\* rc=\d+: (.*)$", re.MULTILINE)


@pytest.mark.timeout(120)
def test_ocf_tester_finds_only_that_we_are_newer_than_its_metadata(
    alpha: Host, fresh: Fresh
) -> None:
    guest = fresh()
    agent = installed.install(alpha)

    done = alpha.run(
        *("ocf-tester", "-v", "-n", guest.name),
        *("-o", f"config={guests.config_path(guest)}"),
        *("-o", "hypervisor=qemu:///system"),
        *("-o", "force_stop=1"),
        str(agent),
        check=False,
        timeout_s=110,
    )

    assert set(FAULT.findall(done.stdout)) == {OUTDATED}, done.stdout + done.stderr
    assert alpha.emulators(guest.uuid) == []
