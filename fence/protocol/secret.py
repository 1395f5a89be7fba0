"""A password from a program of the user's: started directly, without a shell.

Imported by ``run`` when password_script is given; what the program prints goes nowhere
but to the device's login.
"""

from __future__ import annotations

import shlex

from vmha.agents.protocol import process
from vmha.agents.protocol.errors import AgentError
from vmha.fence.protocol.options import BadSecret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline

OF_A_SHELL = ("|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1")


class ScriptFailed(AgentError):
    """The password program could not be run, failed, or printed nothing."""

    def __init__(self, program: str, how: str) -> None:
        super().__init__(
            f"password_script failed: {program} {how}; run it by hand as root"
        )


def from_script(script: str, deadline: Deadline) -> bytes:
    """Run the program and return what it prints, without the end of its line."""
    try:
        argv = shlex.split(script)
    except ValueError as error:
        raise BadSecret("password_script", "close its quotes") from error
    if not argv or any(word in OF_A_SHELL for word in argv):
        accepted = "give one program with its arguments; put pipes into a script"
        raise BadSecret("password_script", accepted)
    try:
        result = process.run(argv, deadline)
    except AgentError as error:
        raise ScriptFailed(argv[0], _how(str(error), argv[0])) from error
    if result.exit_code:
        raise ScriptFailed(argv[0], f"ended with exit code {result.exit_code}")
    password = result.stdout.rstrip("\r\n")
    if not password:
        raise ScriptFailed(argv[0], "printed nothing")
    return password.encode("utf-8", "surrogateescape")


def _how(sentence: str, program: str) -> str:
    return sentence[len(program) + 1 :] if sentence.startswith(program) else sentence
