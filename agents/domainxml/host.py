"""What a hypervisor says of itself: libvirt's ``<capabilities>``.

Called by ``hypervisor.capabilities``. Source of the format: libvirt's page "Driver
capabilities XML format".
"""

from __future__ import annotations

from lxml import etree


def announces_live_migration(text: str) -> bool:
    """Tell whether capabilities hold ``host/migration_features/live``."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        return False
    return root.find("host/migration_features/live") is not None
