"""Files in which the answers of a cluster were saved: a CIB, facts of nodes.

Called by whatever takes such a file by name. A file on a mount that hangs, or a pipe
that nobody writes to, ends with a sentence that names it.
"""

from __future__ import annotations

import sys

from vmha.agents.protocol.errors import AgentError, Refused
from vmha.agents.protocol.files import Unreadable, read_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline

LARGEST_BYTES = 64 * 1024 * 1024
STDIN = ("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")


class Unusable(Refused):
    """A file that was named holds nothing to work with; the text says why."""


def text(path: str, deadline: Deadline) -> str:
    """Return a file's text, "-" for standard input; raises Unusable."""
    try:
        if path in STDIN:
            return sys.stdin.read()
        return read_bytes(path, deadline, LARGEST_BYTES).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unusable(str(Unreadable(path, "it is not UTF-8 text"))) from error
    except AgentError as error:
        raise Unusable(str(error)) from error
