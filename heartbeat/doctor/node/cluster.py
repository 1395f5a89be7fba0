"""The local Pacemaker: its version and the cluster options that it knows."""

from __future__ import annotations

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import NotInstalled
from vmha.heartbeat.pacemaker import options

PACEMAKERD = "/usr/sbin/pacemakerd"


def tell(deadline: Deadline) -> dict[str, object]:
    """Return the version and the options; raises where Pacemaker is not installed."""
    return {"version": _version(deadline), "options": sorted(options.known(deadline))}


def _version(deadline: Deadline) -> str:
    """Return the version; it stands behind the name: ``Pacemaker 2.1.5``."""
    result = process.run([PACEMAKERD, "--version"], deadline)
    words = result.stdout.split()
    if result.exit_code != 0 or len(words) < 2:
        raise NotInstalled("pacemakerd does not tell its version")
    return words[1]
