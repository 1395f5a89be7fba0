"""What a guest needs to be active on the node before it can start.

Source of the format: libvirt's domain XML, ``interface type='network'`` and
``disk type='volume'``.
"""

from __future__ import annotations

from vmha.agents.domainxml.document import Document


def networks(document: Document) -> list[str]:
    """Return the names of the virtual networks that the interfaces use."""
    return document.attributes("devices/interface[@type='network']/source", "network")


def pools(document: Document) -> list[str]:
    """Return the names of the storage pools that the disks use."""
    return document.attributes("devices/disk[@type='volume']/source", "pool")
