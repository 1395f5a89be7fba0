"""The states of the systemd units that matter to guests."""

from __future__ import annotations

import os

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused

UNITS = (
    "corosync",
    "libvirt-guests",
    "libvirtd",
    "pacemaker",
    "sanlock",
    "sbd",
    "virtlockd",
    "virtqemud",
)
SYSTEMCTL = "/usr/bin/systemctl"
_PROPERTIES = "Id,ActiveState,UnitFileState,After"


def tell(deadline: Deadline) -> dict[str, object]:
    """Return each unit's states, and after what it is started.

    Where systemd does not rule (sd_booted(3)) no unit does anything, which is an
    answer too: ``systemd`` is False and there are no units.
    """
    if not os.path.exists("/run/systemd/system"):
        return {"systemd": False, "units": {}}
    names = [f"{name}.service" for name in UNITS]
    words = [SYSTEMCTL, "show", f"--property={_PROPERTIES}", "--", *names]
    result = process.run(words, deadline)
    if result.exit_code != 0:
        raise Refused(f"systemctl does not tell the units: {result.stderr}")
    return {"systemd": True, "units": read(result.stdout)}


def read(text: str) -> dict[str, dict[str, object]]:
    """Read the properties of several units, an empty line between two."""
    found: dict[str, dict[str, object]] = {}
    for block in text.split("\n\n"):
        lines = [line.partition("=") for line in block.splitlines()]
        said = {name: value for name, _, value in lines}
        name = said.get("Id", "").rpartition(".")[0]
        if name:
            found[name] = {
                "active": said.get("ActiveState", ""),
                "enabled": said.get("UnitFileState", ""),
                "after": sorted(said.get("After", "").split()),
            }
    return found
