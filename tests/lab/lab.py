"""The Lab: a cluster that comes up, is used, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import events, files, network, root, sweep
from . import plan as plans
from .cache import CACHE, hold
from .cluster import Cluster
from .commands import run
from .errors import LabError, NotUp
from .guest import Guest, Image, image
from .node import Node
from .progress import Progress
from .rack import Rack
from .requirements import require
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from .plan import Plan

LOCK_S = 1800.0
RECOVER_S = 120.0

KEPT_LOGS = ("var/log/messages", "var/log/pacemaker/pacemaker.log")


class Lab:
    """A named lab; see the package's docstring for how it is used.

    ``debs`` are the suite's packages, installed in every node. ``boot_delay_s`` is the
    self-test of a node that is switched on; ``token_ms`` is Corosync's token. ``bare``
    machines have systemd and sshd, no cluster and no hypervisor, and the addresses of
    the guides.
    """

    def __init__(
        self,
        name: str = "vmha",
        nodes: int = 3,
        suite: str = "bookworm",
        debs: Sequence[str | Path] = (),
        boot_delay_s: float = plans.BOOT_DELAY_S,
        token_ms: int = 1000,
        progress: Progress | None = None,
        bare: bool = False,
    ) -> None:
        plans.check(name, nodes, bare)
        self.progress = progress or Progress(None)
        self._plan = plans.Plan(
            name=name,
            nodes=nodes,
            suite=suite,
            boot_delay_s=boot_delay_s,
            token_ms=token_ms,
            debs=[str(Path(deb).resolve()) for deb in debs],
            bare=bare,
        )
        self._use(self._plan)

    @classmethod
    def find(cls, name: str = "vmha", progress: Progress | None = None) -> Lab:
        """The lab of this name that is up; raises NotUp."""
        found = plans.read(name)
        lab = cls(name, found.nodes, found.suite, progress=progress)
        lab._use(found)
        return lab

    def _use(self, plan: Plan) -> None:
        self._plan = plan
        self.name = plan.name
        self.directory = plan.directory
        self.nodes = [Node(plan, name) for name in plan.names()]
        self.cluster = Cluster(self.nodes)
        self.racks: dict[str, Rack] = {}
        self._reader = events.Reader(self.nodes)

    def __enter__(self) -> Lab:
        self.up()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()

    def node(self, name: str) -> Node:
        """A node by its name; raises NoSuchNode."""
        return self.nodes[self._plan.number(name) - 1]

    def rack(self, name: str) -> Rack:
        """The rack controller ``a`` or ``b``; it is built in when first asked for."""
        if name not in self.racks:
            self.racks[name] = Rack(self._plan, name)
            self.racks[name].start()
        return self.racks[name]

    def part(self) -> None:
        """The nodes no longer reach each other; all of them reach the BMCs."""
        network.part(self._plan)

    def join(self) -> None:
        """The nodes reach each other again."""
        network.join(self._plan)

    def up(self) -> None:
        """Bring the lab up and wait for its cluster; one that is up stays as it is."""
        require(self.progress)
        with self._alone():
            if self._is_up():
                self.progress.say(f"the lab {self.name} is up already")
                return
            sweep.sweep(self.directory)
            try:
                self._build()
            except BaseException:
                if not os.environ.get("VMHA_LAB_KEEP"):
                    sweep.sweep(self.directory)
                raise

    def down(self) -> None:
        """Take the lab away: processes, namespaces, mounts, directory."""
        with self._alone(), self.progress.step(f"taking the lab {self.name} away"):
            sweep.sweep(self.directory)

    def image(self) -> Image:
        """The guest's kernel and initramfs as the nodes see them."""
        return Image(Path("/shared/guest/vmlinuz"), Path("/shared/guest/initrd.img"))

    def guest(self, name: str, deaf: bool = False, append: str = "") -> Guest:
        """A guest, defined by a file of its own on every node (see ``guest_file``)."""
        serial = f"{files.SERIALS}/{name}.serial"
        guest = Guest(name, self.image(), serial, deaf=deaf, append=append)
        for node in self.nodes:
            file = node.disk if node.init() is None else node.path("/")
            (file / self.guest_file(name)[1:]).write_text(guest.xml())
        return guest

    @staticmethod
    def guest_file(name: str) -> str:
        """The path of a guest's definition; every node has its own copy."""
        return f"{files.GUESTS}/{name}.xml"

    def configure(self, guests: Sequence[str], peers: bool = False) -> None:
        """Fencing for every node, and a resource for each of these guests.

        With the suite's agents, or with ``peers`` fence_ipmilan and VirtualDomain. What
        is configured already stays. Returns when all of them run; raises LabError with
        the cluster's own words when one does not.
        """
        known = self.cluster.resources()
        self.cluster.stay_put()
        for node in self.nodes:
            if f"fence-{node.name}" not in known:
                self.cluster.add_fencing(node, peers)
        for name in guests:
            if name not in known:
                self.guest(name)
                self.cluster.add_guest(name, self.guest_file(name), peers)
        self.wait_idle()
        devices = [f"fence-{node.name}" for node in self.nodes]
        self.cluster.check_running([*devices, *guests])

    def recover(self, timeout_s: float = RECOVER_S) -> None:
        """Undo every fault: cables in, power on, BMCs and daemons well, all idle."""
        self.join()
        for rack in self.racks.values():
            rack.recover()
        for node in self.nodes:
            node.heal()
            node.bmc.recover()
        ends_s = time.monotonic() + timeout_s
        while True:
            try:
                self._revive(timeout_s)
                break
            except NotUp:  # a fencing under way has taken its power meanwhile
                if time.monotonic() > ends_s:
                    raise
        self.cluster.wait_online(timeout_s=timeout_s)
        self.wait_idle(timeout_s)

    def _revive(self, timeout_s: float) -> None:
        for node in self.nodes:
            if node.power() == "off":
                node.power_on()
        for node in self.nodes:
            node.wait_booted(timeout_s)
            node.recover()

    def has_suite(self) -> bool:
        """Whether the suite's own packages are installed in the nodes."""
        agent = "usr/lib/ocf/resource.d/vmha/VirtualMachine"
        return any((Path(lower) / agent).exists() for lower in self._plan.lower)

    def watch(self) -> Watch:
        """A witness for what executes where; use it in a with statement."""
        return Watch(self.nodes)

    def story(self) -> events.Story:
        """What the nodes' logs and the BMCs' journals tell up to now."""
        return self._reader.story()

    def status(self) -> dict[str, Any]:
        """The lab as `lab status --json` shows it."""
        online = self.cluster.online()
        return {
            "name": self.name,
            "suite": self._plan.suite,
            "dc": self.cluster.dc(),
            "nodes": [
                {
                    "name": node.name,
                    "address": node.address,
                    "bmc": node.bmc.address,
                    "power": node.power(),
                    "running": node.init() is not None,
                    "cut": node.is_cut(),
                    "online": node.name in online,
                    "guests": node.guests(),
                }
                for node in self.nodes
            ],
        }

    def wait_idle(self, timeout_s: float = 120.0) -> None:
        """Wait until the cluster's DC has nothing left to do."""
        self.cluster.wait_idle(timeout_s)

    def keep_logs(self, folder: Path) -> None:
        """Copy what every node has written to where it outlives the lab."""
        for node in self.nodes:
            for name in KEPT_LOGS:
                source = node.disk / name
                if source.exists():
                    folder.mkdir(parents=True, exist_ok=True)
                    shutil.copy(source, folder / f"{node.name}-{source.name}")

    def _is_up(self) -> bool:
        """Whether a lab of this name runs; raises LabError when it is another one."""
        if not (self.directory / "ready").exists():
            return False
        found = plans.read(self.name)
        lab = Lab.find(self.name)
        beating = [node.bmc.process() for node in lab.nodes]
        if not all(process and process.alive() for process in beating):
            return False
        asked = (self._plan.nodes, self._plan.suite)
        if asked != (found.nodes, found.suite):
            raise LabError(
                f"the lab {self.name} is up with {found.nodes} nodes of {found.suite}; "
                "take it down first, or give the new one another --name"
            )
        if self._plan.debs and self._lower(found.suite) != found.lower:
            raise LabError(
                f"the lab {self.name} is up with other packages; take it down first"
            )
        self._use(found)
        return True

    def _lower(self, suite: str) -> list[str]:
        wanted = root.BARE if self._plan.bare else None
        base = root.base(suite, self.progress, wanted=wanted)
        if not self._plan.debs:
            return [str(base)]
        debs = [Path(deb) for deb in self._plan.debs]
        return [str(root.layer(base, debs, self.progress)), str(base)]

    def _build(self) -> None:
        asked = self._plan
        made = {**vars(asked), "lower": self._lower(asked.suite)}
        self._use(plans.Plan(**made))
        own = image()
        with self.progress.step(f"booting {asked.nodes} nodes"):
            self.directory.mkdir(parents=True)
            tmpfs = ["mount", "-t", "tmpfs", "-o", "mode=755", "vmha-lab"]
            run([*tmpfs, str(self.directory)], 20)
            shutil.copytree(own.kernel.parent, self._plan.shared / "guest")
            here = Path(__file__).parent
            shutil.copy(here / "chassis", self.directory / "chassis")
            network.build(self._plan)
            self._plan.write()
            for node in self.nodes:
                self._prepare(node)
            for node in self.nodes:
                node.bmc.set_boot_delay(0)
                node.power_on()
            for node in self.nodes:
                node.wait_booted()
                node.bmc.set_boot_delay(asked.boot_delay_s)
        if not asked.bare:
            with self.progress.step("waiting for the cluster to form"):
                self.cluster.wait_online(seen=self.progress.life)
                self.cluster.ignore_load()
        (self.directory / "ready").touch()

    def _prepare(self, node: Node) -> None:
        directory = node.directory
        for name in ("upper", "work", "root"):
            (directory / name).mkdir(parents=True)
        os.mkfifo(directory / "sysrq")
        own = {
            "name": node.name,
            "network": str(self._plan.network(node.name)),
            "lower": self._plan.lower,
            "shared": {str(self._plan.shared): "/shared"},
            "boot_delay_s": self._plan.boot_delay_s,
            "bare": self._plan.bare,
        }
        (directory / "plan.json").write_text(json.dumps(own))
        files.install(self._plan, node.name)
        node.bmc.prepare()
        node.bmc.start()

    def _alone(self) -> AbstractContextManager[None]:
        """One up or down of a lab at a time; the lock stays in the cache."""
        lock = CACHE / f".lab-{self.name}.lock"
        return hold(lock, LOCK_S, self.progress.life)
