"""The packages under a running guest: upgraded, downgraded, not removed in use.

And removed when the cluster needs them no more; a guest without a resource lives on.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from packages.builds import OTHER, marked

from vmha.agents.protocol.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lab import Lab
    from lab.node import Node
    from lab.watch import Watch

GUESTS = ("web1", "web2")
GUEST = GUESTS[0]
STRAY = "stray"
FOLDER = "/var/tmp/packages"
INSTALL_S = 240.0
SEVERAL_MONITORS_S = 5.0
LIVE = "import vmha.agents.protocol.version as v; print(v.VERSION)"
REMOVED = ("vmha", "vmha-cluster", "vmha-agents", "vmha-fence")


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Packages of a later version that differ in every module."""
    return marked(tmp_path_factory.mktemp("tree") / "vmha", OTHER)


@pytest.fixture
def busy(lab: Lab) -> Iterator[Node]:
    """The guest's node, with a monitor of the guest every second."""
    home = lab.cluster.wait_running(GUEST)
    _monitored(lab, "1s")
    try:
        yield lab.node(home)
    finally:
        _monitored(lab, "10s")
        lab.wait_idle()


def test_a_guest_and_its_monitors_do_not_notice_an_upgrade_or_a_downgrade(
    lab: Lab, watch: Watch, busy: Node, later: list[Path], debs: list[Path]
) -> None:
    began_s = time.monotonic()
    for packages, version in ((later, OTHER), (debs, VERSION)):
        _install(busy, packages)
        time.sleep(SEVERAL_MONITORS_S)
        assert busy.run(["python3", "-Ic", LIVE]).stdout.strip() == version
        lab.wait_idle()
        assert not lab.cluster.status().findall("failures/failure")
        assert lab.cluster.where(GUEST) == [busy.name]
    assert watch.unbroken(GUEST, began_s)


def test_the_packages_stay_while_the_cluster_needs_them(
    lab: Lab, watch: Watch, busy: Node
) -> None:
    began_s = time.monotonic()
    for package in ("vmha-agents", "vmha-fence"):
        wanted = [name for name in REMOVED if name != package]
        said = busy.run(["dpkg", "--remove", package, *wanted], INSTALL_S, check=False)
        assert said.code != 0
        assert f"{package} is not removed" in said.stderr
    time.sleep(SEVERAL_MONITORS_S)
    assert not lab.cluster.status().findall("failures/failure")
    assert lab.cluster.where(GUEST) == [busy.name]
    assert watch.unbroken(GUEST, began_s)


@pytest.fixture
def unneeded(lab: Lab, debs: list[Path]) -> Iterator[Node]:
    """A node of a cluster that uses nothing of vmha, with a guest that is not its."""
    node = lab.nodes[0]
    empty = ["--replace", "--scope", "resources", "--xml-text", "<resources/>"]
    lab.cluster.run(["cibadmin", *empty])
    lab.wait_idle()
    lab.guest(STRAY)
    node.run(["virsh", "create", lab.guest_file(STRAY)])
    yield node
    node.run(["virsh", "destroy", STRAY])
    _install(node, debs)
    lab.configure(GUESTS)


def test_they_go_and_leave_nothing_when_the_cluster_needs_them_no_more(
    lab: Lab, unneeded: Node
) -> None:
    emulators = unneeded.pids("qemu-system-x86_64")
    assert unneeded.guests() == [STRAY]
    unneeded.run(["dpkg", "--purge", *REMOVED, "vmha-common"], INSTALL_S)
    left = ["find", "/usr", "/etc/default", "/etc/systemd", "-name", "*vmha*"]
    assert unneeded.run(left).stdout == ""
    assert unneeded.pids("qemu-system-x86_64") == emulators
    lab.wait_idle()
    assert not lab.cluster.status().findall("failures/failure")
    assert sorted(lab.cluster.online()) == [node.name for node in lab.nodes]


@pytest.fixture(autouse=True)
def whole(lab: Lab, debs: list[Path]) -> Iterator[None]:
    """Every node has all packages again, whatever the test has left."""
    yield
    for node in lab.nodes:
        asked = ["dpkg-query", "--show", "--showformat", "${db:Status-Status} ", "vmha"]
        if node.run(asked, check=False).stdout.split() != ["installed"]:
            _install(node, debs)


def _install(node: Node, packages: Sequence[Path]) -> None:
    node.run(["mkdir", "-p", FOLDER])
    for package in packages:
        node.path(f"{FOLDER}/{package.name}").write_bytes(package.read_bytes())
    places = [f"{FOLDER}/{package.name}" for package in packages]
    node.run(["dpkg", "--install", *places], INSTALL_S)


def _monitored(lab: Lab, interval: str) -> None:
    operation = ["op", "monitor", f"interval={interval}", "timeout=60s"]
    lab.cluster.pcs("resource", "update", GUEST, *operation)
    lab.wait_idle()
