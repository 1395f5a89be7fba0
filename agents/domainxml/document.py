"""A guest's definition, parsed.

Called by start, migration and whoever needs the guest's identity from its file. The
parser expands no entities and fetches nothing: the file may come from anybody who can
write to the shared storage.
"""

from __future__ import annotations

from lxml import etree

from vmha.agents.protocol.errors import BadOnThisNode


class Document:
    """A parsed ``<domain>``; ``source`` names it in messages, ``text`` is as read."""

    __slots__ = ("_root", "source", "text")

    def __init__(self, root: etree._Element, text: str, source: str) -> None:
        self._root = root
        self.text = text
        self.source = source

    def attribute(self, name: str) -> str:
        """Return an attribute of the root element, "" where it is absent."""
        return str(self._root.get(name) or "")

    def child(self, tag: str) -> str:
        """Return the text of a direct child, as libvirt reads it (XPath string()).

        A nested one of that name is another; a comment inside is no part of the text.
        """
        return str(self._root.xpath(f"string({tag})"))

    def text_at(self, path: str) -> str:
        """Return the text of the first element at an ElementPath, without margins."""
        return str(self._root.findtext(path) or "").strip()

    def attributes(self, path: str, name: str) -> list[str]:
        """Return an attribute of every element at an ElementPath, once each."""
        found = (element.get(name) for element in self._root.iterfind(path))
        return list(dict.fromkeys(str(value) for value in found if value))

    def parts(self, path: str) -> list[Document]:
        """Return every element at an ElementPath, each as a document of its own."""
        found = self._root.iterfind(path)
        return [Document(element, self.text, self.source) for element in found]

    def has(self, tag: str) -> bool:
        """Tell whether there is a direct child of that name."""
        return self._root.find(tag) is not None

    def xml(self) -> str:
        """Return the element as XML."""
        return etree.tostring(self._root, encoding="unicode", with_tail=False)


def parse(text: str, source: str) -> Document:
    """Parse a definition; raises BadOnThisNode with the line for what is not one."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise BadOnThisNode(
            f"{source} is not well-formed XML: {error.msg}; correct it on this node"
        ) from error
    if root.tag != "domain":
        raise BadOnThisNode(
            f"{source} holds <{root.tag}> where a libvirt <domain> is expected"
        )
    return Document(root, text, source)
