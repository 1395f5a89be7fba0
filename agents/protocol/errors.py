"""The exceptions of vmha; each class owns its exit code, the text is one sentence.

    AgentError                    1
    ├── BadParameter              6   wrong everywhere
    ├── BadOnThisNode             2   wrong here, maybe right elsewhere
    ├── NotInstalled              5   missing here
    ├── PermissionRefused         4   somebody said no
    ├── Unsupported               3   no such action
    ├── DeadlinePassed            1   the operation's time is over
    ├── Unreachable               1   a daemon or device gave no answer
    └── Refused                   1   it answered, and declined

Raised anywhere, turned into an exit code and an exit reason by ``agent.run`` only.
A stop or a monitor never lets BadParameter or NotInstalled out: Pacemaker reads a
probe's 5 as "not running" and any failed stop as a reason to fence.
"""

from __future__ import annotations

from vmha.agents.protocol import exitcodes


class AgentError(Exception):
    """The action cannot hold; the text says what was seen and what to do."""

    exit_code = exitcodes.GENERIC


class BadParameter(AgentError):
    """A parameter's value is wrong on every node.

    ``name`` and ``value`` are the parameter as it was given; ``accepted`` says what
    would be right.
    """

    exit_code = exitcodes.CONFIGURED

    def __init__(self, name: str, value: str, accepted: str) -> None:
        self.name = name
        self.value = value
        self.accepted = accepted
        super().__init__(f"parameter {name}={value!r} is not accepted: {accepted}")


class MissingParameter(BadParameter):
    """A required parameter was not given."""

    def __init__(self, name: str, accepted: str) -> None:
        super().__init__(name, "", accepted)
        self.args = (f"parameter {name} is missing: {accepted}",)


class BadOnThisNode(AgentError):
    """A value or file is wrong on this node; another node may hold a good one."""

    exit_code = exitcodes.ARGS


class NotInstalled(AgentError):
    """A file or program that the action needs is not on this node."""

    exit_code = exitcodes.INSTALLED


class PermissionRefused(AgentError):
    """A daemon or the kernel refused us."""

    exit_code = exitcodes.PERMISSION


class Unsupported(AgentError):
    """The agent has no such action."""

    exit_code = exitcodes.UNIMPLEMENTED


class DeadlinePassed(AgentError):
    """The operation's own time is over, before Pacemaker's."""


class Unreachable(AgentError):
    """A daemon or device gave no answer: nothing is known from it."""


class Refused(AgentError):
    """A daemon or device answered, and declined what was asked."""
