"""The cluster on the nodes: is it whole, is it idle, and its tools.

Asks through a node that runs and whose cable is in. Never changes the cluster except
through ``run``, ``pcs`` and ``cibadmin``, which are the caller's own words.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from .errors import LabError, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .commands import Result
    from .node import Node

FORM_S = 120.0


class Cluster:
    """Pacemaker as seen from any node that can speak for it."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes

    def speaker(self) -> Node:
        """A running node whose cable is in; raises LabError when there is none."""
        for node in self._nodes:
            if node.init() is not None and not node.is_cut():
                return node
        raise LabError("no node of the lab runs with its cable in")

    def run(self, argv: Sequence[str], timeout_s: float = 60.0) -> Result:
        """Run one of the cluster's tools on a node that can speak for the cluster."""
        return self.speaker().run(argv, timeout_s)

    def pcs(self, *words: str, timeout_s: float = 60.0) -> str:
        """``pcs`` with these words; its output."""
        return self.run(["pcs", *words], timeout_s).stdout

    def status(self, timeout_s: float = 15.0) -> ElementTree.Element:
        """crm_mon's view, as XML; raises LabError when the cluster does not answer."""
        said = self.run(["crm_mon", "--output-as=xml", "--inactive"], timeout_s)
        return ElementTree.fromstring(said.stdout)  # noqa: S314

    def online(self) -> list[str]:
        """The nodes that Pacemaker counts as online; none while it does not answer."""
        try:
            nodes = self.status().iterfind("./nodes/node")
        except (LabError, ElementTree.ParseError):
            return []
        return [node.get("name", "") for node in nodes if node.get("online") == "true"]

    def where(self, resource: str) -> list[str]:
        """The nodes on which Pacemaker believes a resource to run."""
        path = f".//resource[@id='{resource}']/node"
        return [node.get("name", "") for node in self.status().iterfind(path)]

    def resources(self) -> list[str]:
        """The ids of the configured resources and fencing devices."""
        found = self.status().iterfind("./resources//resource")
        return [resource.get("id", "") for resource in found]

    def add_fencing(self, node: Node, peers: bool = False) -> None:
        """A fencing device for a node over its BMC (``fence-NODE``)."""
        agent = ["fence_ipmilan", "lanplus=1", "cipher=3"]
        self.pcs(
            "stonith",
            "create",
            f"fence-{node.name}",
            *(agent if peers else ["fence_vmha_ipmi"]),
            f"ip={node.bmc.address}",
            f"username={node.bmc.user}",
            f"password={node.bmc.password}",
            f"pcmk_host_list={node.name}",
            "pcmk_action_limit=-1",  # fencing does not queue behind a hung monitor
        )

    def add_guest(self, name: str, config: str, peers: bool = False) -> None:
        """A resource for a guest that may live-migrate over TCP."""
        self.pcs(
            "resource",
            "create",
            name,
            "ocf:heartbeat:VirtualDomain" if peers else "ocf:vmha:VirtualMachine",
            f"config={config}",
            "migration_transport=tcp",
            "meta",
            "allow-migrate=true",
        )

    def check_running(self, resources: Sequence[str]) -> None:
        """Raise LabError with the failed actions unless each runs on one node."""
        lost = [name for name in resources if len(self.where(name)) != 1]
        if not lost:
            return
        failures = [
            f"{failure.get('op_key')} on {failure.get('node')}: "
            f"{failure.get('exitreason') or failure.get('exitstatus')}"
            for failure in self.status().iterfind("./failures/failure")
        ]
        raise LabError(
            f"the cluster does not run {', '.join(lost)}: "
            f"{'; '.join(failures) or 'and shows no failed action'}"
        )

    def ignore_load(self) -> None:
        """Tell Pacemaker not to hold actions back because of the load average.

        What a node reads there is the load of the whole machine, which all nodes share
        with their guests' emulators: it says nothing about the node.
        """
        self.pcs("property", "set", "load-threshold=1000%")

    def stay_put(self) -> None:
        """Give every resource the stickiness that ``pcs cluster setup`` gives it.

        Without it Pacemaker moves guests for mere balance, whenever anything changes:
        a scenario then meets migrations that it did not ask for.
        """
        self.pcs("resource", "defaults", "update", "resource-stickiness=1")

    def dc(self) -> str:
        """The node that decides, or an empty string while there is none."""
        try:
            found = self.status().find("./summary/current_dc")
        except (LabError, ElementTree.ParseError):
            return ""
        return found.get("name", "") if found is not None else ""

    def is_idle(self) -> bool:
        """Whether the DC has nothing to do and nothing under way."""
        dc = self.dc()
        if not dc:
            return False
        said = self.speaker().run(["crmadmin", "--status", dc], 20, check=False)
        return "S_IDLE" in said.stdout

    def wait_online(
        self,
        nodes: Sequence[str] = (),
        timeout_s: float = FORM_S,
        seen: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Wait until these nodes (none named: all) are online and the DC is idle."""
        wanted = set(nodes or (node.name for node in self._nodes))

        def done() -> bool:
            online = set(self.online())
            seen(f"online: {' '.join(sorted(online)) or 'none'}")
            return wanted <= online and self.is_idle()

        _wait(done, timeout_s, f"{', '.join(sorted(wanted))} to be online and idle")

    def wait_idle(self, timeout_s: float = 120.0) -> None:
        """Wait until the DC is idle, seen three times so a short pause is not it."""
        calm = 0

        def done() -> bool:
            nonlocal calm
            calm = calm + 1 if self.is_idle() else 0
            return calm >= 3

        try:
            _wait(done, timeout_s, "the cluster to be idle")
        except TimedOut as error:
            shown = self.speaker().run(["crm_mon", "-1", "-r", "-f"], 20, check=False)
            raise TimedOut(f"{error}\n{shown.stdout}") from error

    def wait_running(self, resource: str, timeout_s: float = 60.0) -> str:
        """Wait until Pacemaker believes the resource to run on one node; that node."""
        _wait(
            lambda: len(self.where(resource)) == 1,
            timeout_s,
            f"{resource} to run on one node",
        )
        return self.where(resource)[0]

    def wait_where(
        self, resource: str, nodes: Sequence[str], timeout_s: float = 60.0
    ) -> None:
        """Wait until Pacemaker believes the resource to run on exactly these nodes."""
        _wait(
            lambda: sorted(self.where(resource)) == sorted(nodes),
            timeout_s,
            f"{resource} to run on {', '.join(nodes) or 'no node'}",
        )


def _wait(done: Callable[[], bool], timeout_s: float, what: str) -> None:
    ends = time.monotonic() + timeout_s
    while True:
        try:
            if done():
                return
            seen = ""
        except LabError as error:
            seen = f"; last seen: {error}"
        if time.monotonic() > ends:
            raise TimedOut(f"waited {timeout_s:g} s for {what}{seen}")
        time.sleep(0.2)
