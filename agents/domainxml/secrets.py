"""Whether a definition holds a secret, such as the password of a guest's screen.

Called before a definition is written back. Source: what libvirt leaves out of a
definition unless VIR_DOMAIN_XML_SECURE is asked for: the attribute ``passwd`` of
``graphics``, and a network disk's ``cookies``.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.domainxml.document import Document


def has_secret(document: Document) -> bool:
    """Tell whether a definition holds what not everybody may read."""
    return bool(document.attributes(".//*[@passwd]", "passwd")) or bool(
        document.parts(".//cookies/cookie")
    )
