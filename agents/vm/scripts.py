"""The user's monitor scripts: each one must succeed.

Called by a monitor once the guest is seen running. A script gets the agent's
environment, as VirtualDomain's do, and in it the guest's name, UUID and connection.
"""

from __future__ import annotations

from vmha.agents.protocol import exitcodes, process
from vmha.agents.protocol.agent import Operation, Outcome
from vmha.agents.protocol.errors import BadParameter, NotInstalled, Unreachable
from vmha.agents.vm.observation import Observation
from vmha.agents.vm.policies import number

SHARED = 0  # monitor_script_timeout: no limit of its own


def run_scripts(operation: Operation, seen: Observation, sentence: str) -> Outcome:
    """Run the scripts in their order; the first that fails fails the monitor.

    A value that cannot be a list of scripts is logged and no more: failing would take
    down a healthy guest over a typo, and its start would then fail on every node.
    """
    try:
        scripts = operation.values.text("monitor_scripts").split()
    except BadParameter as problem:
        operation.log.error(f"{problem}; no monitor script is run")
        return Outcome(exitcodes.OK, sentence)
    if not scripts:
        return Outcome(exitcodes.OK, sentence)
    limit_s = number(operation, "monitor_script_timeout", SHARED)
    environ = {**operation.environ, **_described(seen)}
    for script in scripts:
        failure = _failure(operation, script, limit_s, environ)
        if failure:
            return Outcome(exitcodes.GENERIC, f"monitor script {failure}")
    return Outcome(exitcodes.OK, sentence)


def _failure(
    operation: Operation, script: str, limit_s: int, environ: dict[str, str]
) -> str:
    """Run one script; return what is wrong with it, "" where nothing is."""
    operation.watchdog.say(f"monitor script {script} did not end")
    deadline = operation.deadline.part(limit_s) if limit_s else operation.deadline
    try:
        result = process.run([script], deadline, environ)
    except (NotInstalled, Unreachable) as error:  # 5 would say that no guest is there
        return str(error)
    if result.exit_code == 0:
        return ""
    said = (result.stderr or result.stdout).strip().splitlines()
    told = f": {said[-1]}" if said else ""
    return f"{script} ended with {result.exit_code}{told}"


def _described(seen: Observation) -> dict[str, str]:
    """Return what a script is told about its guest."""
    emulator = seen.emulator
    name = seen.sight.name or seen.identity.name or (emulator.name if emulator else "")
    uuid = seen.sight.uuid or seen.identity.uuid or (emulator.uuid if emulator else "")
    return {
        "VMHA_GUEST_NAME": name,
        "VMHA_GUEST_UUID": uuid,
        "VMHA_URI": seen.identity.uri,
    }
