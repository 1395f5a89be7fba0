"""The node's clock, and whether something sets it."""

from __future__ import annotations

import os
import time

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError

TIMEDATECTL = "/usr/bin/timedatectl"


def tell(deadline: Deadline) -> dict[str, object]:
    """Return the time as seconds since 1970, and whether a time service has set it."""
    return {"epoch_s": time.time(), "synchronised": _is_synchronised(deadline)}


def _is_synchronised(deadline: Deadline) -> bool | None:
    """Ask systemd, which asks the kernel (adjtimex); None where it is not there."""
    if not os.path.exists("/run/systemd/system"):
        return None
    words = [TIMEDATECTL, "show", "--property=NTPSynchronized", "--value"]
    try:
        said = process.run(words, deadline.part(2.0)).stdout.strip()
    except AgentError:
        return None
    return {"yes": True, "no": False}.get(said)
