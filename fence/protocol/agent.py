"""A fence agent as it is declared: made by the main of each, read by ``run``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Callable

    from vmha.agents.protocol.parameters import Parameter, Values
    from vmha.fence.protocol.actions import Device

# Names and further attributes in the metadata. The cluster turns no node on by itself.
POWER_ACTIONS = (
    ("on", 'automatic="0"'),
    ("off", ""),
    ("reboot", ""),
    ("status", ""),
    ("monitor", ""),
    ("diag", ""),
    ("metadata", ""),
    ("validate-all", ""),
)
# Not in the metadata: Pacemaker would ask every device that has no host list for its
# hosts first, and refuse the first fencing by one that has no map of them.
LIST_ACTIONS = ("list", "list-status")


def no_hosts(_values: Values) -> Mapping[str, str]:
    """Stand for one device per node."""
    return {}


def one_path(_values: Values) -> int:
    """Stand for one way to the device."""
    return 1


class FenceAgent:
    """A fence agent as declared.

    ``actions``   names and further attributes, as the metadata shows them
    ``check``     raises AgentError for values that cannot go together
    ``name_of``   names the device for the log
    ``connect``   makes the device from values and password; it runs in the worker and
                  imports what it needs there
    ``hosts_of``  the nodes of a device for several, by name, with their addresses
    ``paths``     how many ways there are to the device, each with a login of its own
    """

    __slots__ = (
        "actions",
        "check",
        "connect",
        "hosts_of",
        "longdesc",
        "name",
        "name_of",
        "parameters",
        "paths",
        "shortdesc",
    )

    def __init__(
        self,
        name: str,
        shortdesc: str,
        longdesc: str,
        parameters: Sequence[Parameter],
        actions: Sequence[tuple[str, str]],
        check: Callable[[Values], None],
        name_of: Callable[[Values], str],
        connect: Callable[[Values, bytes], Device],
        hosts_of: Callable[[Values], Mapping[str, str]] = no_hosts,
        paths: Callable[[Values], int] = one_path,
    ) -> None:
        self.name = name
        self.shortdesc = shortdesc
        self.longdesc = longdesc
        self.parameters = tuple(parameters)
        self.actions = tuple(actions)
        self.check = check
        self.name_of = name_of
        self.connect = connect
        self.hosts_of = hosts_of
        self.paths = paths

    @property
    def accepted(self) -> tuple[str, ...]:
        """Return the names of all actions, also those that the metadata leaves out."""
        lists = () if self.hosts_of is no_hosts else LIST_ACTIONS
        return (*(name for name, _ in self.actions), *lists)
