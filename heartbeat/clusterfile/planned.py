"""A cluster file as the planner's cluster: what guests may use, racks resolved.

Called by plan, whatif, rendering and doctor. Pure. The arithmetic is in ``usable``.
"""

from __future__ import annotations

from fractions import Fraction

from vmha.heartbeat.clusterfile.content import (
    ClusterFile,
    GuestEntry,
    NodeEntry,
    PinEntry,
    RuleEntry,
    SpreadEntry,
    TogetherEntry,
)
from vmha.heartbeat.clusterfile.places import Places
from vmha.heartbeat.planning.model import (
    Avoid,
    Cluster,
    Guest,
    Node,
    Pin,
    Rule,
    Spread,
    Together,
)


def cluster_of(file: ClusterFile) -> Cluster:
    """Return the cluster that a file describes, as the planner takes it."""
    places = places_of(file)
    return Cluster(
        nodes=tuple(_node(node, places) for node in file.nodes),
        guests=tuple(guest_of(guest, file) for guest in file.guests),
        rules=tuple(_rule(rule, places) for rule in file.rules),
        tolerate=file.policy.tolerate,
        two_node=file.two_node,
        qdevice=file.qdevice is not None,
        preemption=file.policy.preemption,
        last_man=file.qdevice is not None and file.qdevice.algorithm == "lms",
    )


def usable(node: NodeEntry) -> tuple[int, int]:
    """Return the processors and the MiB that guests may use of a node.

    The ratio counts as it is written: 100 times 1.15 is 115, though not for floats.
    """
    cpu = (node.cpu - node.reserve_cpu) * Fraction(repr(node.cpu_ratio))
    return int(cpu), node.memory_mib - node.reserve_memory_mib


def places_of(file: ClusterFile) -> Places:
    """Return the nodes and racks of a file."""
    return Places({node.name: node.rack for node in file.nodes})


def guest_of(guest: GuestEntry, file: ClusterFile) -> Guest:
    """Return a guest with the overhead that the policy adds to each."""
    return Guest(
        guest.name,
        guest.cpu,
        guest.memory_mib + file.policy.guest_overhead_mib,
        guest.priority,
        guest.ha,
        guest.runs_on,
        guest.prefer,
    )


def _node(node: NodeEntry, places: Places) -> Node:
    cpu, memory_mib = usable(node)
    return Node(node.name, cpu, memory_mib, places.rack_of[node.name])


def _rule(rule: RuleEntry, places: Places) -> Rule:
    if isinstance(rule, SpreadEntry):
        return Spread(rule.guests, rule.across, rule.hard)
    if isinstance(rule, TogetherEntry):
        return Together(rule.guests, rule.hard)
    if isinstance(rule, PinEntry):
        return Pin(rule.guests, places.resolved(rule.to), rule.hard)
    return Avoid(rule.guests, places.resolved(rule.nodes), rule.hard)
