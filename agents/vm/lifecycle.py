"""Start and stop: observe, decide, act, observe again, until the deadline.

Called by ``main``. Start answers 0 only when the guest is seen running. Stop answers 0
only after proof that no emulator of the guest lives here, and escalates inside its own
deadline: ask the guest, destroy it through libvirt, end the emulator.
"""

from __future__ import annotations

from vmha.agents.hypervisor import definitions, domains, resources
from vmha.agents.hypervisor.connection import Connection
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import NotInstalled, Refused, Unreachable
from vmha.agents.vm import configuration, deprecated, firmware, leftovers, peers
from vmha.agents.vm import identity as identities
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.observation import Observation, Observer, host_name
from vmha.agents.vm.policies import policies
from vmha.agents.vm.record import STARTS, Record, RecordStore
from vmha.agents.vm.states import Beginning, Presence, start_step

POLL_S = 0.2


def start(operation: Operation, observer: Observer, store: RecordStore) -> Outcome:
    """Start the guest, or find it running."""
    operation.values.require_good()
    deprecated.refuse(operation.values)
    deprecated.warn(operation)
    hold(operation, store, STARTS)
    guest = identities.from_parameters(operation.values, operation.deadline)
    record = store.read(operation.instance)
    if record is not None and not (guest.is_same(record) and guest.uri == record.uri):
        _refuse_beside_another(operation, observer, store)
    seen = _decided(operation, observer, guest)
    if _step(operation, seen) is Beginning.ALREADY:
        write_record(operation, store, seen)
        if seen.connection:
            leftovers.notice(operation, seen.connection, guest, host_name())
        return Outcome(exitcodes.OK, f"{guest} runs on {host_name()} already: {seen}")
    leftovers.before_start(operation, _connection_of(seen), guest, host_name())
    peers.refuse_second_copy(operation, guest, seen.sight.uuid)
    _start_resources(operation, seen)
    # The record comes first: if this process dies after libvirt has begun, or libvirt
    # hangs over it, a stop must know whom to look for, and that it may still come.
    write_record(operation, store, seen, pending=True)
    _create(operation, seen)
    return _confirmed(operation, observer, store, guest)


def hold(operation: Operation, store: RecordStore, action: str) -> None:
    """Hold the instance until this process ends; raises Refused if it is taken.

    A cleanup makes Pacemaker forget an action that still runs, and probe beside it: the
    probe must not say "not running" of a guest that is about to be.
    """
    try:
        _hold(operation, store, action)
    except OSError as error:
        raise Refused(f"the guest cannot be held for an action: {error}") from error


def _hold(operation: Operation, store: RecordStore, action: str) -> None:
    while store.hold(operation.instance, action) is None:
        if operation.deadline.expired():
            raise Refused(f"an earlier action that {action} it has not ended yet")
        operation.deadline.sleep(POLL_S)


def write_record(
    operation: Operation,
    store: RecordStore,
    seen: Observation,
    pending: bool = False,
) -> None:
    """Write down who the guest is; raises Refused where that fails.

    A guest without a record could not be told from others when its file and libvirt are
    gone, so a start that cannot write it fails.
    """
    guest = seen.identity
    record = Record(
        seen.sight.name or guest.name,
        seen.sight.uuid or guest.uuid,
        guest.driver,
        guest.uri,
        guest.source,
        pending,
    )
    try:
        store.write(operation.instance, record)
    except OSError as error:
        raise Refused(f"the record of {guest} cannot be written: {error}") from error


def _refuse_beside_another(
    operation: Operation, observer: Observer, store: RecordStore
) -> None:
    """Refuse while the guest that this resource started before may still run."""
    values, instance = operation.values, operation.instance
    known = identities.resolve(values, store, instance, operation.deadline)
    for other in known.identities[1:]:
        seen = observer.look(other, operation.deadline)
        if seen.presence is not Presence.NOT_RUNNING:
            raise Refused(
                f"this resource's earlier {other} may still run here ({seen}); stop "
                "the resource first"
            )


def _decided(operation: Operation, observer: Observer, guest: Identity) -> Observation:
    """Look until a start can be decided; raises Refused where it must not be done.

    A libvirt that is just restarting is worth waiting for: a failed start bans this
    node.
    """
    patience = operation.deadline.part(operation.deadline.remaining_s() / 2)
    while True:
        seen = observer.look(guest, operation.deadline)
        step = _step(operation, seen)
        if seen.sight.stranger:
            raise Refused(
                f"another guest named {guest.name} runs on {host_name()} with UUID "
                f"{seen.sight.stranger}; nothing was started and nothing stopped"
            )
        if step in (Beginning.ALREADY, Beginning.CREATE):
            return seen
        if step is Beginning.REFUSE:
            raise Refused(
                f"{guest} is not started on {host_name()} over what is there: {seen}; "
                "a stop of the resource clears it"
            )
        if patience.expired():
            raise Unreachable(f"{guest} cannot be started on {host_name()}: {seen}")
        patience.sleep(POLL_S)


def _start_resources(operation: Operation, seen: Observation) -> None:
    if not operation.values.flag("start_resources"):
        return
    names = resources_of(operation, seen)
    connection = _connection_of(seen)
    started = resources.start_networks(connection, operation.deadline, names[0])
    started += resources.start_pools(connection, operation.deadline, names[1])
    if started:
        operation.log.info(f"started for {seen.identity}: {', '.join(started)}")


def resources_of(
    operation: Operation, seen: Observation
) -> tuple[list[str], list[str]]:
    """Return the networks and the storage pools of the guest's definition."""
    from vmha.agents.domainxml import devices, document

    if seen.sight.domain is not None:
        connection = _connection_of(seen)
        describe = seen.sight.domain.XMLDesc
        what = "read the guest's definition"
        text = str(connection.call(what, operation.deadline, describe))
    else:
        text = identities.read_definition(operation.values, operation.deadline)
    parsed = document.parse(text, seen.identity.source)
    return devices.networks(parsed), devices.pools(parsed)


def _create(operation: Operation, seen: Observation) -> None:
    guest = seen.identity
    connection = _connection_of(seen)
    operation.watchdog.say(f"libvirt was still starting {guest}")
    if operation.values.given("config"):
        xml = identities.read_definition(operation.values, operation.deadline)
        _warn_of_firmware(operation, guest, xml)
        domains.create_from_xml(connection, operation.deadline, xml)
        return
    if seen.sight.domain is None:
        raise NotInstalled(
            f"domain {guest.source} is not defined on {host_name()}: define it there "
            "with virsh define, or use the parameter config"
        )
    xml = definitions.persistent_xml(connection, operation.deadline, seen.sight.domain)
    _warn_of_firmware(operation, guest, xml)
    domains.create_defined(connection, operation.deadline, seen.sight.domain)


def _warn_of_firmware(operation: Operation, guest: Identity, xml: str) -> None:
    """Log what the guest's firmware will not find on another node."""
    transient = operation.values.given("config")
    for sentence in firmware.warnings(xml, guest.source, transient, firmware.mounts()):
        operation.log.warning(f"{guest}: {sentence}")


def _confirmed(
    operation: Operation, observer: Observer, store: RecordStore, guest: Identity
) -> Outcome:
    """Look until the guest runs; one that has died at once fails the start at once."""
    while True:
        seen = observer.look(guest, operation.deadline)
        step = _step(operation, seen)
        if step is Beginning.ALREADY:
            write_record(operation, store, seen)
            configuration.note(operation, seen, store)
            return Outcome(exitcodes.OK, f"{guest} runs on {host_name()}: {seen}")
        dead = seen.presence is Presence.NOT_RUNNING
        useless = seen.state.is_active and step is Beginning.REFUSE
        if dead or useless or operation.deadline.expired():
            return Outcome(
                exitcodes.GENERIC,
                f"{guest} was started on {host_name()} and did not stay: {seen}; see "
                f"its log below /var/log/libvirt",
            )
        operation.deadline.sleep(POLL_S)


def _step(operation: Operation, seen: Observation) -> Beginning:
    return start_step(seen.state, seen.process, policies(operation))


def _connection_of(seen: Observation) -> Connection:
    if seen.connection is None:
        raise Unreachable(f"{seen.identity}: {seen.silence}")
    return seen.connection
