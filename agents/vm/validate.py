"""validate-all and reload-agent: is what was given fit to be used?

Called by ``main``. At check level 0 only the parameters themselves are looked at; from
level 10 on, this node too (OCF 1.1, "Check levels").
"""

from __future__ import annotations

from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.vm import identity as identities
from vmha.agents.vm.observation import LIBVIRT_ANSWERS_S, Observer, host_name

LOCAL_LEVEL = 10


def validate(operation: Operation, observer: Observer) -> Outcome:
    """Check the parameters, and from level 10 the definition and libvirt here."""
    operation.values.require_good()
    if operation.check_level < LOCAL_LEVEL:
        identities.source_of(operation.values)
        return Outcome(exitcodes.OK, "the parameters are valid")
    guest = identities.from_parameters(operation.values, operation.deadline)
    observer.connect(guest.uri, operation.deadline.part(LIBVIRT_ANSWERS_S))
    return Outcome(exitcodes.OK, f"{guest} can be managed on {host_name()}")


def reload_agent(operation: Operation) -> Outcome:
    """Take up changed parameters; the guest is not touched, now or by the answer.

    Always 0: Pacemaker answers a failed reload with a restart of the guest, which is
    worse than a typo in a tuning parameter. The log says what will not work.
    """
    for problem in operation.values.problems():
        operation.log.error(f"{problem}; actions that need it will fail")
    return Outcome(exitcodes.OK, "the parameters are taken up; the guest runs on")
