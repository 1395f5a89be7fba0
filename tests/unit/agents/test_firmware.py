"""UEFI variables and TPM state: where they lie, and whether others see them there."""

from __future__ import annotations

import pytest

from vmha.agents.vm import firmware

LOCAL = "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
NFS = "40 25 0:50 / /srv/shared rw - nfs4 nas:/x rw\n"
TPM_SHARED = "41 25 0:51 / /var/lib/libvirt/swtpm rw - ceph mon:/ rw\n"
FLASH = "<loader readonly='yes' type='pflash'>/usr/share/OVMF.fd</loader>"
TPM = "<tpm><backend type='emulator'{}/></tpm>"
KEPT = TPM.format(" persistent_state='yes'")


def domain(os: str = "", devices: str = "", firmware_kind: str = "") -> str:
    kind = f" firmware='{firmware_kind}'" if firmware_kind else ""
    inner = f"<os{kind}>{os}</os><devices>{devices}</devices>"
    return f"<domain><name>vm1</name>{inner}</domain>"


@pytest.mark.parametrize(
    ("xml", "mounted", "said"),
    [
        (domain(), LOCAL, []),
        (domain(FLASH), LOCAL, ["UEFI"]),
        (domain(firmware_kind="efi"), LOCAL, ["UEFI"]),
        (domain(firmware_kind="bios"), LOCAL, []),
        (domain(FLASH + "<nvram>/srv/shared/v.fd</nvram>"), LOCAL + NFS, []),
        (domain(FLASH + "<nvram>/srv/shared/v.fd</nvram>"), LOCAL, ["UEFI"]),
        (domain(FLASH + "<nvram>/srv/other/v.fd</nvram>"), LOCAL + NFS, ["UEFI"]),
        (
            domain("<nvram type='file'><source file='/srv/v.fd'/></nvram>"),
            LOCAL,
            ["UEFI"],
        ),
        (
            domain("<nvram type='network'><source protocol='rbd' name='x'/></nvram>"),
            LOCAL,
            [],
        ),
        (domain("<loader type='pflash' stateless='yes'>/x</loader>"), LOCAL, []),
        (domain(devices=TPM.format("")), LOCAL, ["shared storage", "removes"]),
        (domain(devices=KEPT), LOCAL, ["shared storage"]),
        (domain(devices=KEPT), LOCAL + TPM_SHARED, []),
        (domain(devices="<tpm><backend type='passthrough'/></tpm>"), LOCAL, []),
    ],
)
def test_what_stays_behind_is_said(xml: str, mounted: str, said: list[str]) -> None:
    found = firmware.warnings(xml, "vm1.xml", True, mounted)
    assert len(found) == len(said)
    assert all(word in sentence for word, sentence in zip(said, found))


def test_libvirt_keeps_the_tpm_of_a_guest_that_it_has_defined() -> None:
    xml = domain(devices=TPM.format(""))
    found = firmware.warnings(xml, "vm1", False, LOCAL + TPM_SHARED)
    assert found == []


@pytest.mark.parametrize(
    ("path", "shared"),
    [
        ("/srv/shared/a/b.fd", True),
        ("/srv/shared", True),
        ("/srv/shared2/b.fd", False),
        ("/var/lib/b.fd", False),
        ("/mnt/with space/x", True),
        ("/srv/shared/local/x", False),
    ],
)
def test_the_innermost_mount_decides(path: str, shared: bool) -> None:
    mounted = (
        LOCAL
        + NFS
        + "50 40 8:2 / /srv/shared/local rw shared:3 - xfs /dev/sdb rw\n"
        + "51 25 0:60 / /mnt/with\\040space rw - fuse.glusterfs g:/v rw\n"
    )
    assert firmware.is_shared(path, mounted) is shared
    assert firmware.is_shared(path, "") is False
