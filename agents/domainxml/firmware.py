"""Where a guest's firmware keeps its memory: UEFI variables and TPM state.

Source of the format: libvirt's domain XML, ``os/loader``, ``os/nvram``, ``os
firmware='efi'`` and ``devices/tpm/backend type='emulator'``; the default folders are
those of libvirt's QEMU driver for qemu:///system.
"""

from __future__ import annotations

from vmha.agents.domainxml.document import Document

NVRAM_FOLDER = "/var/lib/libvirt/qemu/nvram"
TPM_FOLDER = "/var/lib/libvirt/swtpm"
_YES = "yes"


def nvram_path(document: Document) -> str:
    """Return the file of the UEFI variables, "" for a guest without any.

    libvirt makes one below its own folder where the definition names none; one whose
    source is on the network (``nvram type='network'``) is no file.
    """
    if document.attributes("os/nvram/source", "protocol"):
        return ""
    file = document.attributes("os/nvram/source", "file")
    named = document.text_at("os/nvram") or (file[0] if file else "")
    if named:
        return named
    flash = "pflash" in document.attributes("os/loader", "type")
    stateless = _YES in document.attributes("os/loader", "stateless")
    is_uefi = "efi" in document.attributes("os", "firmware") or flash
    return f"{NVRAM_FOLDER}/" if is_uefi and not stateless else ""


def has_emulated_tpm(document: Document) -> bool:
    """Tell whether swtpm keeps a TPM's state in a file for the guest."""
    return "emulator" in document.attributes("devices/tpm/backend", "type")


def keeps_tpm_state(document: Document) -> bool:
    """Tell whether that state outlives a transient guest (persistent_state='yes')."""
    return _YES in document.attributes("devices/tpm/backend", "persistent_state")
