"""All that a node tells of itself: ``vmha node-facts``, and the own node's share.

Called by ``command.node_facts`` on each node and by ``asking`` for this one. Parts are
asked at the same time; one that hangs or fails is null, with the reason under
"unknown", and takes nothing from the others. Secrets never are in it.

What asks libvirt is loaded when a node is asked, not when others' facts are read: a
workstation with the command alone has neither vmha-agents nor libvirt.
"""

from __future__ import annotations

import os

from vmha.agents.pacemaker import FOLDERS
from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, NotInstalled, Refused
from vmha.agents.protocol.version import VERSION
from vmha.heartbeat.doctor import cib as cibs
from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.doctor.node import clock, cluster, corosync, fencing, host, units
from vmha.heartbeat.doctor.parallel import together

FORM = 1
"""The form of the answer; a reader that does not know it says so."""
ALL_S = 8.0
"""Within which the node tells; ssh and the asker's own 10 s come on top."""
OF_CIB_S = 3.0


def gather(deadline: Deadline) -> dict[str, object]:
    """Return the node's facts, ready to be written as JSON."""
    deadline = deadline.part(ALL_S)
    configuration: Cib | AgentError
    name = os.uname().nodename
    try:
        configuration = read_cib(deadline.part(OF_CIB_S))
        name = tool(["crm_node", "--name"], deadline.part(OF_CIB_S)).strip() or name
    except AgentError as silence:
        configuration = silence
    questions = {
        "time": lambda: clock.tell(deadline),
        "host": lambda: host.tell(deadline),
        "units": lambda: units.tell(deadline),
        "corosync": lambda: corosync.tell(deadline),
        "pacemaker": lambda: cluster.tell(deadline),
        "libvirt": lambda: _libvirt(configuration, deadline),
        "guests": lambda: _guests(configuration, deadline),
        "fencing": lambda: fencing.tell(_known(configuration), name, deadline),
    }
    answers = together(questions, deadline)
    silent = {n: str(a) for n, a in answers.items() if isinstance(a, AgentError)}
    told = {n: None if n in silent else a for n, a in answers.items()}
    return {"form": FORM, "vmha": VERSION, "node": name, **told, "unknown": silent}


def read_cib(deadline: Deadline) -> Cib:
    """Return the CIB as this node has it; raises where the cluster does not run."""
    return cibs.parse(tool(["cibadmin", "--query", "--local"], deadline))


def tool(words: list[str], deadline: Deadline) -> str:
    """Run one of Pacemaker's tools and return what it printed."""
    paths = [os.path.join(folder, words[0]) for folder in FOLDERS]
    found = [path for path in paths if os.access(path, os.X_OK)]
    if not found:
        raise NotInstalled(f"{words[0]} is not installed here")
    result = process.run([found[0], *words[1:]], deadline)
    if result.exit_code != 0:
        said = " ".join((result.stderr or result.stdout).split())
        raise Refused(f"{words[0]} failed: {said or result.exit_code}")
    return result.stdout


def _known(configuration: Cib | AgentError) -> Cib:
    if isinstance(configuration, AgentError):
        raise configuration
    return configuration


def _libvirt(configuration: Cib | AgentError, deadline: Deadline) -> object:
    """Ask the libvirt of the URIs that guests use; without a CIB, of the usual one."""
    try:
        from vmha.heartbeat.doctor.node import guests, hypervisor
    except ImportError as absent:
        raise _no_agents(absent) from absent
    has_cib = not isinstance(configuration, AgentError)
    uris = guests.uris(_known(configuration)) if has_cib else []
    return hypervisor.tell(uris or [hypervisor.USUAL], deadline)


def _guests(configuration: Cib | AgentError, deadline: Deadline) -> object:
    try:
        from vmha.heartbeat.doctor.node import guests
    except ImportError as absent:
        raise _no_agents(absent) from absent
    return guests.tell(_known(configuration), deadline)


def _no_agents(absent: ImportError) -> NotInstalled:
    return NotInstalled(f"vmha-agents is not installed here, or not whole: {absent}")
