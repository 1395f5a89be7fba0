"""What libvirt keeps of a guest on its node beside running it.

A persistent definition, its autostart mark, a memory image of a managed save. Called by
start, stop and migration; never by a plain recurring monitor.
"""

from __future__ import annotations

from typing import Any

import libvirt

from vmha.agents.hypervisor import capabilities
from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.errors import Absent, Unsupported
from vmha.agents.protocol.deadline import Deadline


class Definition:
    """A persistent definition; ``domain`` is libvirt's handle."""

    __slots__ = ("autostart", "domain", "has_image", "is_active", "name", "uuid")

    def __init__(
        self,
        domain: Any,
        name: str,
        uuid: str,
        is_active: bool,
        autostart: bool,
        has_image: bool,
    ) -> None:
        self.domain = domain
        self.name = name
        self.uuid = uuid
        self.is_active = is_active
        self.autostart = autostart
        self.has_image = has_image


def find(
    connection: Connection, deadline: Deadline, name: str, uuid: str
) -> list[Definition]:
    """Return the persistent definitions that have this name or this UUID.

    More than one means that they belong to different guests.
    """
    handle = connection.handle
    found: dict[str, Definition] = {}
    for lookup, key in ((handle.lookupByUUIDString, uuid), (handle.lookupByName, name)):
        if not key:
            continue
        try:
            domain = connection.call(f"look up {key}", deadline, lookup, key)
            if connection.call("read a definition", deadline, domain.isPersistent):
                known = _read(connection, deadline, domain)
                found[known.uuid] = known
        except Absent:
            continue
    return list(found.values())


def clear_autostart(connection: Connection, deadline: Deadline, domain: Any) -> None:
    """Take the mark away by which libvirt starts a guest when the node boots."""
    connection.call("clear autostart", deadline, domain.setAutostart, 0)


def undefine(
    connection: Connection,
    deadline: Deadline,
    domain: Any,
    driver: str,
    remove_nvram: bool,
    remove_tpm: bool,
) -> None:
    """Remove a persistent definition; UEFI variables and TPM state as told.

    libvirt refuses while it keeps a managed save image or snapshots for it: we give no
    flag that would remove those.
    """
    flags = 0
    takes = capabilities.driver_of(driver).undefine
    if "nvram" in takes:
        flags |= _flag("NVRAM" if remove_nvram else "KEEP_NVRAM")
    if "tpm" in takes:
        flags |= _flag("TPM" if remove_tpm else "KEEP_TPM")
    connection.call("undefine the guest", deadline, domain.undefineFlags, flags)


def persistent_xml(connection: Connection, deadline: Deadline, domain: Any) -> str:
    """Return the definition without what only the running guest has, with secrets."""
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    what = "read the guest's definition"
    return str(connection.call(what, deadline, domain.XMLDesc, flags))


def _flag(name: str) -> int:
    """Return an undefine flag, 0 where this libvirt has none (before 8.9: TPM)."""
    return int(getattr(libvirt, f"VIR_DOMAIN_UNDEFINE_{name}", 0))


def _read(connection: Connection, deadline: Deadline, domain: Any) -> Definition:
    def ask(question: Any, *args: Any) -> bool:
        try:
            return bool(connection.call("read a definition", deadline, question, *args))
        except Unsupported:
            return False

    return Definition(
        domain,
        str(domain.name()),
        str(domain.UUIDString()),
        ask(domain.isActive),
        ask(domain.autostart),
        ask(domain.hasManagedSaveImage, 0),
    )
