"""How large the guests of a running cluster are, where its CIB does not say.

Called by ``importing``. A guest is started from an XML file, which says it, or is one
that libvirt knows by name; then, on a node of the cluster, libvirt is asked. A
hypervisor that does not answer is not asked again.
"""

from __future__ import annotations

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError
from vmha.heartbeat.clusterfile.exclusions import DEFAULT_URI
from vmha.heartbeat.clusterfile.sizes import Configs, NoSize, Size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.agents.hypervisor.connection import Connection

LIBVIRT_ANSWERS_S = 5.0


class Sizes:
    """Where sizes are looked for; ``asks_libvirt``: this is a node of the cluster."""

    def __init__(self, asks_libvirt: bool = False) -> None:
        self._configs = Configs()
        self._asks_libvirt = asks_libvirt
        self._silent: dict[str, str] = {}
        self._open: dict[str, Connection] = {}

    def size(self, name: str, parameters: Mapping[str, str]) -> Size:
        """Return a guest's size; raises NoSize with the reason, one clause."""
        config = parameters.get("config")
        if config:
            return self._configs.size(config)
        if not self._asks_libvirt:
            raise NoSize("it has no config file")
        uri = parameters.get("hypervisor") or DEFAULT_URI
        return self._of_libvirt(uri, parameters.get("domain") or name)

    def _of_libvirt(self, uri: str, who: str) -> Size:
        try:
            from vmha.agents.domainxml import identity
            from vmha.agents.hypervisor import domains, sizing
        except ImportError as error:
            raise NoSize("libvirt's module for Python is not installed") from error
        deadline = Deadline(LIBVIRT_ANSWERS_S)
        try:
            connection = self._connection(uri, deadline)
            uuid = identity.canonical_uuid(who)
            seen = domains.look(connection, deadline, "" if uuid else who, uuid)
            if seen.domain is None:
                raise NoSize(f"{who} is not known to libvirt here")
            found = sizing.size(connection, deadline, seen.domain)
        except AgentError as error:
            self._silent.setdefault(uri, str(error))
            raise NoSize(str(error)) from error
        return Size(found.vcpus, found.memory_mib)

    def _connection(self, uri: str, deadline: Deadline) -> Connection:
        """Return a connection, opened once; one that failed is not tried again."""
        from vmha.agents.hypervisor.connection import connect

        if uri in self._silent:
            raise NoSize(self._silent[uri])
        if uri not in self._open:
            self._open[uri] = connect(uri, deadline)
        return self._open[uri]
