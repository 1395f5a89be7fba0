"""What a running guest asks of the processor and the memory under it.

Called before a migration; ``needs`` has the rest. Source of the format: libvirt's
domain XML (``cpu``, ``currentMemory``).
"""

from __future__ import annotations

from vmha.agents.domainxml.document import Document

_KIB = {"k": 1, "kib": 1, "m": 1024, "mib": 1024, "g": 1048576, "gib": 1048576}


class Features:
    """``cpu`` is the ``<cpu>`` element as XML where it holds the guest to a model.

    ``is_host_cpu`` tells that the guest sees its host's processor; ``memory_kib`` is
    what it has now.
    """

    __slots__ = ("cpu", "is_host_cpu", "memory_kib")

    def __init__(self, document: Document) -> None:
        processors = document.parts("cpu")
        mode = processors[0].attribute("mode") if processors else ""
        self.cpu = processors[0].xml() if mode == "custom" else ""
        self.is_host_cpu = mode in ("host-passthrough", "maximum")
        self.memory_kib = _memory_kib(document)


def _memory_kib(document: Document) -> int:
    for element in (*document.parts("currentMemory"), *document.parts("memory")):
        unit = _KIB.get((element.attribute("unit") or "KiB").lower())
        number = element.text_at(".")
        if unit and number.isdigit():
            return int(number) * unit
    return 0
