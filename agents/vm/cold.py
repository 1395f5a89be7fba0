"""Cold migration: a proven stop here and a start there, where nothing moves live.

Called by ``migrate`` on the source and ``arrival`` on the target, for drivers that
cannot migrate a running guest (such as lxc). migrate_to answers 0 only with stop's
proof, so whatever breaks between the two actions, at most one copy runs: Pacemaker
fences a source that dies and starts the guest, and elsewhere if the target dies.
"""

from __future__ import annotations

from vmha.agents.hypervisor import capabilities
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import BadParameter, Refused
from vmha.agents.vm.emulator import ProcessTable
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.lifecycle import start
from vmha.agents.vm.observation import Observer, host_name
from vmha.agents.vm.record import RecordStore
from vmha.agents.vm.stop import stop_one


def is_meant(operation: Operation, guest: Identity) -> bool:
    """Tell whether this guest moves by a stop and a start.

    Raises Refused for a driver that cannot migrate live where that was not allowed.
    """
    if not is_needed(guest):
        return False
    if not is_allowed(operation):
        raise Refused(
            f"{guest} stays on {host_name()}, untouched: "
            f"{capabilities.why_not_live(guest.driver)}; or set cold_migration=true"
        )
    return True


def is_needed(guest: Identity) -> bool:
    """Tell whether the guest's driver cannot migrate it live."""
    return bool(capabilities.why_not_live(guest.driver))


def is_allowed(operation: Operation) -> bool:
    """Return cold_migration; nonsense means no: the guest is not stopped for it."""
    try:
        return operation.values.flag("cold_migration")
    except BadParameter as problem:
        operation.log.error(f"{problem}; the guest is not stopped for it")
        return False


def leave(operation: Operation, observer: Observer, guest: Identity) -> Outcome:
    """Stop the guest here, with proof; its record stays for the stop that follows."""
    stopped, sentence = stop_one(operation, observer, ProcessTable(), guest)
    if not stopped:
        return Outcome(exitcodes.GENERIC, sentence)
    node = operation.migrate_target
    return Outcome(exitcodes.OK, f"{sentence}; it is to be started on {node}")


def arrive(operation: Operation, observer: Observer, store: RecordStore) -> Outcome:
    """Start the guest here, with all the checks of a start."""
    return start(operation, observer, store)
