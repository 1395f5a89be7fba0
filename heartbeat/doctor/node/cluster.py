"""The local Pacemaker: its version and the cluster options that it knows."""

from __future__ import annotations

import os

from lxml import etree

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import NotInstalled, Refused

FOLDERS = ("/usr/libexec/pacemaker", "/usr/lib/pacemaker", "/usr/lib64/pacemaker")
DAEMONS = (
    "pacemaker-based",
    "pacemaker-controld",
    "pacemaker-fenced",
    "pacemaker-schedulerd",
)
_LIST = ["/usr/sbin/crm_attribute", "--list-options=cluster", "--all"]


def tell(deadline: Deadline) -> dict[str, object]:
    """Return the version and the options; raises where Pacemaker is not installed."""
    return {"version": _version(deadline), "options": options(deadline)}


def options(deadline: Deadline) -> list[str]:
    """Ask for all options: crm_attribute (Pacemaker 2.1.8 and newer), else daemons."""
    result = process.run([*_LIST, "--output-as=xml"], deadline)
    if result.exit_code == 0:
        return names(result.stdout)
    found = [name for d in DAEMONS for name in names(_metadata(d, deadline))]
    if not found:
        raise Refused("no daemon of Pacemaker tells its options")
    return sorted(set(found))


def names(text: str) -> list[str]:
    """Return the names of the cluster options that metadata declares."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        return []
    found = {str(p.get("name")) for p in root.iter("parameter")}
    return sorted(n for n in found if not n.startswith("pcmk_"))  # of devices


def _metadata(daemon: str, deadline: Deadline) -> str:
    for folder in FOLDERS:
        path = os.path.join(folder, daemon)
        if os.access(path, os.X_OK):
            return process.run([path, "metadata"], deadline).stdout
    return ""


def _version(deadline: Deadline) -> str:
    result = process.run(["/usr/sbin/pacemakerd", "--version"], deadline)
    words = result.stdout.split()
    if result.exit_code != 0 or len(words) < 2:
        raise NotInstalled("pacemakerd does not tell its version")
    return words[1]
