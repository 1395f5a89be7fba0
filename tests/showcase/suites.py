"""What is compared: vmha, and the agents an administrator has without it.

Both get the same cluster, the same guests and the same settings; the peers get
``lanplus=1 cipher=3``, without which fence_ipmilan does not reach a modern BMC in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab import Lab

GUESTS = ("web1", "web2", "web3")


@dataclass(frozen=True)
class Suite:
    """The agents of one side."""

    name: str
    resource: str
    fencing: str
    fencing_options: tuple[str, ...] = ()


VMHA = Suite("vmha", "ocf:vmha:VirtualMachine", "fence_vmha_ipmi")
PEERS = Suite(
    "peers",
    "ocf:heartbeat:VirtualDomain",
    "fence_ipmilan",
    ("lanplus=1", "cipher=3"),
)


def fencing_words(lab: Lab, suite: Suite, node: str) -> list[str]:
    """Return the words of ``pcs`` that make a node's fencing device."""
    bmc = lab.node(node).bmc
    access = [f"ip={bmc.address}", f"username={bmc.user}", f"password={bmc.password}"]
    options = [f"pcmk_host_list={node}", *access, *suite.fencing_options]
    watching = ["op", "monitor", "interval=60s"]
    return ["stonith", "create", f"fence-{node}", suite.fencing, *options, *watching]


def guest_words(lab: Lab, suite: Suite, guest: str) -> list[str]:
    """Return the words of ``pcs`` that make a guest's resource."""
    options = [f"config={lab.guest_file(guest)}", "migration_transport=tcp"]
    watching = ["op", "monitor", "interval=10s", "timeout=30s"]
    meta = ["meta", "allow-migrate=true"]
    return ["resource", "create", guest, suite.resource, *options, *watching, *meta]


def guest_words_of_crm(lab: Lab, suite: Suite, guest: str) -> list[str]:
    """Return the words of ``crm`` that make a guest's resource."""
    options = [f"config={lab.guest_file(guest)}", "migration_transport=tcp"]
    watching = ["op", "monitor", "interval=10s", "timeout=30s"]
    meta = ["meta", "allow-migrate=true"]
    head = ["configure", "primitive", guest, suite.resource]
    return [*head, "params", *options, *watching, *meta]


def shown(program: str, words: Sequence[str], secret: str) -> str:
    """Return a command as it is shown: quoted, its secret masked."""
    plain = [word.replace(secret, "***") for word in words]
    return " ".join([program, *(f"'{w}'" if " " in w else w for w in plain)])
