"""Configuring the demo's cluster in the users' own words, with either set of agents.

Two guests and the fencing are made with pcs, the third guest with crm; every command is
shown before it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab import Lab

BY_PCS = ("web1", "web2")
BY_CRM = "web3"
GUESTS = (*BY_PCS, BY_CRM)
COMMAND_S = 90.0


@dataclass(frozen=True)
class Agents:
    """One set of agents: its name, a guest's agent, a fence agent and its options."""

    name: str
    guest: str
    fence: str
    options: tuple[str, ...] = ()


OURS = Agents("vmha", "ocf:vmha:VirtualMachine", "fence_vmha_ipmi")
PEERS = Agents(
    "peers", "ocf:heartbeat:VirtualDomain", "fence_ipmilan", ("lanplus=1", "cipher=3")
)


def configure(lab: Lab, agents: Agents, show: Callable[[str], None]) -> None:
    """Make fencing and guests; returns when all guests run and the cluster is idle."""
    for node in lab.nodes:
        options = (
            f"ip={node.bmc.address}",
            f"username={node.bmc.user}",
            f"password={node.bmc.password}",
            *agents.options,
            f"pcmk_host_list={node.name}",
        )
        fence = ("stonith", "create", f"fence-{node.name}", agents.fence)
        _run(lab, show, "pcs", *fence, *options)
    for name in GUESTS:
        lab.guest(name)
        options = (f"config={lab.guest_file(name)}", "migration_transport=tcp")
        if name in BY_PCS:
            words = ["pcs", "resource", "create", name, agents.guest, *options]
        else:
            words = ["crm", "configure", "primitive", name, agents.guest, "params"]
            words += [*options, "op", "monitor", "interval=10s", "timeout=30s"]
        _run(lab, show, *words, "meta", "allow-migrate=true")
    lab.wait_idle()
    for name in GUESTS:
        lab.cluster.wait_running(name)


def clear(lab: Lab, show: Callable[[str], None]) -> None:
    """Take guests and fencing out of the cluster again."""
    _run(lab, show, "pcs", "resource", "disable", *GUESTS)
    lab.wait_idle()
    for name in GUESTS:
        _run(lab, show, "pcs", "resource", "delete", name)
    for node in lab.nodes:
        _run(lab, show, "pcs", "stonith", "delete", f"fence-{node.name}")
    lab.wait_idle()


def _run(lab: Lab, show: Callable[[str], None], *words: str) -> None:
    secrets = {node.bmc.password for node in lab.nodes}
    shown = [
        "password=..." if word.partition("=")[2] in secrets else word for word in words
    ]
    show("# " + " ".join(shown))
    lab.cluster.run(words, COMMAND_S)
