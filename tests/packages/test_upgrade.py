"""Upgrades and downgrades while agents are started all the time: no mixed modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from packages.builds import OTHER, marked
from packages.conftest import NAMES, install
from packages.overlay import OverlayRoot

from vmha.agents.protocol.version import VERSION

# Loads a module, waits as an operation does, and loads the rest: one build only.
ASK = """
import os, sys, time
import vmha.agents.protocol.version
while sys.argv[1:] == ["late"] and not os.path.exists("/tmp/stop"):
    time.sleep(0.05)
import vmha.agents.hypervisor.uri, vmha.agents.vm.states, vmha.agents.protocol.metadata
import vmha.agents.capacity.parameters, vmha.fence.protocol.agent
found = {getattr(m, "_VMHA_BUILD", "?") for n, m in sys.modules.items()
         if n.startswith("vmha.") and m.__doc__}
print(" ".join(sorted(found)))
"""
HAMMER = """
cd /tmp
/usr/bin/python3 -I /tmp/ask.py late >/tmp/slow 2>&1 &
slow=$!
( while [ ! -e /tmp/stop ]; do
    /usr/bin/python3 -I /tmp/ask.py || echo failed ask
    /usr/lib/ocf/resource.d/vmha/VirtualMachine meta-data >/dev/null || echo failed vm
    OCF_RESKEY_CRM_meta_timeout=20000 OCF_RESKEY_CRM_meta_interval=1000 \
        /usr/lib/ocf/resource.d/vmha/NodeCapacity validate-all >/dev/null 2>&1
    [ $? -ne 1 ] || echo failed capacity
    fence_vmha_ipmi -o metadata >/dev/null || echo failed fence
  done ) >/tmp/answers 2>&1 &
answers=$!
sleep 0.5
dpkg --install "$@" >/tmp/dpkg.log 2>&1 || { cat /tmp/dpkg.log; exit 1; }
sleep 0.5
touch /tmp/stop
wait $answers; wait $slow
rm /tmp/stop
cat /tmp/slow /tmp/answers
"""


@pytest.fixture(scope="module")
def two_builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Packages of this tree and of a later one, each module marked with its build."""
    version = VERSION
    return {
        build: marked(tmp_path_factory.mktemp("tree") / "vmha", build)
        for build in (version, OTHER)
    }


@pytest.fixture
def root(
    two_builds: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OverlayRoot]:
    """A root with the former build and both builds' packages in /tmp."""
    root = OverlayRoot(tmp_path_factory.mktemp("root"))
    root.run(["dpkg", "--purge", *NAMES])
    for debs in two_builds.values():
        for deb in debs:
            root.put(deb, f"/tmp/{deb.name}")
    install(root, two_builds[VERSION])
    root.run(["sh", "-c", "cat > /tmp/ask.py"], ASK)
    yield root
    root.close()


def test_no_call_fails_or_sees_two_builds_during_upgrade_and_downgrade(
    root: OverlayRoot, two_builds: dict[str, list[Path]]
) -> None:
    former = VERSION
    for old, new in ((former, OTHER), (OTHER, former)):
        answers = _hammered(root, two_builds[new])
        # The first is the call that began before and ended after the change.
        assert answers[0] == old
        assert answers[-1] == new
        assert set(answers) == {old, new}
        assert answers[1:] == sorted(answers[1:], key=[old, new].index)


def test_a_package_that_is_upgraded_alone_changes_nothing(
    root: OverlayRoot, two_builds: dict[str, list[Path]]
) -> None:
    """Until the others follow, all go on with the build that is whole."""
    alone = [deb for deb in two_builds[OTHER] if deb.name.startswith("vmha-common")]
    root.run(["dpkg", "--install", *(f"/tmp/{deb.name}" for deb in alone)])
    assert _ask(root) == VERSION
    root.output(["dpkg", "--install", *(f"/tmp/{d.name}" for d in two_builds[OTHER])])
    assert _ask(root) == OTHER


def test_a_part_that_comes_later_or_goes_is_taken_in_and_out(
    root: OverlayRoot, two_builds: dict[str, list[Path]]
) -> None:
    root.output(["dpkg", "--remove", "vmha", "vmha-cluster", "vmha-agents"])
    floors = "ls /usr/lib/vmha/live | grep -v ASSEMBLED"
    assert root.output(["sh", "-c", floors]).split() == ["agents", "fence"]
    root.output(["fence_vmha_ipmi", "-o", "metadata"])
    agents = next(d for d in two_builds[VERSION] if "agents" in d.name)
    root.output(["dpkg", "--install", f"/tmp/{agents.name}"])
    root.output(["/usr/lib/ocf/resource.d/vmha/VirtualMachine", "meta-data"])


def test_a_damaged_module_is_repaired_by_a_reinstallation(
    root: OverlayRoot, two_builds: dict[str, list[Path]]
) -> None:
    version = "/usr/lib/vmha/live/agents/protocol/version.py"
    root.output(["sh", "-c", f"echo broken >> {version}"])
    assert root.run(["python3", "-I", "/tmp/ask.py"]).returncode != 0
    debs = two_builds[VERSION]
    root.output(["dpkg", "--install", *(f"/tmp/{deb.name}" for deb in debs)])
    assert _ask(root) == VERSION


def _hammered(root: OverlayRoot, debs: list[Path]) -> list[str]:
    argv = ["sh", "-euc", HAMMER, "sh", *(f"/tmp/{deb.name}" for deb in debs)]
    said = root.run(argv, timeout_s=120)
    assert said.returncode == 0, said.stdout + said.stderr
    answers = said.stdout.splitlines()
    assert len(answers) > 5
    return answers


def _ask(root: OverlayRoot) -> str:
    return root.output(["python3", "-I", "/tmp/ask.py"]).strip()
