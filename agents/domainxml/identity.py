"""The identity a definition declares: name, UUID, hypervisor type.

Source of the format: libvirt's domain XML, elements ``name`` and ``uuid``, attribute
``type`` of ``domain``.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import BadOnThisNode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.domainxml.document import Document


def declared_name(document: Document) -> str:
    """Return the guest's name; raises BadOnThisNode where there is none."""
    name = document.child("name")
    if not name.strip():
        raise BadOnThisNode(
            f"{document.source} has no <name> directly below <domain>; add one"
        )
    return name


def declared_uuid(document: Document) -> str:
    """Return the UUID in canonical form, "" where libvirt is to invent one.

    libvirt accepts it in either case, with or without hyphens.
    """
    text = document.child("uuid").strip()
    if not text:
        return ""
    canonical = canonical_uuid(text)
    if not canonical:
        raise BadOnThisNode(f"{document.source} has <uuid>{text}</uuid>, which is none")
    return canonical


def canonical_uuid(text: str) -> str:
    """Return a UUID as 8-4-4-4-12 lower-case digits, "" for what is not a UUID."""
    digits = text.replace("-", "").lower()
    if len(digits) != 32 or any(c not in "0123456789abcdef" for c in digits):
        return ""
    cuts = (0, 8, 12, 16, 20, 32)
    return "-".join(digits[a:b] for a, b in zip(cuts, cuts[1:]))
