"""Whether two definitions mean the same, whatever their spaces, quotes and order.

Called where a definition is written back, since a file that a person wrote is not
replaced by one that says the same; and by the doctor, which compares nodes.
"""

from __future__ import annotations

import hashlib

from lxml import etree

from vmha.agents.domainxml.document import parse


def same(one: str, other: str) -> bool:
    """Tell whether two definitions have the same elements, attributes and texts.

    Raises BadOnThisNode for a text that is no definition.
    """
    return _canonical(one) == _canonical(other)


def fingerprint(text: str) -> str:
    """Return a digest that is the same for definitions that mean the same.

    What nobody else may read is left out of it: a digest of a short password would
    tell the password. Raises BadOnThisNode for a text that is no definition.
    """
    root = etree.fromstring(_canonical(text))
    for element in root.iter("*"):
        if "passwd" in element.attrib:
            del element.attrib["passwd"]
    for cookies in root.findall(".//cookies"):
        cookies.clear()
    return hashlib.sha256(etree.tostring(root, method="c14n")).hexdigest()


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
