"""Removal: refused while the cluster still needs the agents, clean when it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from packages.conftest import install
from packages.overlay import OverlayRoot

STORED = "/var/lib/pacemaker/cib/cib.xml"
ASKED = "/tmp/running-cib.xml"
USERS = {
    "agents": (
        '<primitive id="web" class="ocf" provider="vmha" type="VirtualMachine"/>'
        '<clone id="all"><primitive id="room" class="ocf" provider="vmha"'
        ' type="NodeCapacity"/></clone>'
    ),
    "fence": '<primitive id="web-fence" class="stonith" type="fence_vmha_ipmi"/>',
    "nothing": '<primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2"/>',
}
NAMED = {"agents": "room, web;", "fence": "web-fence;"}
STILL_THERE = {
    "agents": ["/usr/lib/ocf/resource.d/vmha/VirtualMachine", "meta-data"],
    "fence": ["fence_vmha_ipmi", "-o", "metadata"],
}
GUEST = "exec -a guest=web sleep 600"


@pytest.fixture
def root(installed: OverlayRoot, debs: dict[str, Path]) -> Iterator[OverlayRoot]:
    yield installed
    installed.output(["rm", "-f", STORED, ASKED])
    install(installed, list(debs.values()))


def _configure(root: OverlayRoot, kind: str, place: str) -> None:
    fill = f"mkdir -p $(dirname {place}); cibadmin --empty | sed 's,<resources/>,"
    fill += f"<resources>{USERS[kind]}</resources>,' > {place}"
    root.output(["sh", "-euc", fill])


def _remove(root: OverlayRoot, *words: str) -> tuple[int, str]:
    said = root.run(["env", *words, "dpkg", "--remove", "vmha", "vmha-cluster", *KINDS])
    return said.returncode, said.stdout + said.stderr


KINDS = ("vmha-agents", "vmha-fence")


@pytest.mark.parametrize("place", [STORED, ASKED], ids=["stopped", "running"])
@pytest.mark.parametrize("kind", ["agents", "fence"])
def test_removal_is_refused_in_one_sentence_while_the_cluster_uses_it(
    root: OverlayRoot, kind: str, place: str
) -> None:
    _configure(root, kind, place)
    code, said = _remove(root, f"CIB_file={place}" if place == ASKED else "LC_ALL=C")
    assert code != 0
    sentences = [line for line in said.splitlines() if "is not removed" in line]
    assert len(sentences) == 1
    assert sentences[0].startswith(f"vmha-{kind} is not removed")
    assert NAMED[kind] in sentences[0]
    assert "VMHA_REMOVE=yes" in sentences[0]
    root.output(STILL_THERE[kind])


def test_the_refusal_can_be_overridden(root: OverlayRoot) -> None:
    _configure(root, "agents", STORED)
    assert _remove(root, "VMHA_REMOVE=yes")[0] == 0


def test_another_providers_resources_are_no_reason_to_stay(root: OverlayRoot) -> None:
    _configure(root, "nothing", STORED)
    assert _remove(root)[0] == 0


def test_an_upgrade_asks_nothing_while_the_cluster_uses_it(
    root: OverlayRoot, debs: dict[str, Path]
) -> None:
    _configure(root, "agents", STORED)
    install(root, list(debs.values()))


def test_the_records_of_running_guests_stay_when_the_packages_go(
    root: OverlayRoot,
) -> None:
    """And no script ends a process: the one beside it lives on."""
    begin = f"mkdir -p /run/vmha/guests; : > /run/vmha/guests/web; ({GUEST}) "
    begin += "</dev/null >/dev/null 2>&1 & echo $!"
    pid = root.output(["bash", "-c", begin]).strip()
    try:
        assert _remove(root)[0] == 0
        root.output(["dpkg", "--purge", *KINDS, "vmha-common", "vmha-cluster", "vmha"])
        root.output(["test", "-e", "/run/vmha/guests/web"])
        root.output(["kill", "-0", pid])
    finally:
        root.run(["sh", "-c", f"kill {pid}; rm -r /run/vmha"])
