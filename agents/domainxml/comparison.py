"""Whether two definitions mean the same, whatever their spaces, quotes and order.

Called where a definition is written back: a file that a person wrote is not replaced
by one that says the same.
"""

from __future__ import annotations

from lxml import etree

from vmha.agents.domainxml.document import parse


def same(one: str, other: str) -> bool:
    """Tell whether two definitions have the same elements, attributes and texts.

    Raises BadOnThisNode for a text that is no definition.
    """
    return _canonical(one) == _canonical(other)


def _canonical(text: str) -> bytes:
    """Return XML in canonical form (C14N): no comments, no space between elements."""
    parse(text, "the definition")
    parser = etree.XMLParser(
        remove_blank_text=True,
        remove_comments=True,
        resolve_entities=False,
        no_network=True,
    )
    root = etree.fromstring(text.encode(), parser)
    return bytes(etree.tostring(root, method="c14n", with_comments=False))
