"""What a guest asks of the machine under it: machine type, processor, memory.

Called before a migration, about the guest as it runs. Source of the format: libvirt's
domain XML (``os/type``, ``cpu``, ``currentMemory``).
"""

from __future__ import annotations

from vmha.agents.domainxml.document import Document

_KIB = {"k": 1, "kib": 1, "m": 1024, "mib": 1024, "g": 1048576, "gib": 1048576}


class Features:
    """``machine`` is emulator, architecture, machine type, virtualization type.

    ``cpu`` is the ``<cpu>`` element as XML where libvirt was told to hold the guest to
    a model, else "". ``is_host_cpu`` tells that the guest sees its host's processor.
    """

    __slots__ = ("cpu", "is_host_cpu", "machine", "memory_kib")

    def __init__(self, document: Document) -> None:
        types = document.parts("os/type")
        emulators = document.parts("devices/emulator")
        self.machine = (
            emulators[0].text_here if emulators else "",
            types[0].attribute("arch") if types else "",
            types[0].attribute("machine") if types else "",
            document.attribute("type"),
        )
        processors = document.parts("cpu")
        mode = processors[0].attribute("mode") if processors else ""
        self.cpu = processors[0].xml() if mode == "custom" else ""
        self.is_host_cpu = mode in ("host-passthrough", "maximum")
        self.memory_kib = _memory_kib(document)


def _memory_kib(document: Document) -> int:
    for element in (*document.parts("currentMemory"), *document.parts("memory")):
        unit = _KIB.get((element.attribute("unit") or "KiB").lower())
        if unit and element.text_here.isdigit():
            return int(element.text_here) * unit
    return 0
