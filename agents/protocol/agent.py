"""run(): one action of a resource agent, from environment to exit code.

Called by the main of each agent. It reads the environment (nobody else does), makes the
deadline, dispatches, prints the one exit reason and holds the only broad catch.
"""

from __future__ import annotations

import os
import sys

from vmha.agents.protocol import children, exitcodes, parameters
from vmha.agents.protocol.deadline import Deadline, Watchdog, leave_process
from vmha.agents.protocol.errors import AgentError
from vmha.agents.protocol.log import Log
from vmha.agents.protocol.metadata import ocf_xml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Callable

    from vmha.agents.protocol.parameters import Parameter, Values

PREFIX = "OCF_RESKEY_"
LAST_MARGIN_S = 5.0
LAST_WORDS_S = 1.0  # between the action's deadline and the watchdog's


class Outcome:
    """What an action answers: an exit code and the sentence that explains it."""

    __slots__ = ("exit_code", "sentence")

    def __init__(self, exit_code: int, sentence: str) -> None:
        self.exit_code = exit_code
        self.sentence = sentence


class Operation:
    """One call of the agent: all that an action may know of its surroundings.

    ``interval_s`` 0 in a monitor means a probe. ``check_level`` is 0 where none was
    given, too: ``has_level`` tells. ``node``, ``migrate_source`` and
    ``migrate_target`` are Pacemaker's node names, "" where it gave none.
    """

    __slots__ = (
        "action",
        "check_level",
        "deadline",
        "environ",
        "has_level",
        "instance",
        "interval_s",
        "log",
        "migrate_source",
        "migrate_target",
        "node",
        "values",
        "watchdog",
    )

    def __init__(
        self,
        action: str,
        values: Values,
        deadline: Deadline,
        log: Log,
        watchdog: Watchdog,
        environ: Mapping[str, str],
    ) -> None:
        meta = PREFIX + "CRM_meta_"
        self.action = action
        self.values = values
        self.deadline = deadline
        self.log = log
        self.watchdog = watchdog
        self.environ = environ
        self.instance = environ.get("OCF_RESOURCE_INSTANCE", "default")
        self.interval_s = _milliseconds(environ.get(meta + "interval", "")) or 0.0
        level = environ.get("OCF_CHECK_LEVEL", "")
        self.has_level = level != ""
        self.check_level = _level(level)
        self.node = environ.get(meta + "on_node", "")
        self.migrate_source = environ.get(meta + "migrate_source", "")
        self.migrate_target = environ.get(meta + "migrate_target", "")

    @property
    def is_probe(self) -> bool:
        """Tell whether this monitor asks "is it here at all?"."""
        return self.action in ("monitor", "status") and not self.interval_s


class Action:
    """An action as it is advertised, and the function that carries it out."""

    __slots__ = ("depth", "handler", "interval_s", "name", "timeout_s")

    def __init__(
        self,
        name: str,
        timeout_s: int,
        handler: Callable[[Operation], Outcome] | None = None,
        interval_s: int | None = None,
        depth: int | None = None,
    ) -> None:
        self.name = name
        self.timeout_s = timeout_s
        self.handler = handler
        self.interval_s = interval_s
        self.depth = depth


class Agent:
    """A resource agent as declared: its texts, parameters and actions."""

    __slots__ = ("actions", "longdesc", "name", "parameters", "shortdesc")

    def __init__(
        self,
        name: str,
        shortdesc: str,
        longdesc: str,
        parameters: Sequence[Parameter],
        actions: Sequence[Action],
    ) -> None:
        self.name = name
        self.shortdesc = shortdesc
        self.longdesc = longdesc
        self.parameters = tuple(parameters)
        self.actions = tuple(actions)


def run(agent: Agent, argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Carry out the action named in ``argv[1]`` and return its exit code.

    Further arguments are ignored (OCF 1.1, "Passing parameters").
    """
    name = argv[1] if len(argv) > 1 else ""
    if name == "meta-data":
        sys.stdout.write(ocf_xml(agent))
        return exitcodes.OK
    action = next((a for a in agent.actions if a.name == name), None)
    if action is None or action.handler is None:
        known = "|".join(dict.fromkeys(a.name for a in agent.actions))
        wanted = f"no action {name!r}" if name else "no action given"
        sys.stderr.write(f"{wanted}; usage: {agent.name} {known}\n")
        return exitcodes.UNIMPLEMENTED
    os.chdir("/")
    os.umask(0o077)
    return _carry_out(agent, action, action.handler, environ)


def _carry_out(
    agent: Agent,
    action: Action,
    handler: Callable[[Operation], Outcome],
    environ: Mapping[str, str],
) -> int:
    instance = environ.get("OCF_RESOURCE_INSTANCE", "default")
    log = Log(f"{agent.name}({instance})", environ)
    last = Deadline(_own_time_s(action, environ))

    def leave(sentence: str) -> None:
        text = f"{action.name} ends at its own deadline of {last.timeout_s:.1f} s, "
        _give_reason(log, text + f"before Pacemaker's: {sentence}")
        children.end(children.pids())
        leave_process(exitcodes.GENERIC)

    watchdog = Watchdog(last, leave)
    watchdog.start()
    deadline = last.part(last.timeout_s - min(LAST_WORDS_S, last.timeout_s * 0.1))
    values = parameters.read(agent.parameters, environ, PREFIX)
    operation = Operation(action.name, values, deadline, log, watchdog, environ)
    outcome = _outcome(handler, operation)
    watchdog.cancel()
    _report(operation, outcome)
    # A library's call that was left behind may have begun its program only now.
    children.end(children.pids())
    return outcome.exit_code


def _outcome(handler: Callable[[Operation], Outcome], operation: Operation) -> Outcome:
    version = operation.environ.get("OCF_RA_VERSION_MAJOR", "1")
    if version != "1":
        return Outcome(
            exitcodes.GENERIC, f"OCF API version {version} is not known; 1 is"
        )
    try:
        return handler(operation)
    except AgentError as error:
        return Outcome(error.exit_code, str(error))
    except Exception as error:  # noqa: BLE001 - the one broad catch
        import traceback  # 5 ms that only a bug pays

        operation.log.error(traceback.format_exc())
        kind = type(error).__name__
        return Outcome(exitcodes.GENERIC, f"unexpected {kind}: {error}; see the log")


def _report(operation: Operation, outcome: Outcome) -> None:
    """Log the outcome; give Pacemaker a reason unless all is as it was asked."""
    expected = outcome.exit_code == exitcodes.OK or (
        operation.is_probe and outcome.exit_code == exitcodes.NOT_RUNNING
    )
    if not expected:
        _give_reason(operation.log, outcome.sentence)
    elif operation.action in ("monitor", "status"):
        operation.log.debug(outcome.sentence)
    else:
        operation.log.info(outcome.sentence)


def _give_reason(log: Log, sentence: str) -> None:
    """Print the exit reason: Pacemaker shows the last one, so there is only one."""
    line = " ".join(sentence.split())
    os.write(2, f"ocf-exit-reason:{line}\n".encode(errors="replace"))
    log.error(sentence)


def _own_time_s(action: Action, environ: Mapping[str, str]) -> float:
    """Return the seconds this operation gives itself: Pacemaker's less a margin.

    Pacemaker kills the whole process group at its timeout; a stop that is killed fences
    the node, so we end before, and say why.
    """
    given = _milliseconds(environ.get(PREFIX + "CRM_meta_timeout", ""))
    timeout_s = given or float(action.timeout_s)
    return timeout_s - min(LAST_MARGIN_S, max(0.5, timeout_s * 0.05), timeout_s / 2)


def _milliseconds(text: str) -> float | None:
    return int(text) / 1000 if text.isascii() and text.isdigit() else None


def _level(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
