"""libvirt's own record of an active guest: ``<domstatus>``.

Called by ``vm.container`` to tell whose controller a process is. The format is private
to libvirt, so what cannot be read counts as unknown and never as absent.
"""

from __future__ import annotations

from lxml import etree


class Status:
    """The processes and the guest that a record speaks of; 0 and "" where it does not.

    ``pid`` is the controller's (the emulator's), ``init_pid`` that of a container's
    first process.
    """

    __slots__ = ("init_pid", "name", "pid", "uuid")

    def __init__(self, pid: int, init_pid: int, name: str, uuid: str) -> None:
        self.pid = pid
        self.init_pid = init_pid
        self.name = name
        self.uuid = uuid


def parse(text: bytes) -> Status | None:
    """Return what a record says, None for a text that is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError:
        return None
    if root.tag != "domstatus":
        return None
    init = root.find("init")
    return Status(
        _number(root.get("pid")),
        _number(init.get("pid") if init is not None else None),
        str(root.findtext("domain/name") or ""),
        str(root.findtext("domain/uuid") or "").lower(),
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
