"""UEFI variables and TPM state that stay behind when the guest moves: warnings.

Called by start and by validation. Neither keeps a guest down: it boots without them,
but a bootloader entry, a disk key sealed to the TPM or a secure-boot database may be
what it needs.
"""

from __future__ import annotations

from vmha.agents.domainxml import document, firmware

# From /proc/filesystems of nodes that share storage; "fuse." covers its family.
_SHARED = (
    *("nfs", "nfs4", "cifs", "smb3", "ceph", "gfs2", "ocfs2", "glusterfs", "lustre"),
    *("gpfs", "9p", "virtiofs", "beegfs", "orangefs", "afs", "vxfs"),
)
MOUNTS = "/proc/self/mountinfo"


def mounts() -> str:
    """Return what is mounted here (proc(5), mountinfo), "" where it cannot be read."""
    try:
        with open(MOUNTS, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def warnings(xml: str, source: str, is_transient: bool, mounted: str) -> list[str]:
    """Return what is to be said of a definition; ``mounted`` is ``mounts()``."""
    parsed = document.parse(xml, source)
    found = []
    path = firmware.nvram_path(parsed)
    if path and not is_shared(path, mounted):
        found.append(
            f"its UEFI variables ({path}) are not on shared storage, so they stay "
            "behind on each node; put <nvram> on shared storage"
        )
    if not firmware.has_emulated_tpm(parsed):
        return found
    if not is_shared(firmware.TPM_FOLDER, mounted):
        found.append(
            f"the state of its emulated TPM ({firmware.TPM_FOLDER}) is not on shared "
            "storage, so a start on another node gets an empty TPM; mount that folder "
            "from shared storage"
        )
    if is_transient and not firmware.keeps_tpm_state(parsed):
        found.append(
            "libvirt removes the state of its emulated TPM when it stops; give "
            "<backend type='emulator'> the attribute persistent_state='yes'"
        )
    return found


def is_shared(path: str, mounted: str) -> bool:
    """Tell by the kind of the mount whether other nodes see a path as well.

    Only the text of the path is looked at, since a dead mount would hold us. A file
    system on a replicated or shared block device that one node mounts looks local.
    """
    best, kind = "", ""
    for line in mounted.splitlines():
        left, _, right = line.partition(" - ")
        fields, kinds = left.split(), right.split()
        if len(fields) < 5 or not kinds:
            continue
        place = fields[4].replace("\\040", " ")
        below = path == place or path.startswith(place.rstrip("/") + "/")
        if below and len(place) >= len(best):
            best, kind = place, kinds[0]
    return kind in _SHARED or kind.startswith("fuse.")
