"""What the guest needs of a node, told to Pacemaker as utilization.

Called after a start, an arrival and a reload (``account``), and by monitors of check
level 10 and more (``account_if_changed``); never by a plain recurring monitor. It never
fails the action that calls it: a guest that runs is not worth a restart over its
bookkeeping. Nothing is written that would make the guest unplaceable: a node without a
capacity of that name counts as one that has none of it.
"""

from __future__ import annotations

import time

from vmha.agents.hypervisor import sizing
from vmha.agents.protocol.errors import AgentError, BadParameter
from vmha.agents.protocol.notes import Notes
from vmha.agents.vm import identity as identities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.agents.pacemaker import Cluster
    from vmha.agents.protocol.agent import Operation
    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.vm.observation import Observer
    from vmha.agents.vm.record import RecordStore

NAMES = ("cpu", "host_memory", "hv_memory", "guests")
OPTIONAL = "guests"
KIND = "utilization"
PATIENCE_S = 5.0
LEAST_S = 1.0  # with less time left, the action's own end comes first
AGAIN_S = 300.0  # what could not be written is tried again by later monitors
_OPEN, _TRIED_S = "open", "tried_s"  # noted while something is still to be written


class Change:
    """One attribute to set or (value None) to remove, or why it is not set."""

    __slots__ = ("name", "value", "withheld")

    def __init__(self, name: str, value: str | None, withheld: str = "") -> None:
        self.name = name
        self.value = value
        self.withheld = withheld

    def __eq__(self, other: object) -> bool:
        """Compare field by field."""
        mine = (self.name, self.value, self.withheld)
        return isinstance(other, Change) and mine == (
            other.name,
            other.value,
            other.withheld,
        )

    def __hash__(self) -> int:
        return hash((self.name, self.value, self.withheld))

    def __repr__(self) -> str:
        return f"Change({self.name!r}, {self.value!r}, {self.withheld!r})"


def account(operation: Operation, observer: Observer, store: RecordStore) -> None:
    """Bring the resource's utilization in line with its guest; warn, never fail."""
    _account(operation, observer, store, None)


def account_if_changed(
    operation: Operation, observer: Observer, store: RecordStore
) -> None:
    """Do so only if the guest has another size than was last accounted for."""
    noted = Notes(KIND).read(instance_of(operation)) or {}
    _account(operation, observer, store, noted)


def plan(
    wishes: Mapping[str, str | None],
    current: Mapping[str, str],
    here: Mapping[str, int],
    largest: Mapping[str, int],
    counts: bool,
) -> list[Change]:
    """Decide what is written: pure.

    ``wishes`` are the values to be (None: removed); ``current`` what the resource has;
    ``here`` the capacity of the guest's node, ``largest`` the most of any node;
    ``counts`` whether the placement strategy heeds utilization.

    With a strategy that does, an attribute that this node does not advertise would push
    the guest away from it, and one beyond every node would stop it. ``guests`` is
    vmha's own and optional on nodes: without a limit here there is nothing to say.
    """
    changes = []
    for name, value in wishes.items():
        if value == current.get(name):
            continue
        withheld = ""
        if name == OPTIONAL and value is not None and name not in here:
            continue
        if value is not None and counts:
            withheld = _withheld(name, int(value), here, largest)
        changes.append(Change(name, value, withheld))
    return changes


def _withheld(
    name: str, value: int, here: Mapping[str, int], largest: Mapping[str, int]
) -> str:
    if name not in here:
        return f"{name}={value}: this node advertises no {name}"
    if value > largest.get(name, 0):
        most = largest.get(name, 0)
        return f"{name}={value}: no node has that much, the largest has {most}"
    return ""


def wishes(operation: Operation, vcpus: int, memory_mib: int) -> dict[str, str | None]:
    """Return the attributes that the parameters want kept or removed.

    A parameter with a bad value leaves its attribute alone.
    """
    values = {"cpu": vcpus, "host_memory": memory_mib, "hv_memory": memory_mib}
    wanted: dict[str, str | None] = {}
    for name in NAMES:
        try:
            if operation.values.flag(f"autoset_utilization_{name}"):
                wanted[name] = str(values.get(name, 1))
            elif name in values and operation.values.flag(f"unset_utilization_{name}"):
                wanted[name] = None
        except BadParameter as problem:
            operation.log.error(f"{problem}; utilization {name} is left as it is")
    return wanted


def instance_of(operation: Operation) -> str:
    """Return the primitive's id, which a clone's instance carries a number behind."""
    return operation.instance.partition(":")[0]


def _account(
    operation: Operation,
    observer: Observer,
    store: RecordStore,
    noted: Mapping[str, str] | None,
) -> None:
    remaining_s = operation.deadline.remaining_s()
    guest = identities.recorded(operation.values, store, operation.instance)
    if guest is None or remaining_s < LEAST_S:
        return
    deadline = operation.deadline.part(min(PATIENCE_S, remaining_s / 2))
    seen = observer.look(guest, deadline, with_processes=False)
    if seen.connection is None or seen.sight.domain is None:
        return
    wanted: dict[str, str | None] = {}
    try:
        size = sizing.size(seen.connection, deadline, seen.sight.domain)
        wanted = wishes(operation, size.vcpus, size.memory_mib)
        if not wanted or not size.vcpus or _is_settled(wanted, noted):
            return
        still_open = _settle(operation, wanted, deadline)
    except AgentError as error:
        still_open = f"it is as it was: {error}"
    _conclude(operation, wanted, still_open, noted or {})


def _is_settled(
    wanted: Mapping[str, str | None], noted: Mapping[str, str] | None
) -> bool:
    """Tell whether nothing is to be done, or was tried in vain a moment ago."""
    if noted is None or any(noted.get(n) != (v or "") for n, v in wanted.items()):
        return False
    tried = noted.get(_TRIED_S, "")
    tried_s = int(tried) if tried.isdigit() else 0
    return _OPEN not in noted or time.monotonic() - tried_s < AGAIN_S


def _settle(
    operation: Operation, wanted: Mapping[str, str | None], deadline: Deadline
) -> str:
    """Write what differs; return what is left open and why, "" for nothing."""
    from vmha.agents import cib
    from vmha.agents.pacemaker import Cluster

    cluster = Cluster(operation.environ)
    configuration = cluster.read(deadline)
    current = configuration.utilization(instance_of(operation))
    if current is None:
        return "the cluster has no such resource"
    node = operation.node or cluster.node_name(deadline)
    here = cib.numbers(configuration.capacity(node))
    counts = configuration.utilization_counts
    changes = plan(wanted, current, here, configuration.largest(), counts)
    _write(operation, cluster, [c for c in changes if not c.withheld], deadline)
    return "; ".join(c.withheld for c in changes if c.withheld)


def _conclude(
    operation: Operation,
    wanted: Mapping[str, str | None],
    still_open: str,
    noted: Mapping[str, str],
) -> None:
    """Log what is left open, once, and note what was tried when."""
    if still_open and noted.get(_OPEN) != still_open:
        operation.log.warning(
            f"utilization of {instance_of(operation)} not written: {still_open}"
        )
    note = {name: value or "" for name, value in wanted.items()}
    if still_open:
        note |= {_OPEN: still_open, _TRIED_S: str(int(time.monotonic()))}
    try:
        if note != noted:
            Notes(KIND).write(instance_of(operation), note)
    except OSError as error:
        operation.log.warning(f"a note cannot be written: {error}")


def _write(
    operation: Operation, cluster: Cluster, changes: list[Change], deadline: Deadline
) -> None:
    resource = instance_of(operation)
    for change in changes:
        if change.value is None:
            cluster.remove_utilization(resource, change.name, deadline)
        else:
            cluster.set_utilization(resource, change.name, change.value, deadline)
    if changes:
        told = ", ".join(f"{c.name}={c.value or 'removed'}" for c in changes)
        operation.log.info(f"utilization of {resource}: {told}")
