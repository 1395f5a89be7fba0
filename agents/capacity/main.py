"""Wires one operation of ``ocf:vmha:NodeCapacity`` to the code that carries it out.

Called by the executable in ``resource.d``. Each handler imports what it needs.
"""

from __future__ import annotations

import os
import sys

from vmha.agents.capacity.parameters import LONGDESC, NAME, PARAMETERS, SHORTDESC
from vmha.agents.protocol.agent import Action, Agent, Operation, Outcome, run
from vmha.agents.protocol.deadline import leave_process


def main() -> int:
    """Run the action and end the process, without a hung connection's destructors."""
    code = run(AGENT, sys.argv, os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    leave_process(code)
    return code


def _start(operation: Operation) -> Outcome:
    from vmha.agents.capacity import actions
    from vmha.agents.capacity.host import Host
    from vmha.agents.pacemaker import Cluster
    from vmha.agents.protocol.notes import Notes

    cluster = Cluster(operation.environ)
    return actions.start(operation, cluster, Host(), Notes(actions.KIND))


def _stop(operation: Operation) -> Outcome:
    from vmha.agents.capacity import actions
    from vmha.agents.protocol.notes import Notes

    return actions.stop(operation, Notes(actions.KIND))


def _monitor(operation: Operation) -> Outcome:
    from vmha.agents.capacity import actions
    from vmha.agents.capacity.host import Host
    from vmha.agents.pacemaker import Cluster
    from vmha.agents.protocol.notes import Notes

    cluster = Cluster(operation.environ)
    return actions.monitor(operation, cluster, Host(), Notes(actions.KIND))


def _reload_agent(operation: Operation) -> Outcome:
    from vmha.agents.capacity import actions
    from vmha.agents.capacity.host import Host
    from vmha.agents.pacemaker import Cluster
    from vmha.agents.protocol.notes import Notes

    cluster = Cluster(operation.environ)
    return actions.reload_agent(operation, cluster, Host(), Notes(actions.KIND))


def _validate(operation: Operation) -> Outcome:
    from vmha.agents.capacity import actions
    from vmha.agents.pacemaker import Cluster

    return actions.validate(operation, Cluster(operation.environ))


# A round over many guests takes seconds where storage hangs; it is bounded by these.
AGENT = Agent(
    NAME,
    SHORTDESC,
    LONGDESC,
    PARAMETERS,
    (
        Action("start", 60, _start),
        Action("stop", 20, _stop),
        Action("monitor", 60, _monitor, interval_s=60, depth=0),
        Action("reload-agent", 60, _reload_agent),
        Action("validate-all", 10, _validate, depth=0),
        Action("meta-data", 5),
    ),
)
