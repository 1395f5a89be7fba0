"""A cluster file from a CIB: what of an existing cluster can be said in one.

Pure, but for guests' XML files, which are read for sizes that the CIB does not have.
Called by ``vmha import``. Whatever has no words in a cluster file is listed, never
dropped silently; no secret is taken over.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from vmha.agents import cib as reading
from vmha.heartbeat.clusterfile import acceptable, writing
from vmha.heartbeat.clusterfile.content import (
    ClusterFile,
    GuestEntry,
    NodeEntry,
    Policy,
)
from vmha.heartbeat.clusterfile.schema import refused_guest_name
from vmha.heartbeat.clusterfile.sizes import NoSize
from vmha.heartbeat.corosync import reading as corosync
from vmha.heartbeat.pacemaker import (
    imported_corosync,
    imported_fencing,
    imported_remains,
    imported_rules,
)
from vmha.heartbeat.pacemaker.imported_sizes import Sizes
from vmha.heartbeat.pacemaker.live import NO, Live, metas
from vmha.heartbeat.pacemaker.rendering import MARK, MARKED
from vmha.heartbeat.pacemaker.turns import AFTER, DELAY, TURN
from vmha.heartbeat.planning.scores import LEAST_PRIORITY, UNMANAGED_PRIORITY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.heartbeat.planning.model import Guest, Node

NAME = "vmha.yaml"
MOST_PRIORITY = 999_999
"""Of a cluster file; Pacemaker's INFINITY is one more."""
NOT_IN_USE = ("snapshot", "backingfile", "stateless", "copyindirs")
_FOUND = ("config", "domain", "hypervisor")


class Import(NamedTuple):
    """The file, what of the cluster is not in it, and what is to be filled in."""

    file: ClusterFile
    left_out: tuple[str, ...]


def imported(
    cib: etree._Element,
    live: Live,
    conf: corosync.Section,
    capacity: tuple[int, int] | None = None,
    sizes: Sizes | None = None,
) -> Import:
    """Return the cluster file of a cluster, which reads back without an error.

    ``capacity`` is (processors, MiB) for nodes of which the CIB says none; ``sizes`` is
    where those of guests are looked for, without it in their files. Raises Unacceptable
    where no file can be made of it, such as without a node.
    """
    asked = reading.parse(etree.tostring(cib, encoding="unicode"))
    left_out = list(live.unread)
    fences, told = imported_fencing.levels(cib)
    left_out += told
    addresses = corosync.addresses(conf)
    nodes = tuple(
        _node(node, addresses, fences, capacity, left_out)
        for node in live.cluster.nodes
    )
    meta = metas(cib)
    orders = imported_rules.orders(cib, {g.name for g in live.cluster.guests})
    sizes = sizes or Sizes()
    guests = tuple(
        _guest(guest, asked, meta[guest.name], orders, sizes, left_out)
        for guest in live.cluster.guests
    )
    options = _options(cib)
    limit = options.get("migration-limit", "")
    memory = {guest.name: guest.memory_mib for guest in guests}
    left_out += [*orders.left_out, *imported_remains.told(cib, memory)]
    file = ClusterFile(
        path=NAME,
        name=options.get("cluster-name") or _name(conf),
        nodes=nodes,
        guests=guests,
        rules=imported_rules.merged(live.cluster),
        policy=Policy(migration_limit=int(limit) if limit.isdigit() else None),
        token_ms=corosync.token_ms(conf),
        two_node=live.cluster.two_node,
        qdevice=imported_corosync.qdevice(conf),
    )
    file, refused = acceptable.accepted(_sized(file, left_out))
    refused += imported_corosync.told(conf, file)
    return Import(file, tuple(dict.fromkeys([*left_out, *refused])))


def _sized(file: ClusterFile, left_out: list[str]) -> ClusterFile:
    """Leave out guests whose memory is not known, with the entry to be filled in.

    Any number in its place would be planned with, and given to Pacemaker.
    """
    unknown = [
        guest.name
        for guest in file.guests
        if not (guest.memory_mib or refused_guest_name(guest.name))
    ]
    if not unknown:
        return file
    entries = writing.guest_lines(file, unknown)
    left_out += [
        f"guest {name} is not in this file, as its memory is not known; to add it: "
        f"{entries[name]}"
        for name in unknown
    ]
    return acceptable.left_out(file, unknown, left_out)


def _name(conf: corosync.Section) -> str:
    return conf.first("totem").words.get("cluster_name") or "cluster"


def _options(cib: etree._Element) -> dict[str, str]:
    pairs = cib.iterfind("configuration/crm_config/cluster_property_set/nvpair")
    return {str(pair.get("name")): str(pair.get("value") or "") for pair in pairs}


def _node(
    node: Node,
    addresses: Mapping[str, tuple[str, ...]],
    fences: imported_fencing.Levels,
    capacity: tuple[int, int] | None,
    left_out: list[str],
) -> NodeEntry:
    cpu, memory_mib = node.cpu, node.memory_mib
    if not (cpu and memory_mib) and capacity is not None:
        cpu, memory_mib = cpu or capacity[0], memory_mib or capacity[1]
    if not (cpu and memory_mib):
        left_out.append(
            f"node {node.name}: the cluster says no capacity of it (cpu, hv_memory); "
            "fill it in, or no guest fits there"
        )
    return NodeEntry(
        node.name,
        addresses.get(node.name, ()),
        cpu,
        memory_mib,
        rack=node.rack if node.rack != node.name else None,
        fencing=fences.get(node.name, ()),
    )


def _guest(
    guest: Guest,
    asked: reading.Configuration,
    meta: Mapping[str, str],
    orders: imported_rules.Orders,
    sizes: Sizes,
    left_out: list[str],
) -> GuestEntry:
    name = guest.name
    parameters = asked.parameters(name)
    if parameters is None:
        left_out.append(f"guest {name}: a rule decides over its parameters")
        parameters = {}
    cpu, memory_mib = _size(guest, parameters, sizes, left_out)
    priority = _priority(guest, meta, left_out)
    turn, after = meta.get(TURN, ""), meta.get(AFTER, "")
    delay_s = orders.delay_s.get(name, 0)
    if turn or after:  # what the start is held back for both, and for its own sake
        delay_s = reading.number(meta.get(DELAY, "0"))
    return GuestEntry(
        name,
        cpu,
        memory_mib,
        config=parameters.get("config"),
        domain=parameters.get("domain"),
        hypervisor=parameters.get("hypervisor"),
        priority=priority,
        ha=guest.ha,
        runs_on=guest.runs_on,
        prefer=guest.prefer,
        after=tuple(
            sorted({*orders.after.get(name, ()), *filter(None, after.split(","))})
        ),
        start_order=reading.number(turn) if turn else None,
        start_delay_s=delay_s,
        options=_parameters(name, parameters, left_out),
    )


def _priority(guest: Guest, meta: Mapping[str, str], left_out: list[str]) -> int:
    """Return the priority as a file has it; what vmha added for itself is taken off."""
    is_marked = meta.get(MARK) == MARKED
    is_written = is_marked and guest.priority == UNMANAGED_PRIORITY
    if not guest.ha and not is_written:
        said = "it is not managed, which stands as ha: false"
        left_out.append(f"guest {guest.name}: {said}")
    if is_marked:
        return 0 if is_written else max(0, guest.priority - LEAST_PRIORITY)
    if abs(guest.priority) > MOST_PRIORITY:
        kept = MOST_PRIORITY if guest.priority > 0 else -MOST_PRIORITY
        left_out.append(
            f"guest {guest.name}: its priority {meta.get('priority')} is more than a "
            f"cluster file takes; {kept} stands for it"
        )
        return kept
    return guest.priority


def _parameters(
    name: str, parameters: Mapping[str, str], left_out: list[str]
) -> dict[str, str]:
    """Return the further parameters; accounting is the file's and no parameter."""
    kept = {}
    for key, value in sorted(parameters.items()):
        if key in _FOUND or key.startswith(("autoset_utilization", "unset_util")):
            continue
        if key in NOT_IN_USE and value.lower() not in ("", *NO):
            left_out.append(f"guest {name}: parameter {key}, which vmha does not have")
        elif key not in NOT_IN_USE:
            kept[key] = value
    return kept


def _size(
    guest: Guest,
    parameters: Mapping[str, str],
    sizes: Sizes,
    left_out: list[str],
) -> tuple[int, int]:
    """Return the guest's size: by the cluster, else by its XML or libvirt."""
    cpu, memory_mib = guest.cpu, guest.memory_mib
    if cpu and memory_mib:
        return cpu, memory_mib
    try:
        found = sizes.size(guest.name, parameters)
        return cpu or found.cpu, memory_mib or found.memory_mib
    except NoSize as error:
        reason = str(error)
    advice = "; fill in its cpu" if memory_mib else ""
    left_out.append(f"guest {guest.name}: its size is unknown ({reason}){advice}")
    return cpu, memory_mib
