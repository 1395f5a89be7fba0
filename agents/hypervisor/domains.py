"""Domains: look up, state, start, shut down, destroy.

Called by the agent's observation and lifecycle. A domain is ours by UUID; one that only
shares the name is reported as a stranger and never touched.
"""

from __future__ import annotations

from typing import Any

import libvirt

from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.errors import Absent
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused

_STATES = {
    libvirt.VIR_DOMAIN_NOSTATE: State.RUNNING,
    libvirt.VIR_DOMAIN_RUNNING: State.RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: State.RUNNING,
    libvirt.VIR_DOMAIN_PAUSED: State.PAUSED,
    libvirt.VIR_DOMAIN_SHUTDOWN: State.SHUTTING_DOWN,
    libvirt.VIR_DOMAIN_SHUTOFF: State.SHUT_OFF,
    libvirt.VIR_DOMAIN_CRASHED: State.CRASHED,
    libvirt.VIR_DOMAIN_PMSUSPENDED: State.SUSPENDED,
}
_PAUSE_REASONS = {
    libvirt.VIR_DOMAIN_PAUSED_USER: "by an administrator",
    libvirt.VIR_DOMAIN_PAUSED_SAVE: "while it is saved",
    libvirt.VIR_DOMAIN_PAUSED_DUMP: "while it is dumped",
    libvirt.VIR_DOMAIN_PAUSED_IOERROR: "by a disk I/O error",
    libvirt.VIR_DOMAIN_PAUSED_WATCHDOG: "by its watchdog",
    libvirt.VIR_DOMAIN_PAUSED_SNAPSHOT: "while a snapshot is taken",
    libvirt.VIR_DOMAIN_PAUSED_CRASHED: "because it panicked",
    libvirt.VIR_DOMAIN_PAUSED_STARTING_UP: "while it is being started",
}
POSTCOPY = "by post-copy: it executes on the other node"
_POSTCOPY = (
    libvirt.VIR_DOMAIN_PAUSED_POSTCOPY,
    libvirt.VIR_DOMAIN_PAUSED_POSTCOPY_FAILED,
)
SHUTDOWN_METHODS = {
    "acpi": libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN,
    "agent": libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT,
    "initctl": libvirt.VIR_DOMAIN_SHUTDOWN_INITCTL,
    "signal": libvirt.VIR_DOMAIN_SHUTDOWN_SIGNAL,
    "paravirt": libvirt.VIR_DOMAIN_SHUTDOWN_PARAVIRT,
}


class Sight:
    """One look at a guest through libvirt.

    ``domain`` is libvirt's handle, None where it knows no such domain. ``stranger`` is
    the UUID of an active domain that has the guest's name and is not the guest.
    """

    __slots__ = ("domain", "name", "reason", "state", "stranger", "uuid")

    def __init__(
        self,
        state: State,
        reason: str = "",
        domain: Any = None,
        name: str = "",
        uuid: str = "",
        stranger: str = "",
    ) -> None:
        self.state = state
        self.reason = reason
        self.domain = domain
        self.name = name
        self.uuid = uuid
        self.stranger = stranger


def look(connection: Connection, deadline: Deadline, name: str, uuid: str) -> Sight:
    """Look a guest up, by UUID where it is known, else by name.

    Raises Unreachable, Refused or PermissionRefused where libvirt does not tell.
    """
    handle = connection.handle
    domain = None
    if uuid:
        domain = _found(connection, deadline, handle.lookupByUUIDString, uuid)
    if domain is None and name:
        domain = _found(connection, deadline, handle.lookupByName, name)
        if domain is not None and uuid:
            return _stranger(connection, deadline, domain)
    if domain is None:
        return Sight(State.ABSENT)
    return _sight(connection, deadline, domain)


def active_uuids(connection: Connection, deadline: Deadline) -> set[str]:
    """Return the UUIDs of all active domains."""
    flag = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
    listing = connection.handle.listAllDomains
    domains = connection.call("list the active guests", deadline, listing, flag)
    return {str(domain.UUIDString()) for domain in domains}


def arrivals(connection: Connection, deadline: Deadline) -> list[Sight]:
    """Return the active domains that came by a migration and were not touched since."""
    flag = libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING
    listing = connection.handle.listAllDomains
    domains = connection.call("list the running guests", deadline, listing, flag)
    found = []
    for domain in domains:
        try:
            _, why = connection.call("read the state", deadline, domain.state)
        except Absent:
            continue
        if why == libvirt.VIR_DOMAIN_RUNNING_MIGRATED:
            found.append(_sight(connection, deadline, domain))
    return found


def running_definition(connection: Connection, deadline: Deadline, domain: Any) -> str:
    """Return the XML of a guest as it runs."""
    what = "read the running guest's definition"
    return str(connection.call(what, deadline, domain.XMLDesc, 0))


def create_from_xml(connection: Connection, deadline: Deadline, xml: str) -> None:
    """Start a transient guest from its definition."""
    create = connection.handle.createXML
    connection.call("start the guest", deadline, create, xml, 0)


def create_defined(connection: Connection, deadline: Deadline, domain: Any) -> None:
    """Start a persistent guest, never from a saved memory image.

    A managed-save image left on this node is older than what ran elsewhere since:
    resuming it would bring back a past that its disks have left behind.
    """
    flag = libvirt.VIR_DOMAIN_START_FORCE_BOOT
    connection.call("start the guest", deadline, domain.createWithFlags, flag)


def shut_down(
    connection: Connection, deadline: Deadline, domain: Any, method: str
) -> None:
    """Ask the guest to shut down by a method of SHUTDOWN_METHODS; "" lets libvirt."""
    flag = SHUTDOWN_METHODS.get(method, libvirt.VIR_DOMAIN_SHUTDOWN_DEFAULT)
    what = f"ask the guest to shut down ({method or 'default'})"
    connection.call(what, deadline, domain.shutdownFlags, flag)


def resume(connection: Connection, deadline: Deadline, domain: Any) -> None:
    """Let a paused guest run on."""
    connection.call("resume the guest", deadline, domain.resume)


def destroy(connection: Connection, deadline: Deadline, domain: Any) -> None:
    """Take the guest's power away; one that is already gone is no error."""
    try:
        connection.call("destroy the guest", deadline, domain.destroy)
    except Absent:
        return
    except Refused as refusal:
        if _is_inactive(refusal):
            return
        raise


def _is_inactive(refusal: Refused) -> bool:
    """Tell "it does not run" (VIR_ERR_OPERATION_INVALID) from other refusals."""
    cause = refusal.__cause__
    code = cause.get_error_code() if isinstance(cause, libvirt.libvirtError) else None
    return bool(code == libvirt.VIR_ERR_OPERATION_INVALID)


def _found(
    connection: Connection, deadline: Deadline, lookup: Any, key: str
) -> Any | None:
    try:
        return connection.call(f"look up guest {key}", deadline, lookup, key)
    except Absent:
        return None


def _stranger(connection: Connection, deadline: Deadline, domain: Any) -> Sight:
    """Report a domain that has our name and another UUID: ours is not here."""
    sight = _sight(connection, deadline, domain)
    active = sight.state.is_active
    return Sight(State.ABSENT, stranger=sight.uuid if active else "")


def _sight(connection: Connection, deadline: Deadline, domain: Any) -> Sight:
    try:
        number, why = connection.call("read the state", deadline, domain.state)
    except Absent:
        return Sight(State.ABSENT)
    state = _STATES.get(number, State.SILENT)
    reason = ""
    if state is State.PAUSED:
        if why == libvirt.VIR_DOMAIN_PAUSED_MIGRATION or why in _POSTCOPY:
            state = State.MIGRATING
        reason = POSTCOPY if why in _POSTCOPY else _PAUSE_REASONS.get(why, "")
    return Sight(state, reason, domain, str(domain.name()), str(domain.UUIDString()))
