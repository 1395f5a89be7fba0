"""The networks and storage pools that a guest needs active, and its disks.

Source of the format: libvirt's domain XML, ``interface type='network'``, ``disk
type='volume'`` and ``disk`` in general.
"""

from __future__ import annotations

from vmha.agents.domainxml.document import Document


def networks(document: Document) -> list[str]:
    """Return the names of the virtual networks that the interfaces use."""
    return document.attributes("devices/interface[@type='network']/source", "network")


def pools(document: Document) -> list[str]:
    """Return the names of the storage pools that the disks use."""
    return document.attributes("devices/disk[@type='volume']/source", "pool")


class Disk:
    """A disk or medium.

    ``kind`` is libvirt's type (file, block, network, volume …), ``path`` that of a file
    or block device, else "", ``target`` the name in the guest, such as vda.
    ``is_written`` is False for what is read-only or declared shareable; such a disk is
    never copied. ``is_optional``: the guest may go without (startupPolicy).
    """

    __slots__ = ("is_optional", "is_written", "kind", "path", "target")

    def __init__(self, element: Document) -> None:
        self.kind = element.attribute("type")
        paths = element.attributes("source", "file") + element.attributes(
            "source", "dev"
        )
        self.path = paths[0] if paths and self.kind in ("file", "block") else ""
        targets = element.attributes("target", "dev")
        self.target = targets[0] if targets else ""
        medium = element.attribute("device") in ("cdrom", "floppy")
        kept = element.has("readonly") or element.has("shareable")
        self.is_written = not (kept or medium)
        policies = element.attributes("source", "startupPolicy")
        self.is_optional = policies in (["optional"], ["requisite"])


def disks(document: Document) -> list[Disk]:
    """Return all disks that have a source."""
    found = [e for e in document.parts("devices/disk") if e.has("source")]
    return [Disk(element) for element in found]
