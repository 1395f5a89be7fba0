"""The files a node's disk starts with: names, Corosync, libvirt, Pacemaker.

Pure texts first, then ``install`` which writes them to the disk of a node that is off.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .plan import Plan

GUESTS = "/etc/vmha-lab/guests"
SERIALS = "/var/log/vmha-lab"

QEMU_CONF = """\
security_driver = "none"
cgroup_controllers = []
stdio_handler = "file"
remember_owner = 0
user = "root"
group = "root"
"""
# The lab's network is a namespace: nobody but its nodes is on it.
LIBVIRTD_CONF = """\
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
host_uuid = "{uuid}"
log_filters = "3:remote 4:event 3:rpc"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
"""
CLIENT_CONF = """\
uri_default = "qemu:///system"
"""


def corosync_conf(plan: Plan) -> str:
    """corosync.conf(5) for the lab; an opening brace ends its line, as it must."""
    return _sections(
        {
            "totem": {
                "version": "2",
                "cluster_name": plan.name,
                "transport": "knet",
                "token": str(plan.token_ms),
                "crypto_cipher": "none",
                "crypto_hash": "none",
            },
            "quorum": {
                "provider": "corosync_votequorum",
                **({"two_node": "1"} if plan.nodes == 2 else {}),
            },
            "logging": {
                "to_logfile": "yes",
                "logfile": "/var/log/corosync/corosync.log",
                "to_syslog": "no",
                "to_stderr": "no",
                "timestamp": "hires",
            },
        }
    ) + _nodelist(plan)


def _sections(sections: Mapping[str, Mapping[str, str]]) -> str:
    text = ""
    for name, settings in sections.items():
        lines = "".join(f"    {key}: {value}\n" for key, value in settings.items())
        text += f"{name} {{\n{lines}}}\n"
    return text


def _nodelist(plan: Plan) -> str:
    text = "nodelist {\n"
    for number, name in enumerate(plan.names(), 1):
        text += (
            "    node {\n"
            f"        ring0_addr: {plan.address(name)}\n"
            f"        name: {name}\n"
            f"        nodeid: {number}\n"
            "    }\n"
        )
    return text + "}\n"


def hosts(plan: Plan) -> str:
    """/etc/hosts: the nodes, and their BMCs as NAME-bmc."""
    lines = ["127.0.0.1 localhost"]
    for name in plan.names():
        lines.append(f"{plan.address(name)} {name}")
        lines.append(f"{plan.bmc_address(name)} {name}-bmc")
    return "\n".join(lines) + "\n"


def texts(plan: Plan, name: str) -> dict[str, str]:
    """Every file the lab writes to a node's disk: path, content."""
    own = uuid.uuid5(uuid.NAMESPACE_DNS, f"{plan.name}.{name}")
    fresh = {"/etc/hostname": f"{name}\n", "/etc/machine-id": f"{own.hex}\n"}
    if plan.bare:
        return fresh
    return {
        **fresh,
        "/etc/hosts": hosts(plan),
        "/etc/corosync/corosync.conf": corosync_conf(plan),
        "/etc/libvirt/qemu.conf": QEMU_CONF,
        "/etc/libvirt/libvirtd.conf": LIBVIRTD_CONF.format(uuid=own),
        "/etc/libvirt/libvirt.conf": CLIENT_CONF,
    }


def install(plan: Plan, name: str) -> None:
    """Write a node's first files to its empty disk."""
    disk = plan.node_directory(name) / "upper"
    for path, text in texts(plan, name).items():
        _directory(plan, disk, Path(path).parent)
        (disk / path.lstrip("/")).write_text(text)
    for place in () if plan.bare else (GUESTS, SERIALS):
        _directory(plan, disk, Path(place))


def _directory(plan: Plan, disk: Path, directory: Path) -> None:
    """Make a directory on the disk with the mode it has in the base below."""
    for step in [*reversed(directory.parents), directory][1:]:
        own = disk / str(step)[1:]
        if own.exists():
            continue
        own.mkdir()
        for lower in plan.lower:
            below = Path(lower) / str(step)[1:]
            if below.exists():
                shutil.copystat(below, own)
                found = below.stat()
                shutil.chown(own, found.st_uid, found.st_gid)
                break
