"""A password from a file, or from a program that is started without a shell.

Imported by ``run`` when password_file or password_script is given; what is in the file,
or what the program prints, goes nowhere but to the device's login.
"""

from __future__ import annotations

import os
import shlex

from vmha.agents.protocol import files, process
from vmha.agents.protocol.errors import AgentError
from vmha.fence.protocol.options import BadSecret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline

# What a shell would act on: outside quotes, and inside double quotes as well.
OF_A_SHELL = "|&;<>()*?[`$"
OF_A_SHELL_QUOTED = "`$"
NO_SHELL = (
    "give one program with its arguments, it is run without a shell; put pipes, "
    "variables and patterns into a script"
)
OTHERS = 0o077


class FileFailed(AgentError):
    """The password file is not there, not private, or empty."""

    def __init__(self, path: str, how: str) -> None:
        super().__init__(f"password_file failed: {path} {how}")


class ScriptFailed(AgentError):
    """The password program could not be run, failed, or printed nothing."""

    def __init__(self, program: str, how: str) -> None:
        super().__init__(
            f"password_script failed: {program} {how}; run it by hand as root"
        )


def from_file(path: str, deadline: Deadline) -> bytes:
    """Return the first line of a file that nobody but its owner may read."""
    try:
        text = files.read_text(path, deadline)
        status = os.stat(path)  # it has just been opened: it does not hang
    except files.Unreadable as error:
        how = f"cannot be read: {error.reason}"
        raise FileFailed(path, how + "; create it on this node") from error
    except OSError as error:
        raise FileFailed(path, f"cannot be read: {error.strerror}") from error
    if status.st_uid not in (0, os.geteuid()):
        raise FileFailed(path, "does not belong to root: chown it, change the secret")
    if status.st_mode & OTHERS:
        raise FileFailed(path, "can be read by others: chmod 600 it, change the secret")
    password = text.partition("\n")[0].rstrip("\r")
    if not password:
        raise FileFailed(path, "has an empty first line: the password belongs there")
    return password.encode("utf-8", "surrogateescape")


def check_script(script: str) -> None:
    """Raise BadSecret for a script that could not be run; its text is not shown."""
    if wants_shell(script):
        raise BadSecret("password_script", NO_SHELL)


def wants_shell(script: str) -> bool:
    """Tell whether a shell would do more with these words than to split them."""
    quote, escaped, begins = "", False, True
    for letter in script:
        acted_on = OF_A_SHELL_QUOTED if quote else OF_A_SHELL + "~" * begins
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif letter == quote:
            quote = ""
        elif quote != "'" and letter in acted_on:
            return True
        elif not quote and letter in "'\"":
            quote = letter
        begins = not quote and letter.isspace()
    return False


def from_script(script: str, deadline: Deadline) -> bytes:
    """Run the program and return what it prints, without the end of its line."""
    try:
        argv = shlex.split(script)
    except ValueError as error:
        raise BadSecret("password_script", "close its quotes") from error
    if not argv:
        raise BadSecret("password_script", NO_SHELL)
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
