"""The node's processors, memory and the speed of its network."""

from __future__ import annotations

import os

from vmha.agents.capacity.host import Host
from vmha.agents.protocol.deadline import Deadline

NET = "/sys/class/net"


def tell(_: Deadline) -> dict[str, object]:
    """Return what is online; raises Unreachable."""
    host = Host()
    return {
        "cpus": host.online_cpus(),
        "memory_mib": host.memory_mib(),
        "link_mbit_s": link_mbit_s(NET),
    }


def link_mbit_s(folder: str) -> int | None:
    """Return the speed of the fastest link that is up, None where none is told.

    Only of real devices: bridges and virtual pairs name a speed that nothing has
    (sysfs-class-net, ``device`` and ``speed``).
    """
    speeds = []
    for name in sorted(os.listdir(folder)):
        if os.path.exists(os.path.join(folder, name, "device")):
            text = _read(os.path.join(folder, name, "speed"))
            speeds += [int(text)] if text.isdigit() and int(text) else []
    return max(speeds, default=None)


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, UnicodeDecodeError):  # a link that is down has no speed: EINVAL
        return ""
