"""The guest agent's channel, as a live definition shows it.

Called by a monitor of check level 10. Source: libvirt's domain XML, ``channel``: of a
running guest the ``target`` of a virtio channel has a ``state`` attribute, which says
whether a process inside holds the other end open.
"""

from __future__ import annotations

from vmha.agents.domainxml.document import Document

_TARGET = "devices/channel/target[@name='org.qemu.guest_agent.0']"


def has_agent_channel(document: Document) -> bool:
    """Tell whether the guest has a channel for QEMU's guest agent."""
    return bool(document.attributes(_TARGET, "name"))


def agent_is_connected(document: Document) -> bool:
    """Tell whether something in the guest listens on the channel."""
    return "connected" in document.attributes(_TARGET, "state")
