"""run(): one call of a fence agent, from its input to its exit code.

Called by the main of each agent. It reads arguments, stdin and environment (nobody else
does), sets the budget, starts the worker, prints the outcome and holds the only broad
catch. Success leaves stderr empty, a failure leaves one line there: the fencer logs
both and searches the line. Exit codes: 0, 1 for any failure, 2 for status of a node
that is off (Fence Agent API).
"""

from __future__ import annotations

import os
import sys

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, BadParameter
from vmha.agents.protocol.log import Log
from vmha.agents.protocol.metadata import fence_xml
from vmha.agents.protocol.parameters import YES
from vmha.agents.protocol.version import VERSION
from vmha.fence.protocol import actions, options, worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Callable

    from vmha.agents.protocol.parameters import Parameter, Values
    from vmha.fence.protocol.actions import Device
    from vmha.fence.protocol.options import Options
    from vmha.fence.protocol.worker import Conclusion, Report

ACTIONS = (
    ("on", 'automatic="0"'),
    ("off", ""),
    ("reboot", ""),
    ("status", ""),
    ("monitor", ""),
    ("metadata", ""),
    ("validate-all", ""),
)
FAILED = 1

# The fencer waits 60 s for on, off and reboot, Pacemaker 20 s for a monitor (defaults).
# It tries a second time, and turns to the next device, only while time is left: an
# action that ends at 0.6 of the limit leaves enough.
FENCER_POWER_S = 36.0
FENCER_LOOK_S = 12.0
MOST_DELAY_S = 20


class FenceAgent:
    """A fence agent as declared.

    ``check`` raises AgentError for values that cannot go together. ``name_of`` names
    the device for the log. ``connect`` makes the device from values and password; it
    runs in the worker and imports what it needs there.
    """

    __slots__ = (
        "check",
        "connect",
        "longdesc",
        "name",
        "name_of",
        "parameters",
        "shortdesc",
    )

    def __init__(
        self,
        name: str,
        shortdesc: str,
        longdesc: str,
        parameters: Sequence[Parameter],
        check: Callable[[Values], None],
        name_of: Callable[[Values], str],
        connect: Callable[[Values, bytes], Device],
    ) -> None:
        self.name = name
        self.shortdesc = shortdesc
        self.longdesc = longdesc
        self.parameters = tuple(parameters)
        self.check = check
        self.name_of = name_of
        self.connect = connect


class Budget:
    """The seconds of one call: ``total_s`` to its hard end, ``power_s`` for proof."""

    __slots__ = ("delay_s", "power_s", "total_s")

    def __init__(self, action: str, values: Values, under_fencer: bool) -> None:
        unlimited = values.text("disable_timeout").lower()
        patient = unlimited in YES if unlimited else under_fencer
        power_s = 0 if patient else values.number("power_timeout")
        self.delay_s = values.number("delay") if action in ("off", "reboot") else 0
        self.power_s = float(power_s or FENCER_POWER_S)
        looks = action in ("status", "monitor")
        if under_fencer:
            self.total_s = FENCER_LOOK_S if looks else FENCER_POWER_S
        else:
            self.total_s = worker.LEAVING_S + values.number("login_timeout")
            self.total_s += values.number("shell_timeout") if looks else self.power_s
            self.total_s += actions.SECOND_HALF_S if action == "reboot" else 0
            self.total_s += self.delay_s
        if under_fencer and self.delay_s > MOST_DELAY_S:
            raise BadParameter(
                "delay",
                values.text("delay"),
                f"give at most {MOST_DELAY_S}, more leaves no time to fence; "
                "pcmk_delay_base waits without using up that time",
            )


class Voice:
    """stderr and the log of one call."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name = name
        self._environ = environ
        self.log = Log(name, environ)
        self.quiet = False
        self.verbose = False

    def about(self, device: str) -> None:
        """Name the device in the log from here on."""
        self.log = Log(f"{self._name}({device})", self._environ)

    def fail(self, sentence: str) -> int:
        """Say why the action failed, and return the exit code."""
        self.log.error(sentence)
        self._line(sentence)
        return FAILED

    def warn(self, sentence: str) -> None:
        """Say what did not go well though the action holds."""
        self.log.warning(sentence)
        self._line(sentence)

    def word(self, kind: str, text: str) -> None:
        """Pass on a word of the worker."""
        if kind == worker.LOG:
            self.log.error(text)
        elif kind == worker.SAY:
            self.log.debug(text)
            if self.verbose:
                self._line(text)

    def _line(self, sentence: str) -> None:
        if not self.quiet:
            os.write(2, (" ".join(sentence.split()) + "\n").encode(errors="replace"))


def run(agent: FenceAgent, argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Carry out one call and return its exit code."""
    voice = Voice(agent.name, environ)
    return _guarded(lambda: _call(agent, argv, environ, voice), voice.fail, voice.log)


def _guarded(
    work: Callable[[], int], fail: Callable[[str], object], log: Log | Report
) -> int:
    """Turn every exception into one sentence; its text may hold a secret, so only
    its kind and the lines of code are kept.
    """
    try:
        return work()
    except AgentError as error:
        fail(str(error))
    except Exception as error:  # noqa: BLE001 - the one broad catch
        import traceback  # 5 ms, for this only

        trace = "".join(traceback.format_tb(error.__traceback__))
        kind = type(error).__name__
        (log.error if isinstance(log, Log) else log.log)(f"{kind}\n{trace}")
        fail(f"unexpected {kind}, a defect of the agent or its library; see the log")
    return FAILED


def _call(
    agent: FenceAgent, argv: Sequence[str], environ: Mapping[str, str], voice: Voice
) -> int:
    deadline = Deadline(0.0)  # elapsed_s() counts from here, for delay
    wishes = _wishes(agent.parameters, argv)
    values, action = wishes.values, wishes.action
    if values.flag("help"):
        return _print(options.usage(agent.name, agent.parameters))
    if values.flag("version"):
        return _print(VERSION + "\n")
    if action == "metadata":
        return _print(_metadata(agent))
    voice.quiet = values.flag("quiet")
    voice.verbose = values.flag("verbose") or values.number("verbose_level") > 0
    if action not in dict(ACTIONS):
        names = ", ".join(dict(ACTIONS))
        raise options.BadUsage(f"unrecognised action {action!r}: give one of {names}")
    problems = values.problems()
    if problems:
        raise problems[0]
    agent.check(values)
    under_fencer = environ.get("PCMK_service") == "pacemaker-fenced"
    budget = Budget(action, values, under_fencer)
    if action == "validate-all":
        return 0
    voice.about(agent.name_of(values))
    if wishes.unknown:
        # Not by name: what looks like one may be a part of a secret with a line break.
        count = len(wishes.unknown)
        voice.log.warning(f"{count} unknown parameter(s) given and ignored")
    return _fence(agent, action, values, budget, deadline.elapsed_s(), voice)


def _fence(
    agent: FenceAgent,
    action: str,
    values: Values,
    budget: Budget,
    spent_s: float,
    voice: Voice,
) -> int:
    """Have the worker do it, and speak for it."""
    deadline = Deadline(budget.total_s - spent_s)
    password = _password(values, deadline)
    deadline.sleep(max(0.0, budget.delay_s - deadline.elapsed_s() - spent_s))
    limits = actions.Limits(budget.power_s, 1 + values.number("retry_on"))

    def work(report: Report) -> int:
        report.say(f"looking for {agent.name_of(values)}")
        own = deadline.part(deadline.remaining_s() - worker.LEAVING_S)
        device = agent.connect(values, password)
        try:
            actions.carry_out(action, device, limits, own, report)
        finally:
            device.close(Deadline(1.0))
        return 0

    conclusion = worker.supervise(
        lambda report: _guarded(lambda: work(report), report.fail, report),
        deadline,
        voice.word,
    )
    return _conclude(action, conclusion, budget, voice)


def _conclude(action: str, conclusion: Conclusion, budget: Budget, voice: Voice) -> int:
    """Print the outcome. What was proven holds, even if the worker hung afterwards."""
    for warning in conclusion.warnings:
        voice.warn(f"{action} holds, but {warning}")
    if conclusion.exit_code is not None:
        word = conclusion.stdout or f"{action} is fine"
        tell = voice.log.debug if action in ("monitor", "status") else voice.log.info
        tell(f"{word}; {conclusion.last_word}")
        if conclusion.stdout:
            _print(conclusion.stdout + "\n")
        return conclusion.exit_code
    if conclusion.failure:
        return voice.fail(f"{action} failed: {conclusion.failure}")
    how = "hung" if conclusion.killed else "died"
    return voice.fail(
        f"{action} failed: the connection to the device {how} and was ended within "
        f"{budget.total_s:.1f} s; the last that was seen: {conclusion.last_word}; "
        "the node counts as running"
    )


def _wishes(declared: Sequence[Parameter], argv: Sequence[str]) -> Options:
    if len(argv) > 1:
        return options.from_arguments(declared, argv[1:])
    text = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    return options.from_stdin(declared, text)


def _metadata(agent: FenceAgent) -> str:
    return fence_xml(
        agent.name, agent.shortdesc, agent.longdesc, agent.parameters, ACTIONS
    )


def _print(text: str) -> int:
    os.write(1, text.encode())
    return 0


def _password(values: Values, deadline: Deadline) -> bytes:
    """Return the password, from its program if there is one."""
    script = values.text("password_script")
    if not script:
        return values.text("password").encode("utf-8", "surrogateescape")
    from vmha.fence.protocol.secret import from_script

    return from_script(script, deadline.part(values.number("login_timeout")))
