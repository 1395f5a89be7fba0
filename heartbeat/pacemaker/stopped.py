"""Guests that are meant to be stopped: Pacemaker starts them nowhere.

Pure. Called wherever a cluster is planned that somebody runs: a guest with
target-role=Stopped stays down whatever fails, and takes no room.
"""

from __future__ import annotations

from vmha.heartbeat.pacemaker.live import metas
from vmha.heartbeat.planning.model import Pin, Together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lxml import etree

    from vmha.heartbeat.planning.model import Cluster, Rule

STOPPED = "stopped"


def names(cib: etree._Element) -> frozenset[str]:
    """Return the resources whose target-role is Stopped."""
    return frozenset(
        name
        for name, meta in metas(cib).items()
        if meta.get("target-role", "").lower() == STOPPED
    )


def left_out(cluster: Cluster, cib: etree._Element) -> Cluster:
    """Return the cluster without the guests that are meant to be stopped.

    Where the leader of a hard ``together`` is stopped, those that follow it have no
    node: Pacemaker places nobody beside what runs nowhere.
    """
    absent = names(cib)
    if not absent:
        return cluster
    guests = tuple(one for one in cluster.guests if one.name not in absent)
    rules = tuple(_left(rule, absent) for rule in cluster.rules)
    return cluster._replace(guests=guests, rules=tuple(r for r in rules if r.guests))


def _left(rule: Rule, absent: frozenset[str]) -> Rule:
    left = tuple(name for name in rule.guests if name not in absent)
    if isinstance(rule, Together) and rule.hard and rule.guests[0] in absent:
        return Pin(left, (), hard=True)
    return rule._replace(guests=left)
