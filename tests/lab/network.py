"""The lab's network: one bridge in a namespace of its own, one cable to each node.

The bridge's namespace also holds the BMCs' addresses, so the BMC of a node whose cable
is cut still answers the others. A cable is cut at the bridge, as a pulled plug is: the
node sees its carrier go, and a reboot of the node does not mend it. Namespaces are kept
by files in the lab's directory; no name appears on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .commands import Result, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .plan import Plan

BRIDGE = "hub0"
PREFIX = 24
HUB_HOST = 254
TIMEOUT_S = 20.0


def build(plan: Plan) -> None:
    """Make the namespaces, the bridge and the cables."""
    plan.hub.parent.mkdir()
    _namespace(plan.hub)
    _ip(plan.hub, "link add", BRIDGE, "type bridge forward_delay 0 stp_state 0")
    _ip(plan.hub, "link set", BRIDGE, "up")
    gateway = f"{plan.address(plan.names()[0]).rpartition('.')[0]}.{HUB_HOST}"
    announce(plan, gateway)
    for name in plan.names():
        for address in (plan.bmc_address(name), plan.second_bmc_address(name)):
            announce(plan, address)
        own = plan.network(name)
        _namespace(own)
        _ip(plan.hub, "link add", name, f"type veth peer name eth0 netns {own}")
        _ip(plan.hub, "link set", name, f"master {BRIDGE}")
        _ip(plan.hub, "link set", name, "up")
        _ip(own, f"address add {plan.address(name)}/{PREFIX} dev eth0")
        _ip(own, "link set eth0 up")


def cut(plan: Plan, name: str) -> None:
    """Pull a node's cable."""
    _ip(plan.hub, "link set", name, "down")


def heal(plan: Plan, name: str) -> None:
    """Plug a node's cable in."""
    _ip(plan.hub, "link set", name, "up")


def is_cut(plan: Plan, name: str) -> bool:
    """Whether a node's cable is pulled."""
    said = _ip(plan.hub, "-o link show", name).stdout
    flags = said.partition("<")[2].partition(">")[0].split(",")
    return "UP" not in flags


def part(plan: Plan) -> None:
    """No node reaches another; each still reaches the BMCs (isolated bridge ports)."""
    for name in plan.names():
        _ip(plan.hub, "link set", name, "type bridge_slave isolated on")


def join(plan: Plan) -> None:
    """The nodes reach each other."""
    for name in plan.names():
        _ip(plan.hub, "link set", name, "type bridge_slave isolated off")


def announce(plan: Plan, address: str) -> None:
    """Somebody answers at this address of the bridge."""
    _ip(plan.hub, f"address replace {address}/{PREFIX} dev", BRIDGE)


def withdraw(plan: Plan, address: str) -> None:
    """Nobody answers at this address of the bridge; what listens there is not told."""
    _ip(plan.hub, f"address del {address}/{PREFIX} dev", BRIDGE)


def inside(
    namespace: Path, argv: Sequence[str], timeout_s: float = TIMEOUT_S
) -> Result:
    """Run a program of this machine in one of the lab's network namespaces."""
    return run(["nsenter", f"--net={namespace}", "--", *argv], timeout_s)


def _namespace(file: Path) -> None:
    file.touch()
    run(["unshare", f"--net={file}", "ip", "link", "set", "lo", "up"], TIMEOUT_S)


def _ip(namespace: Path, *words: str) -> Result:
    """Run ip(8); each argument may hold several words."""
    argv = [part for word in words for part in word.split()]
    return inside(namespace, ["ip", *argv])
