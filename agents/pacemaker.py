"""What an agent asks its local cluster and tells it.

Called by start (who else is online), by the accounting of utilization and by
NodeCapacity; never by a plain recurring monitor. Pacemaker's command-line tools are the
interface; they are asked for XML where they have it. Every call is bounded; a tool that
hangs is killed and left behind.
"""

from __future__ import annotations

import os

from vmha.agents.protocol import process
from vmha.agents.protocol.errors import (
    AgentError,
    NotInstalled,
    Refused,
    Unreachable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.agents.cib import Configuration
    from vmha.agents.protocol.deadline import Deadline

FOLDERS = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
# Where Pacemaker's tools take the CIB from; else from the cluster.
_OF_TOOLS = ("CIB_file", "CIB_shadow", "CIB_shadow_dir")


def online_nodes(deadline: Deadline) -> list[str]:
    """Return the names of the nodes that Pacemaker holds to be online.

    A node that is online and on standby counts: a guest may live there. Guest nodes,
    which are virtual machines themselves, do not. Raises Unreachable where Pacemaker
    gives no answer (source: crm_mon --output-as=xml, element nodes/node).
    """
    from xml.etree import ElementTree

    words = ["crm_mon", "--one-shot", "--output-as=xml", "--include=none,nodes"]
    try:
        text = _answer(words, deadline, {})
        nodes = ElementTree.fromstring(text).iterfind("nodes/node")  # noqa: S314
    except (AgentError, ElementTree.ParseError) as error:
        raise Unreachable(f"Pacemaker does not say who is online: {error}") from error
    hosts = [n for n in nodes if not n.get("id_as_resource")]
    return [str(n.get("name")) for n in hosts if n.get("online") == "true"]


class Cluster:
    """The local cluster's configuration and this node's attributes.

    ``environ`` is the operation's; of it the tools get what says where the CIB is.
    Each method raises NotInstalled, Unreachable or Refused with the tool's words.
    """

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {n: environ[n] for n in _OF_TOOLS if n in environ}

    def read(self, deadline: Deadline) -> Configuration:
        """Return the CIB as this node has it, without asking the others."""
        from vmha.agents import cib

        return cib.parse(self._run(["cibadmin", "--query", "--local"], deadline))

    def node_name(self, deadline: Deadline) -> str:
        """Return the cluster's name of this node."""
        return self._run(["crm_node", "--name"], deadline).strip()

    def set_capacity(
        self, node: str, name: str, value: int, deadline: Deadline
    ) -> None:
        """Set what a node offers to utilization; it outlives a reboot."""
        who = ["crm_attribute", "--utilization", "--node", node, "--name", name]
        self._run([*who, "--lifetime", "forever", "--update", str(value)], deadline)

    def set_utilization(
        self, resource: str, name: str, value: str, deadline: Deadline
    ) -> None:
        """Set what a resource needs of a node."""
        words = ["--set-parameter", name, "--parameter-value", value]
        self._run([*_of(resource), *words], deadline)

    def remove_utilization(self, resource: str, name: str, deadline: Deadline) -> None:
        """Remove what a resource was said to need."""
        self._run([*_of(resource), "--delete-parameter", name], deadline)

    def set_attribute(self, name: str, value: str, deadline: Deadline) -> None:
        """Set a transient attribute of this node: it ends when the node leaves."""
        words = ["attrd_updater", "--name", name, "--update", value]
        self._run(words, deadline)

    def remove_attribute(self, name: str, deadline: Deadline) -> None:
        """Remove a transient attribute of this node."""
        self._run(["attrd_updater", "--name", name, "--delete"], deadline)

    def _run(self, words: list[str], deadline: Deadline) -> str:
        return _answer(words, deadline, self._environ)


def _of(resource: str) -> list[str]:
    return ["crm_resource", "--resource", resource, "--utilization"]


def _answer(words: list[str], deadline: Deadline, environ: Mapping[str, str]) -> str:
    """Run one of Pacemaker's tools and return what it printed."""
    result = process.run([_program(words[0]), *words[1:]], deadline, environ)
    if result.exit_code != 0:
        said = " ".join((result.stderr or result.stdout).split())
        told = said or f"it ended with {result.exit_code}"
        raise Refused(f"{words[0]} failed: {told}")
    return result.stdout


def _program(name: str) -> str:
    """Return where a tool is; distributions differ in the folder."""
    for folder in FOLDERS:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise NotInstalled(f"{name} is not installed: install pacemaker's tools")
