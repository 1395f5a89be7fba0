"""Domains: look up, state, start, shut down, destroy.

Called by the agent's observation and lifecycle. A domain is ours by UUID; one that only
shares the name is reported as a stranger and never touched.
"""

from __future__ import annotations

from typing import Any

import libvirt

from vmha.agents.hypervisor import reasons, uri
from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.errors import Absent, Unsupported
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Refused

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


def arrivals(connection: Connection, deadline: Deadline, name: str) -> list[Sight]:
    """Return the active domains that came by a migration.

    libvirt remembers that of one that runs on untouched. One that arrived paused, or
    was touched since, is known by its ``name``, unless it was booted here.
    """
    flag = libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE
    listing = connection.handle.listAllDomains
    domains = connection.call("list the active guests", deadline, listing, flag)
    booted = (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_BOOTED)
    migrated = (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_RUNNING_MIGRATED)
    found = []
    for domain in domains:
        try:
            told = connection.call("read the state", deadline, domain.state)
        except Absent:
            continue
        is_named = domain.name() == name and tuple(told) != booted
        if tuple(told) == migrated or is_named:
            found.append(_sight(connection, deadline, domain))
    return found


def running_definition(connection: Connection, deadline: Deadline, domain: Any) -> str:
    """Return the XML of a guest as it runs."""
    what = "read the running guest's definition"
    return str(connection.call(what, deadline, domain.XMLDesc, 0))


def create_from_xml(connection: Connection, deadline: Deadline, xml: str) -> None:
    """Start a transient guest from its definition.

    Raises Unsupported, before anything is tried, for a driver that has no such guests.
    """
    from vmha.agents.hypervisor.capabilities import able

    driver = uri.driver(connection.uri)
    if not able(driver, "transient"):
        raise Unsupported(
            f"libvirt's {driver} driver starts no guest from a file: define it in the "
            "hypervisor and give the parameter domain in the place of config"
        )
    create = connection.handle.createXML
    connection.call("start the guest", deadline, create, xml, 0)


def create_defined(connection: Connection, deadline: Deadline, domain: Any) -> None:
    """Start a persistent guest, never from a saved memory image.

    A managed-save image left on this node is older than what ran elsewhere since:
    resuming it would bring back a past that its disks have left behind. Raises Refused
    where there is one and the driver cannot pass it over.
    """
    from vmha.agents.hypervisor.capabilities import able

    driver, flags = uri.driver(connection.uri), 0
    if able(driver, "fresh boot"):
        flags = libvirt.VIR_DOMAIN_START_FORCE_BOOT
    elif able(driver, "managed save"):
        asking = domain.hasManagedSaveImage
        if connection.call("look for a saved memory image", deadline, asking):
            raise Refused(
                "the guest has a saved memory image here, which may be older than its "
                "disks; remove it with virsh managedsave-remove"
            )
    connection.call("start the guest", deadline, domain.createWithFlags, flags)


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
    state, told = reasons.state_of(number, why), reasons.told(number, why)
    if state is State.IO_ERROR:
        state, told = _io_error(connection, deadline, domain)
    return Sight(state, told, domain, str(domain.name()), str(domain.UUIDString()))


def _io_error(
    connection: Connection, deadline: Deadline, domain: Any
) -> tuple[State, str]:
    """Tell a full storage from a broken one; where libvirt cannot say, it is broken."""
    try:
        errors = disk_errors(connection, deadline, domain)
    except AgentError:
        return State.IO_ERROR, ""
    full = bool(errors) and all(is_full for is_full in errors.values())
    state = State.NO_SPACE if full else State.IO_ERROR
    return state, f"({', '.join(sorted(errors))})" if errors else ""


def disk_errors(
    connection: Connection, deadline: Deadline, domain: Any
) -> dict[str, bool]:
    """Return the disks that have had an error, and whether it was a lack of space.

    Source: virDomainGetDiskErrors; only disks whose error policy stops the guest
    remember one, until it is resumed.
    """
    found = connection.call("read its disk errors", deadline, domain.diskErrors, 0)
    full = libvirt.VIR_DOMAIN_DISK_ERROR_NO_SPACE
    return {str(disk): error == full for disk, error in found.items() if error}
