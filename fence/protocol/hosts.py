"""A map of hosts: one fencing device that stands for the BMCs of several nodes.

``node1=10.0.0.11 node2=10.0.0.12``: the name that Pacemaker has for a node, and where
its BMC is. Read by the agents' main and by ``run`` for list and list-status.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import BadParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "hosts"
ACCEPTED = "give name=address pairs with spaces between them, each name once"


def read(text: str) -> dict[str, str]:
    """Return the address of each name; raises BadParameter for what is no such map."""
    found: dict[str, str] = {}
    for pair in text.replace(",", " ").replace(";", " ").split():
        name, _, address = pair.partition("=")
        is_twice = name.lower() in {known.lower() for known in found}
        if not name or not address or "=" in address or is_twice:
            raise BadParameter(NAME, text, ACCEPTED)
        found[name] = address
    return found


def accepted(text: str) -> str:
    """Return "" for a good map, else what would be one."""
    try:
        return "" if read(text) else ACCEPTED
    except BadParameter as problem:
        return problem.accepted


def address_of(node: str, hosts: Mapping[str, str]) -> str:
    """Return the address for a node; raises BadParameter for one that is not there.

    The fencer finds a node in a list in any case, and then gives its own spelling.
    """
    for name, address in hosts.items():
        if name.lower() == node.lower():
            return address
    known = ", ".join(sorted(hosts))
    raise BadParameter("plug", node, f"{NAME} has {known}")
