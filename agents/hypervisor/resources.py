"""Networks and storage pools that a guest needs active on its node.

Called by start and, on the target, before a migration, where ``start_resources`` asks
for it. An active one is left alone; nothing is ever stopped here.
"""

from __future__ import annotations

from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.errors import Absent
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused


def start_networks(
    connection: Connection, deadline: Deadline, names: list[str]
) -> list[str]:
    """Start the inactive ones among the networks and return their names."""
    handle = connection.handle
    started = []
    for name in names:
        what = f"find network {name!r}"
        network = connection.call(what, deadline, handle.networkLookupByName, name)
        if not connection.call(what, deadline, network.isActive):
            connection.call(f"start network {name!r}", deadline, network.create)
            started.append(name)
    return started


def start_pools(
    connection: Connection, deadline: Deadline, names: list[str]
) -> list[str]:
    """Start the inactive ones among the storage pools and return their names."""
    handle = connection.handle
    started = []
    for name in names:
        what = f"find storage pool {name!r}"
        pool = connection.call(what, deadline, handle.storagePoolLookupByName, name)
        if not connection.call(what, deadline, pool.isActive):
            connection.call(f"start storage pool {name!r}", deadline, pool.create, 0)
            started.append(name)
    return started


def has_pool_at(connection: Connection, deadline: Deadline, folder: str) -> bool:
    """Tell whether a storage pool has its volumes in this folder."""
    lookup = connection.handle.storagePoolLookupByTargetPath
    try:
        connection.call(
            f"look for a storage pool at {folder}", deadline, lookup, folder
        )
    except (Absent, Refused):
        return False
    return True
