"""The two spellings of Pacemaker's fencing options, and which one is known here.

Pacemaker 3.0.2 renamed them from ``stonith-*`` to ``fencing-*``. Both are read; which
is written is asked of the installed daemons, never told by a version. The older one is
understood by every Pacemaker, so it is taken where nothing is known.
"""

from __future__ import annotations

import os
from dataclasses import replace

from lxml import etree

from vmha.agents.protocol import process
from vmha.agents.protocol.errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.pacemaker.configuration import Configuration

FOLDERS = ("/usr/libexec/pacemaker", "/usr/lib/pacemaker")
LISTED = ("crm_attribute", "--list-options=cluster", "--all", "--output-as=xml")
DAEMONS = ("pacemaker-schedulerd", "pacemaker-controld", "pacemaker-based")
OLD, NEW = "stonith-", "fencing-"
_RENAMED = (
    "enabled",
    "action",
    "timeout",
    "max-attempts",
    "watchdog-timeout",
)


def spellings(name: str) -> tuple[str, ...]:
    """Return the names an option may have in a CIB, the newer one first."""
    for tail in _RENAMED:
        if name in (OLD + tail, NEW + tail):
            return NEW + tail, OLD + tail
    if name in ("fence-reaction", "fencing-reaction"):
        return "fencing-reaction", "fence-reaction"
    return (name,)


def known(deadline: Deadline) -> frozenset[str]:
    """Return the names of the cluster options that the installed Pacemaker describes.

    Since 2.1.8 crm_attribute lists them; before, the daemons do. Empty where neither
    answers.
    """
    names = _described(LISTED, deadline)
    for daemon in () if names else DAEMONS:
        for folder in FOLDERS:
            path = os.path.join(folder, daemon)
            if os.access(path, os.X_OK):
                names |= _described([path, "metadata"], deadline)
                break
    return frozenset(names)


def _described(words: Sequence[str], deadline: Deadline) -> set[str]:
    try:
        answer = process.run(words, deadline)
        root = etree.fromstring(answer.stdout.encode())
    except (AgentError, etree.XMLSyntaxError):
        return set()
    return {str(one.get("name")) for one in root.iter("parameter")}


def spelt(configuration: Configuration, names: frozenset[str]) -> Configuration:
    """Return the configuration with each option as this Pacemaker calls it."""
    properties = {
        _spelt(name, names): value for name, value in configuration.properties.items()
    }
    return replace(configuration, properties=properties)


def _spelt(name: str, names: frozenset[str]) -> str:
    return next((one for one in spellings(name) if one in names), name)
