"""Start, stop, monitor, reload-agent and validate-all of NodeCapacity.

Called by ``main``. start, monitor and reload-agent do the same: they compare what the
node has with what the cluster's configuration says, and write what differs. stop writes
nothing: a node without a figure counts as one that can carry nothing, and without its
0 a guest may be moved to where it cannot start.
"""

from __future__ import annotations

from vmha.agents.capacity import advertised
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import AgentError, BadParameter, Refused, Unreachable
from vmha.agents.protocol.notes import Notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.capacity.host import Host
    from vmha.agents.cib import Configuration
    from vmha.agents.pacemaker import Cluster
    from vmha.agents.protocol.deadline import Deadline

KIND = "capacity"
LOCAL_LEVEL = 10
AGAIN_S = 1.0


def start(operation: Operation, cluster: Cluster, host: Host, notes: Notes) -> Outcome:
    """Advertise; a cluster that is just forming is worth waiting for.

    A failed start keeps the agent from this node until a cleanup, so it is given half
    of the time.
    """
    operation.values.require_good()
    patience = operation.deadline.part(operation.deadline.remaining_s() / 2)
    while True:
        problem = _keep(operation, cluster, host, notes)
        if problem is None:
            return Outcome(exitcodes.OK, f"the capacity of {_self(operation)} is told")
        if patience.expired():
            raise problem
        patience.sleep(AGAIN_S)


def stop(operation: Operation, notes: Notes) -> Outcome:
    """Stop looking; what was told stays."""
    try:
        notes.forget(instance_of(operation))
    except OSError as error:
        raise Refused(f"the note cannot be removed: {error}") from error
    return Outcome(exitcodes.OK, "nobody looks any more; what was told stays")


def monitor(
    operation: Operation, cluster: Cluster, host: Host, notes: Notes
) -> Outcome:
    """Look again, unless it is a probe or was not started.

    What cannot be told is degraded: shown in the status, and nothing is restarted,
    which would not help.
    """
    if notes.read(instance_of(operation)) is None:
        return Outcome(exitcodes.NOT_RUNNING, "not started on this node")
    if operation.is_probe:
        return Outcome(exitcodes.OK, "started on this node")
    problem = _keep(operation, cluster, host, notes)
    if problem is not None:
        stays = "what was told before stays"
        return Outcome(exitcodes.DEGRADED, f"{problem}; {stays}")
    return Outcome(exitcodes.OK, f"the capacity of {_self(operation)} is told")


def reload_agent(
    operation: Operation, cluster: Cluster, host: Host, notes: Notes
) -> Outcome:
    """Take up changed parameters at once.

    Always 0: a restart would do no more, and a bad value is told by the log.
    """
    problem = _keep(operation, cluster, host, notes)
    if problem is not None:
        operation.log.error(f"{problem}; the next monitor tries again")
    return Outcome(exitcodes.OK, "the parameters are taken up")


def validate(operation: Operation, cluster: Cluster) -> Outcome:
    """Check the parameters, and from level 10 that can_host names guests."""
    operation.values.require_good()
    if operation.check_level >= LOCAL_LEVEL and operation.values.given("can_host"):
        from vmha.agents.capacity import watch

        names = operation.values.text("can_host")
        configuration = cluster.read(operation.deadline)
        for stranger in watch.unknown(configuration, names):
            accepted = f"{stranger} is no ocf:vmha:VirtualMachine resource"
            raise BadParameter("can_host", names, accepted)
    return Outcome(exitcodes.OK, "the parameters are valid")


def instance_of(operation: Operation) -> str:
    """Return the agent's id, which a clone's instance carries a number behind."""
    return operation.instance.partition(":")[0]


def _keep(
    operation: Operation, cluster: Cluster, host: Host, notes: Notes
) -> AgentError | None:
    """Bring the cluster up to date; return what was in the way."""
    instance = instance_of(operation)
    noted = notes.read(instance) or {}
    operation.watchdog.say("the cluster or a guest's storage gave no answer")
    try:
        deadline = operation.deadline
        configuration = cluster.read(deadline)
        node = operation.node or cluster.node_name(deadline)
        _advertise(operation, cluster, host, configuration.capacity(node), node)
        noted = _tell_guests(operation, cluster, configuration, node, noted)
    except AgentError as problem:
        return problem
    try:
        notes.write(instance, noted)
    except OSError as error:
        return Refused(f"a note cannot be written: {error}")
    return None


def _advertise(
    operation: Operation,
    cluster: Cluster,
    host: Host,
    told: dict[str, str],
    node: str,
) -> None:
    for name, value in _figures(operation, host).items():
        before = told.get(name)
        if before == str(value):
            continue
        cluster.set_capacity(node, name, value, operation.deadline)
        was = f", it was {before}" if before is not None else ""
        operation.log.info(f"capacity of {node}: {name}={value}{was}")


def _figures(operation: Operation, host: Host) -> dict[str, int]:
    """Return what is to be advertised; a bad value leaves its figure as it is."""
    values, figures = operation.values, {}
    try:
        reserved, ratio = values.number("reserve_cpu"), values.text("cpu_ratio")
        figures["cpu"] = advertised.cpu(host.online_cpus(), reserved, ratio)
    except BadParameter as problem:
        operation.log.error(f"{problem}; cpu is left as it is")
    try:
        reserved = values.number("reserve_memory")
        memory_mib = advertised.memory_mib(host.memory_mib(), reserved)
        figures |= dict.fromkeys(advertised.MEMORY, memory_mib)
    except BadParameter as problem:
        operation.log.error(f"{problem}; memory is left as it is")
    try:
        slots = values.number("guest_slots")
        figures |= {"guests": slots} if slots else {}
    except BadParameter as problem:
        operation.log.error(f"{problem}; guests is left as it is")
    return figures


def _tell_guests(
    operation: Operation,
    cluster: Cluster,
    configuration: Configuration,
    node: str,
    noted: dict[str, str],
) -> dict[str, str]:
    """Keep the guests' attributes and return what is to be noted."""
    names = operation.values.text("can_host")
    is_used = names or any(
        a.startswith("vmha-") for a in configuration.attributes(node)
    )
    if not is_used:
        return {}
    try:
        from vmha.agents.capacity import watch
        from vmha.agents.vm.record import RecordStore
    except ImportError as error:
        raise Unreachable(f"guests cannot be looked at: {error}") from error
    bound = _bound(operation)
    round_ = watch.Round(cluster, configuration, node, noted, operation.log)
    round_.keep(names, RecordStore(), bound)
    return round_.noted


def _bound(operation: Operation) -> Deadline:
    """Leave a part of the time for what a round began last: a hung look."""
    return operation.deadline.part(operation.deadline.remaining_s() * 0.6)


def _self(operation: Operation) -> str:
    return operation.node or "this node"
