"""ClusterLabs' own tests of an agent, on a real guest."""

from __future__ import annotations

import re
from pathlib import Path
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


CASES = Path("/usr/share/resource-agents/ocft/configs/VirtualDomain")
CHECK = re.compile(r"Checking return value:\s+(?:\x1b\[\d+m)?(\w+)")
GIVEN = "Env OCF_RESKEY_config=$OCFT_config"
OURS = """
	Env OCF_RESKEY_hypervisor=qemu:///system
	Env OCF_RESKEY_force_stop=1"""


@pytest.mark.timeout(120)
def test_virtualdomains_own_cases_pass_with_the_agent_exchanged(
    alpha: Host, fresh: Fresh
) -> None:
    guest = fresh()
    agent = installed.install(alpha)
    text = CASES.read_text()
    for before, after in (
        ("Agent VirtualDomain", f"Agent {agent.name}"),
        ("/usr/lib/ocf/resource.d/heartbeat", str(agent.parent)),
        ("/etc/libvirt/qemu/sle11-sp3.xml", guests.config_path(guest)),
        (GIVEN, GIVEN + OURS),
    ):
        assert before in text
        text = text.replace(before, after)
    alpha.path("/run/ocft").mkdir(exist_ok=True)
    alpha.path("/run/ocft/VirtualMachine").write_text(text)
    # ocft keeps what it makes below /var/lib: cover that, for it alone.
    cover = "mount -t tmpfs vmha-test /var/lib"
    make = f"ocft make -d /run/ocft {agent.name} > /dev/null"
    script = f"{cover} && {make} && ocft test -v {agent.name}"

    done = alpha.run("unshare", "-m", "sh", "-c", script, check=False, timeout_s=110)

    checked = CHECK.findall(done.stdout)
    assert text.count('CASE "') == len(checked) == 9, done.stdout + done.stderr
    assert checked == ["OK"] * 9, done.stdout + done.stderr
