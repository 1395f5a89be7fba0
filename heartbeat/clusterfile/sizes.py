"""How large a guest is: from the file, else from its libvirt XML.

Called by ``reading`` for guests that leave cpu or memory_mib out. Source: libvirt's
domain XML format ("CPU Allocation", "Memory Allocation"): what virDomainGetInfo calls
the current number of processors and the maximum memory, as the agent accounts them.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.agents.protocol.files import Unreadable, read_text

ANSWERS_S = 5.0
MOST_SILENT = 4
_BYTES = {
    "b": 1,
    "bytes": 1,
    "kb": 1000,
    "k": 1024,
    "kib": 1024,
    "mb": 1000**2,
    "m": 1024**2,
    "mib": 1024**2,
    "gb": 1000**3,
    "g": 1024**3,
    "gib": 1024**3,
    "tb": 1000**4,
    "t": 1024**4,
    "tib": 1024**4,
}
_MIB = 1024**2


class Size(NamedTuple):
    """Virtual processors, and memory in MiB rounded up."""

    cpu: int
    memory_mib: int


class NoSize(Exception):
    """A guest's XML does not tell its size; the text is the reason, one clause."""


class Configs:
    """The guests' XML files, read one after the other, each within ANSWERS_S.

    A folder that did not answer is not asked again, and after MOST_SILENT of them no
    other is: on a dead mount, hundreds of guests must not be waited for in turn.
    """

    def __init__(self) -> None:
        self._silent: dict[str, str] = {}

    def size(self, path: str) -> Size:
        """Read a guest's size from its XML; raises NoSize."""
        folder = os.path.dirname(path)
        if folder in self._silent:
            first = self._silent[folder]
            raise NoSize(f"{path} was not read, as {first} beside it does not answer")
        if len(self._silent) >= MOST_SILENT:
            raise NoSize(f"{path} was not read, as {MOST_SILENT} folders do not answer")
        try:
            return of_xml(read_text(path, Deadline(ANSWERS_S)), path)
        except Unreadable as error:
            raise NoSize(str(error)) from error
        except Unreachable as error:
            self._silent[folder] = path
            raise NoSize(str(error)) from error


def of_xml(text: str, source: str) -> Size:
    """Return the size that a definition states; raises NoSize."""
    from vmha.agents.domainxml import document

    try:
        domain = document.parse(text, source)
    except AgentError as error:
        raise NoSize(str(error)) from error
    cpus = domain.text_at("vcpu") or "1"
    current = domain.attributes("vcpu", "current")
    count = current[0] if current else cpus
    memory = domain.text_at("memory")
    units = domain.attributes("memory", "unit")
    factor = _BYTES.get((units[0] if units else "KiB").lower(), 0)
    if not _is_whole(count) or not _is_whole(memory) or not factor:
        raise NoSize(f"{source} has no <vcpu> and <memory> that can be read")
    return Size(int(count), -(-int(memory) * factor // _MIB))


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20
