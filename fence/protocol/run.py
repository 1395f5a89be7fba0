"""run(): one call of a fence agent, from its input to its exit code.

Called by the main of each agent. It reads arguments, stdin and environment (nobody else
does), sets the budget, starts the worker, prints the outcome and holds the only broad
catch. Success leaves stderr empty, a failure leaves one line there: the fencer logs
both and searches the line. Exit codes: 0, 1 for any failure, 2 for status of a node
that is off (Fence Agent API).
"""

from __future__ import annotations

import os
import select

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, MissingParameter
from vmha.agents.protocol.log import Log
from vmha.agents.protocol.metadata import fence_xml
from vmha.agents.protocol.version import VERSION
from vmha.fence.protocol import actions, hosts, options, worker
from vmha.fence.protocol.agent import LIST_ACTIONS
from vmha.fence.protocol.budget import Budget
from vmha.fence.protocol.voice import FAILED, Voice

INPUT_S = 5.0
MOST_INPUT = 1024 * 1024

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Callable

    from vmha.agents.protocol.parameters import Parameter, Values
    from vmha.fence.protocol.agent import FenceAgent
    from vmha.fence.protocol.options import Options
    from vmha.fence.protocol.worker import Conclusion, Report


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
    if action not in agent.accepted:
        names = ", ".join(agent.accepted)
        raise options.BadUsage(f"unrecognised action {action!r}: give one of {names}")
    values.require_good()
    voice.write_to(values.text("debug_file"))
    agent.check(values)
    script = values.text("password_script")
    if script:
        from vmha.fence.protocol import secret

        secret.check_script(script)
    under_fencer = environ.get("PCMK_service") == "pacemaker-fenced"
    budget = Budget(action, values, under_fencer, agent.paths(values))
    if action == "validate-all":
        return 0
    if wishes.unknown:
        # Not by name: what looks like one may be a part of a secret with a line break.
        count = len(wishes.unknown)
        voice.log.warning(f"{count} unknown parameter(s) given and ignored")
    if budget.shortened:
        voice.log.warning(budget.shortened)
    call = Call(agent, action, values, budget, under_fencer, voice)
    return call.carry_out(deadline.elapsed_s())


class Call:
    """One action on one device, or a look at all of a device's hosts."""

    def __init__(
        self,
        agent: FenceAgent,
        action: str,
        values: Values,
        budget: Budget,
        under_fencer: bool,
        voice: Voice,
    ) -> None:
        self.agent = agent
        self.action = action
        self.values = values
        self.budget = budget
        self.voice = voice
        self.limits = actions.Limits(
            budget.power_s,
            1 + values.number("retry_on"),
            "method" in values and values.text("method") == "cycle",
            values.number("softoff_detect"),
            under_fencer,
        )

    def carry_out(self, spent_s: float) -> int:
        """Do it and return the exit code; ``spent_s`` have passed since the start."""
        nodes = self.agent.hosts_of(self.values)
        if self.action in LIST_ACTIONS and not nodes:
            raise MissingParameter(hosts.NAME, "list shows the nodes that are in it")
        if self.action == "list":
            return _print("".join(f"{n},{where}\n" for n, where in nodes.items()))
        deadline = Deadline(self.budget.total_s - spent_s)
        if self.action == "list-status":
            return self._list(nodes, deadline)
        if self.action == "monitor" and nodes and not self.values.text("plug"):
            return self._monitor(nodes, deadline)
        self.voice.about(self.agent.name_of(self.values))
        wait_s = self.budget.delay_s - spent_s
        (end,) = self._look(self.action, [self.values], deadline, wait_s)
        return self._conclude(end)

    def _list(self, nodes: Mapping[str, str], deadline: Deadline) -> int:
        """Print each node with its power; what could not be read is UNKNOWN."""
        each = [self.values.having("plug", node) for node in nodes]
        ends = self._look("status", each, deadline)
        shown = {0: "ON", actions.STATUS_IS_OFF: "OFF"}
        for node, end in zip(nodes, ends):
            if end.exit_code is None:
                self.voice.log.warning(f"{node}: {self._reason(end)}")
            power = shown.get(end.exit_code, "UNKNOWN")  # type: ignore[arg-type]
            _print(f"{node},{nodes[node]},{power}\n")
        return 0

    def _monitor(self, nodes: Mapping[str, str], deadline: Deadline) -> int:
        """Prove that every node could be fenced."""
        each = [self.values.having("plug", node) for node in nodes]
        ends = self._look("monitor", each, deadline)
        failed = [
            f"{node}: {self._reason(end)}"
            for node, end in zip(nodes, ends)
            if end.exit_code is None
        ]
        if failed:
            return self.voice.fail(f"monitor failed: {'; '.join(failed)}")
        self.voice.conclude(f"monitor is fine for {', '.join(nodes)}", often=True)
        return 0

    def _look(
        self,
        action: str,
        each: Sequence[Values],
        deadline: Deadline,
        wait_s: float = 0.0,
    ) -> list[Conclusion]:
        """Have a worker for each do the action, and return what they said."""
        password = _password(self.values, deadline)
        deadline.sleep(max(0.0, wait_s - deadline.elapsed_s()))
        works = [self._work(action, values, password, deadline) for values in each]
        return worker.supervise(works, deadline, self.voice.word)

    def _work(
        self, action: str, values: Values, password: bytes, deadline: Deadline
    ) -> Callable[[Report], int]:
        """Make what one worker does."""
        agent = self.agent

        def work(report: Report) -> int:
            report.say(f"looking for {agent.name_of(values)}")
            own = deadline.part(deadline.remaining_s() - worker.LEAVING_S)
            device = agent.connect(values, password)
            try:
                actions.carry_out(action, device, self.limits, own, report)
            finally:
                device.close(Deadline(1.0))
            return 0

        return lambda report: _guarded(lambda: work(report), report.fail, report)

    def _conclude(self, end: Conclusion) -> int:
        """Print the outcome. What was proven holds, also if the worker hung then."""
        for warning in end.warnings:
            self.voice.warn(f"{self.action} holds, but {warning}")
        if end.exit_code is None:
            return self.voice.fail(f"{self.action} failed: {self._reason(end)}")
        word = end.stdout or f"{self.action} is fine"
        often = self.action in ("monitor", "status")
        self.voice.conclude(f"{word}; {end.last_word}", often)
        if end.stdout:
            _print(end.stdout + "\n")
        return end.exit_code

    def _reason(self, end: Conclusion) -> str:
        """Say why there is no result."""
        if end.failure:
            return end.failure
        how = "hung" if end.killed else "died"
        return (
            f"the connection to the device {how} and was ended within "
            f"{self.budget.total_s:.1f} s; the last that was seen: {end.last_word}; "
            "the node counts as running"
        )


def _wishes(declared: Sequence[Parameter], argv: Sequence[str]) -> Options:
    if len(argv) > 1:
        return options.from_arguments(declared, argv[1:])
    text = _standard_input().decode("utf-8", "surrogateescape")
    if "\0" in text:
        raise options.BadUsage("the parameters on standard input hold a NUL character")
    return options.from_stdin(declared, text)


def _standard_input() -> bytes:
    """Read to the end; a caller that never ends it must not hold a fencing.

    A person who types is waited for.
    """
    patience = Deadline(INPUT_S)
    waiting = select.poll()
    waiting.register(0, select.POLLIN | select.POLLHUP)
    text = b""
    is_person = os.isatty(0)
    while is_person or waiting.poll(patience.remaining_s() * 1000):
        chunk = os.read(0, 65536)
        if not chunk:
            return text
        text += chunk
        if len(text) > MOST_INPUT or (patience.expired() and not is_person):
            break
    raise options.BadUsage(
        f"the parameters on standard input do not end: after {INPUT_S:.0f} s there "
        f"were {len(text)} bytes"
    )


def _metadata(agent: FenceAgent) -> str:
    return fence_xml(
        agent.name, agent.shortdesc, agent.longdesc, agent.parameters, agent.actions
    )


def _print(text: str) -> int:
    os.write(1, text.encode())
    return 0


def _password(values: Values, deadline: Deadline) -> bytes:
    """Return the password: from its file, its program, or the parameter itself."""
    path, script = values.text("password_file"), values.text("password_script")
    if not (path or script):
        return values.text("password").encode("utf-8", "surrogateescape")
    from vmha.fence.protocol import secret

    part = deadline.part(values.number("login_timeout"))
    return secret.from_file(path, part) if path else secret.from_script(script, part)
