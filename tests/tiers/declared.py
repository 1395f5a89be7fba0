"""Which tiers there are, in which order, and what each may cost and needs.

Read by main. A budget belongs to a stage, because two quick tiers share one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

BUDGET_S: Mapping[str, int] = {
    "static + unit": 120,
    "contract + libvirt": 480,
    "bmc": 300,
    "heartbeat": 180,
    "cluster": 900,
    "packages": 180,
}

# A budget is a promise about a quiet two-core machine; a busy one easily takes twice
# as long and has found nothing wrong. Beyond three times something hangs or has
# grown out of its tier, so the tier is ended and counts as failed.
ENDED_AT = 3

# The libraries vmha itself uses, and what the tools' environment is made with.
EVERYWHERE = (
    "git",
    "python3-jsonschema",
    "python3-libvirt",
    "python3-lxml",
    "python3-pyghmi",
    "python3-rich",
    "python3-venv",
    "python3-yaml",
)

# The guests' own kernel is unpacked by the lab: nothing is added to what boots here.
QEMU = (
    "iproute2",
    "libvirt-clients",
    "libvirt-daemon-system",
    "qemu-system-x86",
)

# Containers, and what is in them.
LXC = ("busybox-static", "libvirt-daemon-driver-lxc")
TPM = ("swtpm", "swtpm-tools")
# virtlockd comes with libvirt's own packages.
SANLOCK = ("libvirt-sanlock", "sanlock")

# What packaging/build-deb builds with; the lab installs that package in its nodes.
BUILD = ("debhelper", "dh-python", "dpkg-dev")

LAB = ("debian-archive-keyring", "debootstrap", "iproute2", "openipmi")

# The real fencer runs by itself; no cluster is started on this machine.
FENCER = ("pacemaker", "pacemaker-cli-utils")
# What configurations are checked with; none of it is started.
CONFIGURED = ("corosync", "crmsh", "pacemaker-cli-utils", "pcs")
# VirtualDomain with what it calls, and the tester of its project.
PEER = ("libxml2-utils", "pacemaker-cli-utils", "resource-agents")


class Tier(NamedTuple):
    """One folder of tests (or the static checks) with what it needs."""

    name: str
    stage: str
    packages: tuple[str, ...] = ()
    verbose: bool = False
    # Its tests run in this many processes; those marked "alone" follow by themselves.
    workers: int = 1

    @property
    def folder(self) -> str:
        """Where its tests are, from the top of the checkout."""
        return "tests/architecture" if self.name == "static" else f"tests/{self.name}"


TIERS = (
    Tier("static", "static + unit"),
    Tier("unit", "static + unit"),
    Tier(
        "contract",
        "contract + libvirt",
        ("fence-agents", "libxml2-utils", "pacemaker-cli-utils", "resource-agents"),
    ),
    Tier(
        "libvirt",
        "contract + libvirt",
        ("python3-cryptography", *QEMU, *LXC, *TPM, *SANLOCK, *PEER),
        verbose=True,
        workers=2,
    ),
    Tier(
        "bmc",
        "bmc",
        (
            "crmsh",
            "fence-agents",
            "ipmitool",
            "openipmi",
            "pcs",
            "python3-cryptography",
            *FENCER,
            *QEMU,
        ),
        verbose=True,
        workers=2,
    ),
    Tier("heartbeat", "heartbeat", CONFIGURED, verbose=True, workers=2),
    Tier("cluster", "cluster", (*BUILD, *LAB, "busybox-static"), verbose=True),
    Tier(
        "packages",
        "packages",
        (
            "crmsh",
            "debootstrap",
            "drbd-utils",
            "fence-agents",
            "libvirt-clients",
            "libxml2-utils",
            "libvirt-daemon-system",
            "lintian",
            "man-db",
            "pcs",
            "resource-agents",
            "rpm",
            "rpmlint",
            *BUILD,
            *FENCER,
        ),
        verbose=True,
        workers=2,
    ),
)

LEFT_OUT_BY_FAST = ("cluster",)
