"""What a definition needs to find on a node: files, devices, interfaces, a machine.

Called by NodeCapacity, which looks for them where a guest does not run. Source of the
format: libvirt's domain XML (``disk``, ``filesystem``, ``os``, ``interface``).
"""

from __future__ import annotations

from vmha.agents.domainxml import devices
from vmha.agents.domainxml.document import Document

_DISKS = "devices/disk[@type='{}']"
_INTERFACES = "/sys/class/net/"


class Needs:
    """What a guest needs.

    ``paths`` are files and devices; ``networks`` and ``pools`` libvirt's; ``volumes``
    pairs of a pool and a volume in it; ``machine`` what getDomainCapabilities asks for:
    emulator, architecture, machine type, virtualization type (each "" for libvirt's
    choice).
    """

    __slots__ = ("machine", "networks", "paths", "pools", "volumes")

    def __init__(
        self,
        paths: list[str],
        networks: list[str],
        pools: list[str],
        volumes: list[tuple[str, str]],
        machine: tuple[str, str, str, str],
    ) -> None:
        self.paths = paths
        self.networks = networks
        self.pools = pools
        self.volumes = volumes
        self.machine = machine


def of(document: Document) -> Needs:
    """Return what a definition needs of its node."""
    pools = devices.pools(document)
    return Needs(
        _paths(document),
        devices.networks(document),
        pools,
        [(pool, volume) for pool in pools for volume in _volumes(document, pool)],
        (
            document.text_at("devices/emulator"),
            _first(document.attributes("os/type", "arch")),
            _first(document.attributes("os/type", "machine")),
            document.attribute("type"),
        ),
    )


def _paths(document: Document) -> list[str]:
    """Return the paths that must be there.

    Not those of the UEFI variables, which libvirt makes from a template, nor of a
    medium that the guest may start without (startupPolicy).
    """
    found = []
    for kind, attribute in (("file", "file"), ("block", "dev"), ("dir", "dir")):
        sources = _DISKS.format(kind)
        every = document.attributes(f"{sources}/source", attribute)
        dispensable = [
            path
            for policy in ("optional", "requisite")
            for path in document.attributes(
                f"{sources}/source[@startupPolicy='{policy}']", attribute
            )
        ]
        found += [path for path in every if path not in dispensable]
    found += document.attributes("devices/filesystem[@type='mount']/source", "dir")
    found += document.attributes("devices/filesystem[@type='block']/source", "dev")
    found += [document.text_at(f"os/{tag}") for tag in ("loader", "kernel", "initrd")]
    found += [document.text_at("devices/emulator")]
    for kind, attribute in (("bridge", "bridge"), ("direct", "dev")):
        path = f"devices/interface[@type='{kind}']/source"
        found += [_INTERFACES + name for name in document.attributes(path, attribute)]
    return list(dict.fromkeys(path for path in found if path.startswith("/")))


def _first(texts: list[str]) -> str:
    return texts[0] if texts else ""


def _volumes(document: Document, pool: str) -> list[str]:
    sources = "devices/disk[@type='volume']/source"
    # ElementPath has no escape for a quote; such a pool's volumes are not looked at.
    if "'" in pool:
        return []
    return document.attributes(f"{sources}[@pool='{pool}']", "volume")
