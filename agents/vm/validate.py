"""validate-all and reload-agent: is what was given fit to be used?

Called by ``main``. At check level 0 only the parameters themselves are looked at; from
level 10 on, this node too (OCF 1.1, "Check levels").
"""

from __future__ import annotations

from vmha.agents.hypervisor import definitions
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import BadOnThisNode
from vmha.agents.vm import deprecated, leftovers
from vmha.agents.vm import identity as identities
from vmha.agents.vm.observation import LIBVIRT_ANSWERS_S, Observer, host_name

LOCAL_LEVEL = 10


def validate(operation: Operation, observer: Observer) -> Outcome:
    """Check the parameters, and from level 10 the definition and libvirt here."""
    operation.values.require_good()
    deprecated.refuse(operation.values)
    deprecated.warn(operation)
    if operation.check_level < LOCAL_LEVEL:
        identities.source_of(operation.values)
        return Outcome(exitcodes.OK, "the parameters are valid")
    guest = identities.from_parameters(operation.values, operation.deadline)
    bound = operation.deadline.part(LIBVIRT_ANSWERS_S)
    connection = observer.connect(guest.uri, bound)
    found = definitions.find(connection, bound, guest.name, guest.uuid)
    why = leftovers.clash(operation, found, guest)
    if why:
        raise BadOnThisNode(f"{guest} could not be started on {host_name()}: {why}")
    leftovers.notice(operation, connection, guest, host_name())
    return Outcome(exitcodes.OK, f"{guest} can be managed on {host_name()}")


def reload_agent(operation: Operation) -> Outcome:
    """Take up changed parameters; the guest is not touched, now or by the answer.

    Always 0: Pacemaker answers a failed reload with a restart of the guest, which is
    worse than a typo in a tuning parameter. The log says what will not work.
    """
    for problem in operation.values.problems():
        operation.log.error(f"{problem}; actions that need it will fail")
    deprecated.warn(operation)
    return Outcome(exitcodes.OK, "the parameters are taken up; the guest runs on")
