"""How large a guest is: from the file, else from its libvirt XML.

Called by ``reading`` for guests that leave cpu or memory_mib out. Source: libvirt's
domain XML format ("CPU Allocation", "Memory Allocation"): what virDomainGetInfo calls
the current number of processors and the maximum memory, as the agent accounts them.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from vmha.agents.protocol.errors import AgentError

LARGEST_BYTES = 16 * 1024 * 1024
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


def of_config(path: str) -> Size:
    """Read a guest's size from its XML; raises NoSize."""
    return of_xml(_text(path), path)


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


def _text(path: str) -> str:
    """Read a file that may be anything: a FIFO or a device is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, encoding="utf-8") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise NoSize(f"{path} is no regular file")
            if status.st_size > LARGEST_BYTES:
                raise NoSize(f"{path} is larger than {LARGEST_BYTES} bytes")
            return file.read()
    except UnicodeDecodeError as error:
        raise NoSize(f"{path} is not UTF-8 text") from error
    except OSError as error:
        raise NoSize(f"{path} cannot be read: {error.strerror}") from error
