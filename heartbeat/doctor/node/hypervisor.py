"""libvirt on the node: its guests, networks, pools, machine types, processor models."""

from __future__ import annotations

import re

from vmha.agents.domainxml import host
from vmha.agents.hypervisor import inventory
from vmha.agents.hypervisor.connection import Connection, connect
from vmha.agents.hypervisor.inventory import Entry
from vmha.agents.protocol import files
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError

QEMU_CONF = "/etc/libvirt/qemu.conf"
USUAL = "qemu:///system"
_LOCKS = re.compile(r'^\s*lock_manager\s*=\s*"([^"]*)"', re.MULTILINE)


def tell(uris: list[str], deadline: Deadline) -> dict[str, object]:
    """Return what the libvirt of these URIs has; raises where one does not answer."""
    connections = [connect(uri, deadline) for uri in uris or [USUAL]]
    domains = [_shown(d) for c in connections for d in inventory.domains(c, deadline)]
    return {**_of(connections[0], deadline), "uris": uris, "domains": domains}


def _of(connection: Connection, deadline: Deadline) -> dict[str, object]:
    text = inventory.capabilities(connection, deadline)
    arch = host.architecture(text)
    return {
        "version": inventory.version(connection, deadline),
        "arch": arch,
        "processor": host.processor(text),
        "models": inventory.cpu_models(connection, deadline, arch),
        "machines": host.machines(text),
        "networks": [_shown(n) for n in inventory.networks(connection, deadline)],
        "pools": [_shown(p) for p in inventory.pools(connection, deadline)],
        "lock_manager": lock_manager(deadline),
    }


def lock_manager(deadline: Deadline) -> str:
    """Return the lock manager that QEMU's driver is told to use, "" for none."""
    try:
        text = files.read_text(QEMU_CONF, deadline)
    except AgentError:
        return ""
    found = _LOCKS.search(text)
    return found.group(1) if found else ""


def _shown(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "uuid": entry.uuid,
        "active": entry.is_active,
        "running": entry.is_running,
        "autostart": entry.autostart,
    }
