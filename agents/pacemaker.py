"""What an agent asks its local cluster and tells it.

Called by start (who else is online), by the accounting of utilization and by
NodeCapacity; never by a plain recurring monitor. Pacemaker's command-line tools are the
interface; they are asked for XML where they have it.
"""

from __future__ import annotations

from xml.etree import ElementTree

from vmha.agents.protocol import process
from vmha.agents.protocol.errors import AgentError, Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline

CRM_MON = "/usr/sbin/crm_mon"


def online_nodes(deadline: Deadline) -> list[str]:
    """Return the names of the nodes that Pacemaker holds to be online.

    A node that is online and on standby counts: a guest may live there. Guest nodes,
    which are virtual machines themselves, do not. Raises Unreachable where Pacemaker
    gives no answer (source: crm_mon --output-as=xml, element nodes/node).
    """
    argv = [CRM_MON, "--one-shot", "--output-as=xml", "--include=none,nodes"]
    try:
        answer = process.run(argv, deadline)
        nodes = ElementTree.fromstring(answer.stdout).iterfind("nodes/node")  # noqa: S314
    except (AgentError, ElementTree.ParseError) as error:
        raise Unreachable(f"Pacemaker does not say who is online: {error}") from error
    hosts = [n for n in nodes if not n.get("id_as_resource")]
    return [str(n.get("name")) for n in hosts if n.get("online") == "true"]
