"""Which guest is meant, and where it lives."""

from __future__ import annotations

from vmha.agents.protocol.parameters import STRING, Parameter
from vmha.agents.vm.declared.checks import absolute_path, connection_uri

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "config",
        STRING,
        "Path of the guest's libvirt XML",
        "Absolute path of the libvirt XML that describes the guest. It must be "
        "readable under the same path on every node that may run the guest: on shared "
        "storage, or copied to each node. Give either config or domain.",
        unique_group="config",
        check=absolute_path,
    ),
    Parameter(
        "domain",
        STRING,
        "Name or UUID of a guest defined in libvirt",
        "Name or UUID of a persistent guest. It must be defined (virsh define) on "
        "every node that may run it, and not be marked autostart. Give either config "
        "or domain.",
        unique_group="domain",
    ),
    Parameter(
        "hypervisor",
        STRING,
        "libvirt connection URI",
        "URI of the local libvirt connection, for example qemu:///system.",
        default="qemu:///system",
        check=connection_uri,
    ),
)
