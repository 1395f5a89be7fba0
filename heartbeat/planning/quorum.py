"""Whether what is left of a cluster may still run anything.

Facts from votequorum(5): a majority of the expected votes; ``two_node`` lets one of two
nodes go on; a qdevice is one more vote, which stays with the survivors, or with the
algorithm lms one vote less than there are nodes (corosync-qdevice(8)).
"""

from __future__ import annotations

from vmha.heartbeat.planning.model import Cluster


def has_quorum(
    nodes: int,
    lost: int,
    *,
    two_node: bool,
    qdevice: bool,
    last_man: bool = False,
) -> bool:
    """Tell whether the nodes that are left have quorum; ``last_man`` is lms."""
    left = nodes - lost
    if left <= 0:
        return False
    if two_node and nodes == 2:
        return True
    arbiter = 0 if not qdevice else nodes - 1 if last_man else 1
    return 2 * (left + arbiter) > nodes + arbiter


def survives(cluster: Cluster, lost: int) -> bool:
    """Tell whether this cluster has quorum after it has lost so many nodes."""
    return has_quorum(
        len(cluster.nodes),
        lost,
        two_node=cluster.two_node,
        qdevice=cluster.qdevice,
        last_man=cluster.last_man,
    )


def remedy(cluster: Cluster, lost: int) -> str:
    """Return what would leave quorum after so many losses, where it is lost."""
    nodes = len(cluster.nodes)
    if not cluster.qdevice and has_quorum(nodes, lost, two_node=False, qdevice=True):
        return "two_node or a qdevice" if nodes == 2 else "a qdevice"
    return "a qdevice with the algorithm lms"
