"""The recurring monitor of ours and of VirtualDomain, for many guests on one node.

The guests are those of libvirt's test driver inside a real libvirtd, which keeps them
between calls: nothing executes, so that only monitoring costs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hosts import installed
from hosts.host import Host
from hosts.operation import PEER, Resource

from benchmarks.meter import Command, Cost, measured

INTERVAL_S = 10
URI = "test+unix:///default?socket=/run/libvirt/libvirt-sock"
CIB = "/run/guests/cib.xml"
WARM_UP = 2
SPREAD = 5  # guests of a node whose monitors are measured in turn
TUNED = {
    f"autoset_utilization_{name}": "false"
    for name in ("cpu", "host_memory", "hv_memory")
}
OURS, THEIRS, THEIRS_TUNED = (
    "vmha VirtualMachine",
    "VirtualDomain",
    "VirtualDomain, no utilization",
)

# Creates the guests and holds the connection, without which the driver forgets them.
HOLDER = """
import libvirt, sys
connection = libvirt.open(sys.argv[1])
for name in sys.argv[2:]:
    connection.createXML(open(f"/run/guests/{name}.xml").read(), 0)
print("ready", flush=True)
sys.stdin.read()
"""
XML = """\
<domain type='test'>
  <name>{name}</name>
  <uuid>c0ffee00-0000-4000-8000-{number:012d}</uuid>
  <memory unit='MiB'>1</memory>
  <vcpu>1</vcpu>
  <os><type>hvm</type></os>
</domain>
"""


@dataclass(frozen=True)
class Row:
    """What one contender's monitor costs on a node with so many guests."""

    what: str
    guests: int
    cost: Cost

    @property
    def share_of_a_core(self) -> float:
        """Of one core, with every guest monitored each ten seconds; daemon included."""
        each_s = self.cost.cpu_s + self.cost.daemon_cpu_s
        return each_s * self.guests / INTERVAL_S


def compared(host: Host, number: int, rounds: int) -> list[Row]:
    """Measure all contenders on a host with so many guests."""
    names = [f"t{index}" for index in range(1, number + 1)]
    with held(host, names):
        step = max(1, number // SPREAD)
        contenders = _contenders(host, names[::step])
        commands = list(contenders.values())
        measured(host, WARM_UP * SPREAD, commands)
        costs = measured(host, rounds, commands)
    return [Row(what, number, cost) for what, cost in zip(contenders, costs)]


@contextmanager
def held(host: Host, names: Sequence[str]) -> Iterator[None]:
    """Keep guests of the test driver running on a host."""
    for number, name in enumerate(names, 1):
        host.path(f"/run/guests/{name}.xml").write_text(
            XML.format(name=name, number=number)
        )
    holder = subprocess.Popen(
        host.inside(["/usr/bin/python3", "-I", "-c", HOLDER, URI, *names]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"ready\n"
        put_cib(host, *names)
        yield
    finally:
        holder.stdin.close()
        holder.stdout.close()
        holder.wait(20)
        for name in names:
            record = host.path(f"/run/vmha/guests/{name}.guest")
            record.unlink(missing_ok=True)


def _contenders(host: Host, names: Sequence[str]) -> dict[str, list[Command]]:
    """Return the commands of each contender, one variant for each guest."""
    agent = installed.install(host)
    ours, theirs, tuned, virsh = [], [], [], []
    for name in names:
        resource = Resource(
            agent, name, config=f"/run/guests/{name}.xml", hypervisor=URI
        )
        ours.append(monitor(host, resource))
        theirs.append(monitor(host, resource.by(PEER)))
        tuned.append(monitor(host, resource.by(PEER).but(**TUNED)))
        virsh.append(Command(("/usr/bin/virsh", "-c", URI, "domstate", name), {}))
    bare = [Command(("/usr/bin/python3", "-I", "-c", "pass"), {})]
    return {
        "bare interpreter": bare,
        "virsh domstate": virsh,
        THEIRS: theirs,
        THEIRS_TUNED: tuned,
        OURS: ours,
    }


def monitor(host: Host, resource: Resource) -> Command:
    """Return the recurring monitor of a resource as a command."""
    environ = resource.environment(host, "monitor", 30, INTERVAL_S, {})
    return Command((str(resource.agent), "monitor"), {**environ, "CIB_file": CIB})


def put_cib(host: Host, *names: str) -> None:
    """Give crm_resource a cluster to write utilization to."""
    empty = host.run("cibadmin", "--empty").stdout
    kind = 'class="ocf" provider="heartbeat" type="VirtualDomain"'
    primitives = "".join(f'<primitive id="{name}" {kind}/>' for name in names)
    node = f'<nodes><node id="1" uname="{host.name}"/></nodes>'
    resources = f"<resources>{primitives}</resources>"
    text = empty.replace("<resources/>", resources).replace("<nodes/>", node)
    assert resources in text
    host.path(CIB).write_text(text)
