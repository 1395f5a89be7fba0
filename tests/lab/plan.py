"""What a lab consists of: its nodes, their addresses, its places on this machine.

Everything a lab owns outside the cache is in one directory, which is a tmpfs of its
own: taking a lab away is ending its processes and unmounting its namespaces' files and
this directory. Nothing of it has a name of its own on the machine, so labs run side by
side.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .errors import LabError, NoSuchNode, NotUp

RUN = Path("/run/vmha-lab")
# What each node's control group begins with on this machine.
GROUP = "vmha-lab"
NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,30}$")
NETWORK = "10.66.0"
FIRST_BMC = 100
# The addresses of the guides, RFC 5737: whoever follows them types these.
GUIDE_NETWORK = "192.0.2"
GUIDE_FIRST_BMC = 10
MOST_BARE = 9
MOST_NODES = 16
BMC_USER = "admin"
BMC_OPERATOR = "fence"
BMC_PASSWORD = "lab-secret"
BOOT_DELAY_S = 10.0


@dataclass(frozen=True)
class Plan:
    """A lab as ``up`` was asked for it; written to lab.json in its directory.

    ``bare``: its nodes are fresh Debian machines with systemd, and no cluster.
    """

    name: str
    nodes: int
    suite: str
    lower: list[str] = field(default_factory=list)
    boot_delay_s: float = BOOT_DELAY_S
    token_ms: int = 1000
    debs: list[str] = field(default_factory=list)
    bare: bool = False

    @property
    def directory(self) -> Path:
        return RUN / self.name

    @property
    def shared(self) -> Path:
        """The directory that all nodes see as /shared."""
        return self.directory / "shared"

    @property
    def hub(self) -> Path:
        """The network namespace with the bridge and the BMCs."""
        return self.directory / "net" / "hub"

    def names(self) -> list[str]:
        """The nodes' names: node1, node2 and so on."""
        return [f"node{number}" for number in range(1, self.nodes + 1)]

    def number(self, name: str) -> int:
        """A node's number from 1; raises NoSuchNode."""
        try:
            return self.names().index(name) + 1
        except ValueError:
            raise NoSuchNode(
                f"the lab {self.name} has no node {name}; it has "
                f"{', '.join(self.names())}"
            ) from None

    def node_directory(self, name: str) -> Path:
        return self.directory / "nodes" / name

    def network(self, name: str) -> Path:
        """A node's network namespace; it outlives the node's power."""
        return self.directory / "net" / name

    def address(self, name: str) -> str:
        return self._host(self.number(name))

    def bmc_address(self, name: str) -> str:
        first = GUIDE_FIRST_BMC if self.bare else FIRST_BMC
        return self._host(first + self.number(name))

    def second_bmc_address(self, name: str) -> str:
        """The address of the same BMC on its other network port."""
        return self._host(120 + self.number(name))

    def outlet_address(self, rack: str, name: str) -> str:
        """Where a rack controller switches its outlet for a node."""
        first = {"a": 140, "b": 160}[rack]
        return self._host(first + self.number(name))

    def _host(self, number: int) -> str:
        return f"{GUIDE_NETWORK if self.bare else NETWORK}.{number}"

    def write(self) -> None:
        """Put the plan into the lab's directory."""
        text = json.dumps(asdict(self), indent=2)
        (self.directory / "lab.json").write_text(text + "\n")


def read(name: str) -> Plan:
    """The plan of a lab that is up; raises NotUp."""
    try:
        found = json.loads((RUN / name / "lab.json").read_text())
    except (OSError, ValueError):
        raise NotUp(f"the lab {name} is not up; start it with `lab up`") from None
    return Plan(**found)


def check(name: str, nodes: int, bare: bool = False) -> None:
    """Refuse what cannot be a lab; raises LabError."""
    if not NAME.match(name):
        raise LabError(
            f"{name!r} cannot be a lab's name: use up to 31 small letters, digits and -"
        )
    most = MOST_BARE if bare else MOST_NODES
    if not 1 <= nodes <= most:
        raise LabError(f"a lab has 1 to {most} nodes, not {nodes}")
