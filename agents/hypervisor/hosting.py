"""Whether libvirt on this node has what a guest needs.

Called by NodeCapacity about guests that do not run here. Each function returns the
reason why not, "" for "nothing is missing"; what libvirt does not answer is raised.
Nothing is started, defined or changed.
"""

from __future__ import annotations

from typing import Any

import libvirt

from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.errors import Absent
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused

# What virConnectGetDomainCapabilities answers for a machine that it cannot run.
_NO_SUCH_MACHINE = (
    libvirt.VIR_ERR_INVALID_ARG,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
)


def missing_network(
    connection: Connection, deadline: Deadline, names: list[str], must_run: bool
) -> str:
    """Look for virtual networks; ``must_run`` where nobody will start them."""
    lookup = connection.handle.networkLookupByName
    for name in names:
        problem = _unusable(connection, deadline, lookup, name, must_run)
        if problem:
            return f"network {name} {problem}"
    return ""


def missing_pool(
    connection: Connection, deadline: Deadline, names: list[str], must_run: bool
) -> str:
    """Look for storage pools; ``must_run`` where nobody will start them."""
    lookup = connection.handle.storagePoolLookupByName
    for name in names:
        problem = _unusable(connection, deadline, lookup, name, must_run)
        if problem:
            return f"storage pool {name} {problem}"
    return ""


def missing_volume(
    connection: Connection, deadline: Deadline, volumes: list[tuple[str, str]]
) -> str:
    """Look for volumes in pools that run; those of others cannot be seen."""
    for name, volume in volumes:
        what = f"look for volume {volume}"
        try:
            lookup = connection.handle.storagePoolLookupByName
            pool = connection.call(what, deadline, lookup, name)
            if connection.call(what, deadline, pool.isActive):
                connection.call(what, deadline, pool.storageVolLookupByName, volume)
        except Absent:
            continue
        except Refused as refusal:
            if _code(refusal) == libvirt.VIR_ERR_NO_STORAGE_VOL:
                return f"storage pool {name} has no volume {volume}"
            raise
    return ""


def impossible_machine(
    connection: Connection, deadline: Deadline, machine: tuple[str, str, str, str]
) -> str:
    """Ask whether the emulator has this architecture, machine and virtualization.

    A hypervisor without such a question has no opinion.
    """
    words = [text or None for text in machine]
    what = "ask for the machine type"
    ask = connection.handle.getDomainCapabilities
    try:
        connection.call(what, deadline, ask, *words, 0)
    except Refused as refusal:
        if _code(refusal) in _NO_SUCH_MACHINE:
            return str(refusal)
    return ""


def other_of_that_name(
    connection: Connection, deadline: Deadline, name: str, uuid: str
) -> str:
    """Return the UUID of a definition that has the guest's name and another UUID."""
    if not (name and uuid):
        return ""
    lookup = connection.handle.lookupByName
    try:
        domain = connection.call(f"look up guest {name}", deadline, lookup, name)
    except Absent:
        return ""
    found = str(domain.UUIDString())
    return "" if found == uuid else found


def is_autostarted(connection: Connection, deadline: Deadline, domain: Any) -> bool:
    """Tell whether libvirt would start a defined guest when the node boots."""
    try:
        what = "read the autostart mark"
        return bool(connection.call(what, deadline, domain.autostart))
    except Refused:  # a hypervisor without such a mark
        return False


def definition(connection: Connection, deadline: Deadline, domain: Any) -> str:
    """Return the definition that a guest would be started from."""
    flag = libvirt.VIR_DOMAIN_XML_INACTIVE
    what = "read the guest's definition"
    return str(connection.call(what, deadline, domain.XMLDesc, flag))


def _unusable(
    connection: Connection, deadline: Deadline, lookup: Any, name: str, must_run: bool
) -> str:
    try:
        found = connection.call(f"look for {name}", deadline, lookup, name)
        is_active = connection.call(f"look at {name}", deadline, found.isActive)
    except Absent:
        return "is not defined"
    return "is not active" if must_run and not is_active else ""


def _code(refusal: Refused) -> int | None:
    cause = refusal.__cause__
    return cause.get_error_code() if isinstance(cause, libvirt.libvirtError) else None
