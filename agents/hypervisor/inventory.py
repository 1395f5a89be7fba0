"""What libvirt on this node has: guests, networks, pools, machine types, models.

Called by the cluster's doctor, never by an action of an agent. Nothing is started,
defined or changed. A driver that lacks one of these answers an empty list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libvirt

from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.errors import Absent, Unsupported
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused


class Entry:
    """A domain, network or pool.

    ``is_running`` of a domain is False while it is paused, as one is that arrives by a
    migration. ``uuid`` is in libvirt's canonical form.
    """

    __slots__ = ("autostart", "is_active", "is_running", "name", "uuid")

    def __init__(
        self, name: str, uuid: str, is_active: bool, is_running: bool, autostart: bool
    ) -> None:
        self.name = name
        self.uuid = uuid
        self.is_active = is_active
        self.is_running = is_running
        self.autostart = autostart


def domains(connection: Connection, deadline: Deadline) -> list[Entry]:
    """Return all domains, defined ones and transient ones."""
    return _listed(connection, deadline, "guests", connection.handle.listAllDomains)


def networks(connection: Connection, deadline: Deadline) -> list[Entry]:
    """Return all virtual networks."""
    listing = connection.handle.listAllNetworks
    return _listed(connection, deadline, "networks", listing)


def pools(connection: Connection, deadline: Deadline) -> list[Entry]:
    """Return all storage pools."""
    listing = connection.handle.listAllStoragePools
    return _listed(connection, deadline, "storage pools", listing)


def capabilities(connection: Connection, deadline: Deadline) -> str:
    """Return what the hypervisor says of itself, as XML (virConnectGetCapabilities)."""
    asking = connection.handle.getCapabilities
    return str(connection.call("read the capabilities", deadline, asking))


def version(connection: Connection, deadline: Deadline) -> str:
    """Return libvirt's version (virConnectGetLibVersion)."""
    asking = connection.handle.getLibVersion
    number = int(connection.call("read libvirt's version", deadline, asking))
    return f"{number // 1000000}.{number // 1000 % 1000}.{number % 1000}"


def cpu_models(connection: Connection, deadline: Deadline, arch: str) -> list[str]:
    """Return the processor models that libvirt knows for an architecture.

    Whether this node's processor can be one of them is ``suitability``'s question.
    """
    asking = connection.handle.getCPUModelNames
    try:
        found = connection.call("list the processor models", deadline, asking, arch)
    except Refused:
        return []
    return sorted(str(name) for name in found)


def _listed(
    connection: Connection, deadline: Deadline, what: str, listing: Any
) -> list[Entry]:
    try:
        found = connection.call(f"list the {what}", deadline, listing)
    except Unsupported:
        return []
    entries = (_entry(connection, deadline, what, one) for one in found)
    return sorted(filter(None, entries), key=lambda entry: entry.name)


def _entry(
    connection: Connection, deadline: Deadline, what: str, one: Any
) -> Entry | None:
    """Return one of them, None if it went away meanwhile.

    What is refused otherwise is raised: it is no answer that it does not run.
    """

    def ask(question: Any, *args: Any) -> Any:
        try:
            return connection.call(f"look at the {what}", deadline, question, *args)
        except Unsupported:  # the driver has no such thing
            return None

    try:
        return _seen(one, ask)
    except Absent:
        return None


def _seen(one: Any, ask: Callable[..., Any]) -> Entry:
    is_active = bool(ask(one.isActive))
    state = ask(one.state, 0) if isinstance(one, libvirt.virDomain) else None
    is_running = is_active if state is None else state[0] == libvirt.VIR_DOMAIN_RUNNING
    autostart = bool(ask(one.autostart))
    return Entry(
        str(one.name()), str(one.UUIDString()), is_active, is_running, autostart
    )
