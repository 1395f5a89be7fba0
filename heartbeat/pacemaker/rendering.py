"""A cluster file as Pacemaker's configuration.

Pure. Called by the commands, the doctor and the tests of the planner. What decides over
placement comes from ``planning.instructions`` alone, so that the planner's answer and
the configuration never differ; here the rest is added: agents, their parameters and
times, fencing, orders.

Nothing here applies to resources of others: what Pacemaker calls resource defaults is
written into each guest, and each resource carries the mark by which ``difference``
knows it.
"""

from __future__ import annotations

from collections import defaultdict

from vmha.heartbeat.pacemaker import fencing, timeouts, turns
from vmha.heartbeat.pacemaker.configuration import (
    Colocation,
    Configuration,
    Constraint,
    Location,
    NodeSettings,
    Operation,
    Order,
    Primitive,
)
from vmha.heartbeat.planning.scores import CPU, MEMORY, RACK_ATTRIBUTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vmha.heartbeat.clusterfile.content import ClusterFile, GuestEntry
    from vmha.heartbeat.planning.instructions import GuestTerms, Instructions
    from vmha.heartbeat.planning.model import Cluster, Guest

AGENT = "ocf:vmha:VirtualMachine"
PREFIX = "vmha-"
MARK = "written-by"
MARKED = "vmha"
FENCING_ENABLED = "stonith-enabled"

# The agent would else write what libvirt says over what the file says.
_FILE_RULES = {
    f"autoset_utilization_{name}": "false"
    for name in ("cpu", "host_memory", "hv_memory", "guests")
}
_UNMOVABLE = ("lxc:", "vbox:", "vmware")


def configuration(
    file: ClusterFile, cluster: Cluster, terms: Instructions
) -> Configuration:
    """Return the whole configuration of a file.

    ``cluster`` is ``planned.cluster_of(file)``, ``terms`` the planner's instructions
    for it.
    """
    entries = {entry.name: entry for entry in file.guests}
    told = {one.name: one for one in terms.guests}
    fences = fencing.of(file)
    delays_s, kept = turns.delays_s(file), turns.told(file)
    guests = [
        _guest(
            guest,
            entries[guest.name],
            told[guest.name],
            {**terms.defaults, **kept[guest.name]},
            delays_s[guest.name],
        )
        for guest in cluster.guests
    ]
    marked = [_marked(device, terms.defaults) for device in fences.devices]
    constraints = [*placement(terms), *_orders(file)]
    return Configuration(
        properties={
            **_properties(file),
            **terms.properties,
            **fences.properties,
        },
        resource_defaults={},
        nodes=nodes(cluster),
        resources=tuple(sorted([*guests, *marked], key=lambda r: r.id)),
        constraints=unique(constraints),
        fencing_levels=fences.levels,
    )


def of_cluster(cluster: Cluster, terms: Instructions) -> Configuration:
    """Return the configuration of a cluster of which only sizes and rules are known.

    For predictions: guests are found at made-up paths, and one device fences all nodes.
    """
    told = {one.name: one for one in terms.guests}
    guests = [
        _primitive(
            guest,
            {"config": f"/srv/guests/{guest.name}.xml"},
            told[guest.name],
            terms.defaults,
        )
        for guest in cluster.guests
    ]
    device = assumed_device(cluster)
    return Configuration(
        properties={**terms.properties, FENCING_ENABLED: "true"},
        resource_defaults={},
        nodes=nodes(cluster),
        resources=tuple(sorted([*guests, device], key=lambda r: r.id)),
        constraints=unique(placement(terms)),
    )


def assumed_device(cluster: Cluster) -> Primitive:
    """Return a device that fences all nodes, for predictions where none is known.

    Without any, Pacemaker restarts nothing, and a plan assumes that fencing works.
    """
    names = " ".join(node.name for node in sorted(cluster.nodes))
    return Primitive(
        f"{PREFIX}fence-all", "stonith:fence_vmha_ipmi", {"pcmk_host_list": names}
    )


def nodes(cluster: Cluster) -> tuple[NodeSettings, ...]:
    """Return what each node offers, and its rack."""
    return tuple(
        NodeSettings(
            node.name,
            {CPU: node.cpu, MEMORY: node.memory_mib},
            {RACK_ATTRIBUTE: node.rack},
        )
        for node in sorted(cluster.nodes)
    )


def placement(terms: Instructions) -> list[Constraint]:
    """Return the constraints that decide where guests run."""
    found: list[Constraint] = [
        Location(f"{PREFIX}place-{t.guest}-{t.node}", t.guest, t.node, t.score)
        for t in terms.locations
    ]
    for term in terms.colocations:
        kind = "apart" if term.score < 0 else "beside"
        is_rack = term.across == "rack"
        where = f"{kind}-rack" if is_rack else kind
        found.append(
            Colocation(
                f"{PREFIX}{where}-{term.guest}-{term.with_guest}",
                term.guest,
                term.with_guest,
                term.score,
                RACK_ATTRIBUTE if is_rack else None,
            )
        )
    return found


def unique(found: Iterable[Constraint]) -> tuple[Constraint, ...]:
    """Sort by id; ids of names with dashes can collide, and then get a number."""
    from dataclasses import replace

    seen: defaultdict[str, int] = defaultdict(int)
    unequal: list[Constraint] = []
    for one in sorted(set(found), key=lambda c: (c.id, repr(c))):
        seen[one.id] += 1
        number = seen[one.id]
        unequal.append(one if number == 1 else replace(one, id=f"{one.id}.{number}"))
    return tuple(sorted(unequal, key=lambda c: c.id))


def _properties(file: ClusterFile) -> dict[str, str]:
    """Return what the cluster as a whole must do for guests to be safe.

    Fencing is enabled also where the file names no device: Pacemaker then starts
    nothing and says why, which is better than two copies of a guest.
    """
    properties = {
        FENCING_ENABLED: "true",
        "no-quorum-policy": "stop",
    }
    if file.policy.migration_limit is not None:
        properties["migration-limit"] = str(file.policy.migration_limit)
    return properties


def _guest(
    guest: Guest,
    entry: GuestEntry,
    terms: GuestTerms,
    defaults: Mapping[str, str],
    start_delay_s: int,
) -> Primitive:
    parameters = {**_FILE_RULES, **entry.options}
    if entry.config is not None:
        parameters["config"] = entry.config
    else:
        parameters["domain"] = entry.domain or entry.name
    if entry.hypervisor is not None:
        parameters["hypervisor"] = entry.hypervisor
    return _primitive(guest, parameters, terms, defaults, start_delay_s)


def _primitive(
    guest: Guest,
    parameters: Mapping[str, str],
    terms: GuestTerms,
    defaults: Mapping[str, str],
    start_delay_s: int = 0,
) -> Primitive:
    """Return a guest's resource; its size is as the planner tells it to Pacemaker."""
    can_move = not parameters.get("hypervisor", "").startswith(_UNMOVABLE)
    meta = {"allow-migrate": "true" if can_move else "false"}
    return Primitive(
        guest.name,
        AGENT,
        parameters,
        {**meta, **defaults, **terms.meta, MARK: MARKED},
        {CPU: terms.cpu, MEMORY: terms.memory_mib},
        _operations(guest.memory_mib, start_delay_s),
    )


def _operations(memory_mib: int, start_delay_s: int) -> tuple[Operation, ...]:
    delay = {"start-delay": f"{start_delay_s}s"} if start_delay_s else {}
    return (
        Operation("migrate_from", 0, timeouts.MIGRATE_FROM_S),
        Operation("migrate_to", 0, timeouts.migrate_to_s(memory_mib)),
        Operation("monitor", timeouts.MONITOR_INTERVAL_S, timeouts.MONITOR_S),
        Operation("start", 0, timeouts.START_S, delay),
        Operation("stop", 0, timeouts.stop_s(memory_mib)),
    )


def _marked(device: Primitive, defaults: Mapping[str, str]) -> Primitive:
    """Mark a fence device; it stays where it runs, as guests do."""
    from dataclasses import replace

    return replace(device, meta={**device.meta, **defaults, MARK: MARKED})


def _orders(file: ClusterFile) -> list[Constraint]:
    """Return which resources of others a guest waits for.

    Without what they provide (a file system) a guest cannot run: mandatory. Guests do
    not wait for guests (``turns``).
    """
    names = {guest.name for guest in file.guests}
    return [
        Order(f"{PREFIX}after-{first}-{guest.name}", first, guest.name, "Mandatory")
        for guest in file.guests
        for first in guest.after
        if first not in names
    ]


def awaited(file: ClusterFile) -> dict[str, list[str]]:
    """Return the resources of others that guests wait for, with those guests."""
    names = {guest.name for guest in file.guests}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for guest in file.guests:
        for first in guest.after:
            if first not in names:
                found[first].append(guest.name)
    return dict(found)
