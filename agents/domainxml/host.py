"""What a hypervisor says of itself: libvirt's ``<capabilities>``.

Called by ``hypervisor.capabilities`` and the doctor. Source of the format: libvirt's
page "Driver capabilities XML format".
"""

from __future__ import annotations

from lxml import etree


def announces_live_migration(text: str) -> bool:
    """Tell whether capabilities hold ``host/migration_features/live``."""
    root = _parsed(text)
    return root is not None and root.find("host/migration_features/live") is not None


def architecture(text: str) -> str:
    """Return the host's architecture, "" where capabilities do not tell it."""
    root = _parsed(text)
    return "" if root is None else str(root.findtext("host/cpu/arch") or "")


def processor(text: str) -> str:
    """Return the model that libvirt takes the host's processor for, "" for none."""
    root = _parsed(text)
    return "" if root is None else str(root.findtext("host/cpu/model") or "")


def machines(text: str) -> list[str]:
    """Return the machine types of the host's own architecture, sorted."""
    root = _parsed(text)
    if root is None:
        return []
    arch = root.findtext("host/cpu/arch")
    found = [a for a in root.iterfind("guest/arch") if a.get("name") == arch]
    return sorted({str(m.text) for a in found for m in a.iter("machine") if m.text})


def _parsed(text: str) -> etree._Element | None:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        return None
