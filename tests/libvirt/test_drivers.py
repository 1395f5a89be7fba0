"""The table of drivers against the drivers themselves, and the life of a mock guest.

libvirt's test driver keeps its state in libvirtd for as long as somebody is connected.
It has no process on the node, so a stop is proven by libvirt's word alone.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts.host import Host
from hosts.operation import Resource

from vmha.agents.hypervisor import capabilities

URI = "test+unix:///default?socket=/run/libvirt/libvirt-sock"
XML = """\
<domain type="test"><name>{name}</name><uuid>{uuid}</uuid><memory>8192</memory>
  <os><type>hvm</type></os></domain>
"""
CONTAINER = """\
<domain type="lxc"><name>{name}</name><memory>8192</memory>
  <os><type>exe</type><init>/init</init></os></domain>
"""
# VIR_ERR_NO_SUPPORT is 3; VIR_ERR_INVALID_ARG, 8, answers a flag that is not known.
ASKS = """\
import json, libvirt, libvirt_qemu, sys
libvirt.registerErrorHandler(lambda *_: None, None)
hypervisor = libvirt.open(sys.argv[1])
guest = hypervisor.defineXML(sys.argv[2])
def code(ask):
    try:
        ask()
    except libvirt.libvirtError as error:
        return error.get_error_code()
    return 0
ways = {"acpi": 1, "agent": 2, "initctl": 4, "signal": 8, "paravirt": 16}
print(json.dumps({
    "fresh boot": code(lambda: guest.createWithFlags(8)),
    "live migration": code(lambda: guest.migrate3(hypervisor, {}, 1)),
    "job": code(guest.jobStats),
    "job abort": code(guest.abortJob),
    "guest agent": code(lambda: libvirt_qemu.qemuAgentCommand(guest, "{}", 1, 0)),
    "autostart": code(guest.autostart),
    "managed save": code(lambda: guest.managedSave(0)),
    "save": code(lambda: guest.saveFlags("/run/saved", None, 0)),
    "pause": code(guest.suspend),
    **{way: code(lambda: guest.shutdownFlags(flag)) for way, flag in ways.items()},
}))
try:
    guest.destroy()
except libvirt.libvirtError:
    pass
try:
    guest.undefine()
except libvirt.libvirtError:
    pass
"""
_numbers = itertools.count(1)


@pytest.fixture
def held(alpha: Host) -> Iterator[Host]:
    """Hold a connection, so that the mock hypervisor stays the same between calls."""
    holder = subprocess.Popen(
        alpha.inside(["virsh", "-q", "-c", URI]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    holder.stdin.write(b"uri\n")
    holder.stdin.flush()
    while (line := holder.stdout.readline()) and not line.startswith(b"test"):
        continue
    assert line, "virsh holds no connection to the mock hypervisor"
    yield alpha
    holder.kill()
    holder.wait(10)
    holder.stdin.close()
    holder.stdout.close()


@pytest.fixture
def mock(held: Host, agent: Path) -> Iterator[Resource]:
    """Give the resource of a mock guest that runs nowhere."""
    name = f"mock{next(_numbers)}-{os.getpid()}"
    config = f"/run/guests/{name}.xml"
    held.path(config).write_text(XML.format(name=name, uuid=uuid.uuid4()))
    yield Resource(agent, name, config=config, hypervisor=URI)
    held.path(f"/run/vmha/guests/{name}.guest").unlink(missing_ok=True)


def _virsh(host: Host, *argv: str) -> str:
    return host.run("virsh", "-q", "-c", URI, *argv).stdout.strip()


def test_a_mock_guest_is_started_monitored_and_stopped(
    held: Host, mock: Resource
) -> None:
    assert mock.call(held, "monitor").code == 7
    assert mock.call(held, "start").code == 0
    assert mock.call(held, "start").code == 0
    assert mock.call(held, "monitor", interval_s=10).code == 0
    assert mock.instance in _virsh(held, "list")

    assert mock.call(held, "stop").code == 0
    assert mock.instance not in _virsh(held, "list")
    assert mock.call(held, "monitor").code == 7
    assert mock.call(held, "stop").code == 0


def test_a_paused_mock_guest_is_resumed_to_shut_down(
    held: Host, mock: Resource
) -> None:
    assert mock.call(held, "start").code == 0
    _virsh(held, "suspend", mock.instance)
    assert mock.but(shutdown_mode="acpi").call(held, "stop").code == 0
    assert mock.instance not in _virsh(held, "list")


def test_without_libvirt_nothing_proves_that_a_mock_guest_has_stopped(
    held: Host, mock: Resource
) -> None:
    assert mock.call(held, "start").code == 0
    held.signal_libvirtd(signal.SIGKILL)
    assert mock.call(held, "monitor").code == 1
    stopped = mock.call(held, "stop", timeout_s=4)
    assert (stopped.code, stopped.killed) == (1, False)


def test_a_mock_guest_with_a_saved_image_is_not_started_from_it(
    held: Host, mock: Resource
) -> None:
    _virsh(held, "define", mock.parameters["config"])
    named = mock.but(config=None, domain=mock.instance)
    assert named.call(held, "start").code == 0
    _virsh(held, "managedsave", mock.instance)

    refused = named.call(held, "start")
    assert refused.code == 1
    assert "managedsave-remove" in refused.reason
    _virsh(held, "managedsave-remove", mock.instance)
    assert named.call(held, "start").code == 0
    assert named.call(held, "stop").code == 0


def test_a_migration_of_a_mock_guest_is_refused(held: Host, mock: Resource) -> None:
    assert mock.call(held, "start").code == 0
    where = {"migrate_source": "alpha", "migrate_target": "beta"}
    answer = mock.begin(held, "migrate_to", 8, 0, **where).answer()
    assert answer.code == 1
    assert "test driver cannot migrate" in answer.reason
    assert mock.instance in _virsh(held, "list", "--state-running")
    assert mock.call(held, "stop").code == 0


@pytest.mark.parametrize(
    ("driver", "uri", "xml"),
    [("test", URI, XML), ("lxc", "lxc:///system", CONTAINER)],
    ids=["test", "lxc"],
)
def test_a_driver_has_what_its_row_says_and_nothing_else(
    held: Host, driver: str, uri: str, xml: str
) -> None:
    text = xml.format(name=f"asked-{os.getpid()}", uuid=uuid.uuid4())
    done = held.run("/usr/bin/python3", "-I", "-c", ASKS, uri, text)
    codes = json.loads(done.stdout)
    row = capabilities.DRIVERS[driver]
    has = {what for what, code in codes.items() if code not in (3, 8)}
    asked = set(codes)
    assert has == asked & {*row.can, *row.shutdown}, codes
