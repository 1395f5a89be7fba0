"""Wires one operation of ``ocf:vmha:VirtualMachine`` to the code that carries it out.

Called by the executable in ``resource.d``. Each handler imports what it needs:
meta-data imports neither libvirt nor lxml, a recurring monitor no lxml.
"""

from __future__ import annotations

import os
import sys

from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Action, Agent, Operation, Outcome, run
from vmha.agents.protocol.deadline import leave_process
from vmha.agents.vm.parameters import LONGDESC, NAME, PARAMETERS, SHORTDESC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.vm.observation import Observer
    from vmha.agents.vm.record import RecordStore

ACCOUNTS_AT = 10  # the check level from which a monitor looks at the guest's size


def main() -> int:
    """Run the action and end the process.

    It ends without destructors: those of a connection to a hung libvirt would wait for
    an answer that does not come, past Pacemaker's timeout.
    """
    code = run(AGENT, sys.argv, os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    leave_process(code)
    return code


def _start(operation: Operation) -> Outcome:
    from vmha.agents.vm.lifecycle import start
    from vmha.agents.vm.observation import Observer
    from vmha.agents.vm.record import RecordStore

    observer, store = Observer(), RecordStore()
    return _accounted(operation, observer, store, start(operation, observer, store))


def _stop(operation: Operation) -> Outcome:
    from vmha.agents.vm.emulator import ProcessTable
    from vmha.agents.vm.observation import Observer
    from vmha.agents.vm.record import RecordStore
    from vmha.agents.vm.stop import stop

    table = ProcessTable()
    return stop(operation, Observer(table), RecordStore(), table)


def _monitor(operation: Operation) -> Outcome:
    from vmha.agents.vm.monitor import monitor
    from vmha.agents.vm.observation import Observer
    from vmha.agents.vm.record import RecordStore

    observer, store = Observer(), RecordStore()
    outcome = monitor(operation, observer, store)
    is_deep = operation.check_level >= ACCOUNTS_AT and not operation.is_probe
    if is_deep and outcome.exit_code == exitcodes.OK:
        from vmha.agents.vm.utilization import account_if_changed

        account_if_changed(operation, observer, store)
    return outcome


def _migrate_to(operation: Operation) -> Outcome:
    from vmha.agents.vm.migrate import migrate_to
    from vmha.agents.vm.observation import Observer
    from vmha.agents.vm.record import RecordStore

    return migrate_to(operation, Observer(), RecordStore())


def _migrate_from(operation: Operation) -> Outcome:
    from vmha.agents.vm.arrival import migrate_from
    from vmha.agents.vm.observation import Observer
    from vmha.agents.vm.record import RecordStore

    observer, store = Observer(), RecordStore()
    outcome = migrate_from(operation, observer, store)
    return _accounted(operation, observer, store, outcome)


def _validate(operation: Operation) -> Outcome:
    from vmha.agents.vm.observation import Observer
    from vmha.agents.vm.validate import validate

    return validate(operation, Observer())


def _reload_agent(operation: Operation) -> Outcome:
    from vmha.agents.vm.observation import Observer
    from vmha.agents.vm.record import RecordStore
    from vmha.agents.vm.validate import reload_agent

    return _accounted(operation, Observer(), RecordStore(), reload_agent(operation))


def _accounted(
    operation: Operation, observer: Observer, store: RecordStore, outcome: Outcome
) -> Outcome:
    """Account for a guest that the action found or made running."""
    if outcome.exit_code == exitcodes.OK:
        from vmha.agents.vm.utilization import account

        account(operation, observer, store)
    return outcome


# VirtualDomain's advertised times, so that a switched resource keeps its plan.
AGENT = Agent(
    NAME,
    SHORTDESC,
    LONGDESC,
    PARAMETERS,
    (
        Action("start", 90, _start),
        Action("stop", 90, _stop),
        Action("status", 30, _monitor, interval_s=10, depth=0),
        Action("monitor", 30, _monitor, interval_s=10, depth=0),
        Action("monitor", 30, _monitor, interval_s=60, depth=10),
        Action("monitor", 60, _monitor, interval_s=300, depth=20),
        Action("migrate_to", 120, _migrate_to),
        Action("migrate_from", 60, _migrate_from),
        Action("reload-agent", 20, _reload_agent),
        Action("validate-all", 10, _validate, depth=0),
        Action("meta-data", 5),
    ),
)
