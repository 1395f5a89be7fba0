"""The packages on bare systems of both suites: its dependencies are complete."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import sources

LIMIT_S = 600
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
INSTALL = """
mount -t proc proc /proc
apt-get update -qq
apt-get install -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 /vmha*.deb
"""
USE = """
/usr/lib/ocf/resource.d/vmha/VirtualMachine meta-data
fence_vmha_ipmi -o metadata
fence_vmha_redfish -o metadata
/usr/bin/python3 -I -W error -c '
import vmha.agents.hypervisor.connection, libvirt
import vmha.agents.domainxml.document, lxml.etree
import vmha.fence.ipmi.session, pyghmi.ipmi.private.session
import vmha.fence.redfish.channel, vmha.fence.redfish.power
'
"""


@pytest.fixture(params=["bookworm", "trixie"])
def bare_system(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A Debian without anything that its installer would not force on a container."""
    suite = request.param
    root = tmp_path_factory.mktemp(suite) / "root"
    archive = sources.machine(suite).archive
    where = [archive] if archive else []
    _in_own_mounts("debootstrap", "--variant=minbase", suite, str(root), *where)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    yield root
    shutil.rmtree(root)


@pytest.mark.timeout(LIMIT_S)
def test_it_installs_and_answers_on_a_bare_system(
    bare_system: Path, debs: dict[str, Path]
) -> None:
    for deb in debs.values():
        shutil.copy(deb, bare_system)
    _in_own_mounts("chroot", str(bare_system), "sh", "-euc", INSTALL)
    shown = _in_own_mounts("chroot", str(bare_system), "sh", "-euc", USE)
    assert '<resource-agent name="VirtualMachine"' in shown
    assert '<resource-agent name="fence_vmha_ipmi"' in shown
    assert '<resource-agent name="fence_vmha_redfish"' in shown


def _in_own_mounts(*argv: str) -> str:
    """Run a command whose mounts, and whatever it leaves running, end with it."""
    namespaces = ("--mount", "--pid", "--fork", "--kill-child")
    result = subprocess.run(
        ["unshare", *namespaces, *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_S,
        check=False,
        # The caller's own environment: it may hold the proxy that apt needs.
        env={
            **os.environ,
            "DEBIAN_FRONTEND": "noninteractive",
            "LC_ALL": "C.UTF-8",
            "PATH": PATH,
        },
    )
    assert result.returncode == 0, result.stdout
    return result.stdout
