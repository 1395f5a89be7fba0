"""One node of the lab, as tests and the command see it.

A node is reached from outside through its PID 1's namespaces; a command in it ends at
its time limit even when it hangs. Its disk is the directory ``upper`` and stays when
the power goes, so logs and consoles can be read from a dead node.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import network
from .bmc import Bmc
from .commands import Result, run
from .errors import NotUp, TimedOut
from .guest import guest_name
from .processes import Process, spawn, wait_ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .plan import Plan

# What `timeout` answers when it had to end the program: TERM, KILL.
TIMED_OUT = (124, 137)
KDUMP_SEND = "/usr/libexec/fence-agents/fence_kdump_send"
DAEMONS = ("libvirtd", "corosync", "pacemakerd", "pacemaker-contr", "qemu-system-x86")


class Node:
    """A node: its commands, its cable, its power."""

    def __init__(self, plan: Plan, name: str) -> None:
        self._plan = plan
        self.name = name
        self.address = plan.address(name)
        self.directory = plan.node_directory(name)
        self.bmc = Bmc(plan, name)

    def __repr__(self) -> str:
        return f"Node({self._plan.name}/{self.name})"

    @property
    def disk(self) -> Path:
        """What the node has written to its disk: a tree that starts at its ``/``."""
        return self.directory / "upper"

    def init(self) -> Process | None:
        """The node's PID 1 as the machine sees it, or None when it does not run."""
        found = Process.read(self.directory / "init")
        return found if found is not None and found.alive() else None

    def path(self, inside: str) -> Path:
        """Where a file of the running node is found from outside (private, live)."""
        return Path(f"/proc/{self._init().pid}/root") / inside.lstrip("/")

    def run(
        self,
        argv: Sequence[str],
        timeout: float = 30.0,
        check: bool = True,
        stdin: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> Result:
        """Run a program in the node, for at most ``timeout`` seconds.

        Raises CommandFailed for a non-zero exit (unless ``check`` is false), TimedOut,
        and NotUp when the node does not run.
        """
        limited = ["timeout", "-k", "1", f"{timeout:g}", *argv]
        entered = self.command(limited)
        result = run(entered, timeout + 5, check=False, stdin=stdin, environ=environ)
        result.argv = [f"{self.name}:", *argv]
        if result.code in TIMED_OUT:
            raise TimedOut(f"`{' '.join(result.argv)}` ran into its {timeout:g} s")
        return result.checked() if check else result

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs ``argv`` in the node, with this terminal."""
        init = self._init()
        enter = [
            "nsenter",
            "-t",
            str(init.pid),
            "-m",
            "-u",
            "-i",
            "-n",
            "-p",
            "-r",
            "-w",
        ]
        return [*enter, "--", *argv]

    def cut(self) -> None:
        """Pull the node's cable: cluster, migration and BMC traffic all stop."""
        network.cut(self._plan, self.name)

    def heal(self) -> None:
        """Plug the node's cable in again."""
        network.heal(self._plan, self.name)

    def is_cut(self) -> bool:
        return network.is_cut(self._plan, self.name)

    def power(self) -> str:
        """``on`` or ``off`` as the BMC sees it."""
        return self.bmc.power()

    def power_off(self) -> None:
        """Cut the power; returns when the node's last process is gone."""
        self.bmc.switch("off")

    def power_on(self) -> None:
        """Press the switch; the node boots when its self-test is over."""
        self.bmc.switch("on")

    def crash(self, tells: Sequence[str] = ()) -> None:
        """Let the kernel panic: all is dead, the power stays on (sysrq c).

        With ``tells``, a crash kernel runs then and tells these addresses so, as
        kdump's does, until the power is cut.
        """
        init = self._init()
        keys = os.open(self.directory / "sysrq", os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(keys, b"c\n")
        finally:
            os.close(keys)
        wait_ended(init)
        if tells:
            root = ["chroot", self._plan.lower[-1], KDUMP_SEND, "-f", "ipv4", "-i", "1"]
            argv = ["nsenter", f"--net={self._plan.network(self.name)}", "--", *root]
            kernel = spawn([*argv, *tells], self.directory / "kdump.log")
            kernel.write(self.directory / "kdump")

    def service(self, verb: str, name: str) -> None:
        """``start`` or ``stop`` libvirtd, corosync or pacemaker, and keep it so."""
        control = os.open(self.path("/run/lab/control"), os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(control, f"{verb} {name}\n".encode())
        finally:
            os.close(control)

    def recover(self) -> None:
        """Let the node's daemons go on and see that all of them run."""
        for daemon in DAEMONS:
            for pid in self.pids(daemon):
                Process.of(pid).signal(signal.SIGCONT)
        for name in ("libvirtd", "pacemaker"):
            self.service("start", name)

    def guests(self) -> list[str]:
        """The guests whose QEMU exists on the node, running or not."""
        found = []
        for pid in self.pids("qemu-system-x86_64"):
            try:
                words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
            except OSError:
                continue
            name = guest_name(words.split("\0"))
            found += [name] if name else []
        return sorted(found)

    def pids(self, name: str) -> list[int]:
        """The pids, as the machine sees them, of the node's processes of this name.

        For faults: SIGKILL or SIGSTOP to libvirtd or to a guest's QEMU.
        """
        own = os.stat(f"/proc/{self._init().pid}/ns/pid").st_ino
        found = []
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/comm", encoding="utf-8") as file:
                    comm = file.read().strip()
                if comm == name[:15] and os.stat(f"/proc/{entry}/ns/pid").st_ino == own:
                    found.append(int(entry))
            except OSError:
                continue
        return found

    def wait_booted(self, timeout_s: float = 30.0) -> None:
        """Wait until the node runs and its supervisor, or systemd, takes orders."""
        door = "run/systemd/private" if self._plan.bare else "run/lab/control"
        ends = time.monotonic() + timeout_s
        while True:
            init = self.init()
            if init is not None and os.path.exists(f"/proc/{init.pid}/root/{door}"):
                if self._plan.bare:  # "degraded" is an end of its boot, too
                    boot = ["systemctl", "is-system-running", "--wait"]
                    self.run(boot, timeout_s, check=False)
                return
            if time.monotonic() > ends:
                said = self.console()[-300:].strip() or "nothing"
                raise TimedOut(
                    f"{self.name} has not booted after {timeout_s:g} s; "
                    f"its console says: {said}"
                )
            time.sleep(0.05)

    def console(self) -> str:
        """What the node's machine said while it booted."""
        try:
            return (self.directory / "console").read_text()
        except OSError:
            return ""

    def _init(self) -> Process:
        found = self.init()
        if found is None:
            raise NotUp(f"{self.name} does not run (its power is {self.power()})")
        return found
