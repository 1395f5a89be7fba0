"""Whether what is left of a cluster may still run anything.

Facts from votequorum(5): a majority of the expected votes; ``two_node`` lets one of two
nodes go on; a qdevice (ffsplit) is one more vote, which stays with the survivors.
"""

from __future__ import annotations

from vmha.heartbeat.planning.model import Cluster


def has_quorum(nodes: int, lost: int, *, two_node: bool, qdevice: bool) -> bool:
    """Tell whether the nodes that are left have quorum."""
    left = nodes - lost
    if left <= 0:
        return False
    if two_node and nodes == 2:
        return True
    votes = left + int(qdevice)
    expected = nodes + int(qdevice)
    return 2 * votes > expected


def survives(cluster: Cluster, lost: int) -> bool:
    """Tell whether this cluster has quorum after it has lost so many nodes."""
    return has_quorum(
        len(cluster.nodes), lost, two_node=cluster.two_node, qdevice=cluster.qdevice
    )
