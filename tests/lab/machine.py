"""The machine around a node: from the power switch to the node's PID 1.

Started by the chassis program (the BMC's hand on the power switch) as a process of its
own:

    machine.py NODE_DIR [--after SECONDS]

waits as long as a real machine's self-test, makes the node's namespaces and mounts,
starts its PID 1 and stays until that has ended. Killing PID 1 is a power cut: the
kernel kills everything in its PID namespace before PID 1 is gone. A node that resets
itself (sysrq b, reboot) boots again; one that halts is off; one that crashes stays dead
with the power on, as hardware does. Never touches another node, and nothing outside
NODE_DIR.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab import namespaces as ns
from lab.plan import GROUP
from lab.processes import Process

OLD_NODE_GONE_S = 30.0
DEVICES = {
    "null": (1, 3),
    "zero": (1, 5),
    "full": (1, 7),
    "random": (1, 8),
    "urandom": (1, 9),
    "tty": (5, 0),
}
LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
PID_1 = ("/usr/bin/tini", "--", "/usr/bin/python3", "-I", "/run/lab/supervisor.py")
# A bare machine has what its distribution has. Told that it is in a container, systemd
# leaves alone what belongs to the machine: clocks, devices, the kernel's modules.
SYSTEMD = ("/sbin/init",)
CONTAINER = {"container": "vmha-lab"}
# What a hypervisor opens beside the usual: taps, and file systems in user space.
# What the lab has put into a node's network; it outlives the node's power.
CABLES = ("lo", "eth0")
MORE_DEVICES = {"net/tun": (10, 200), "fuse": (10, 229)}
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
    "TERM": "dumb",
}


class Machine:
    """One node's machine; ``directory`` holds its disk, its switches and its plan."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.plan = json.loads((directory / "plan.json").read_text())
        self.sysrq = directory / "sysrq"
        self.bare = self.plan.get("bare", False)

    def live(self, after_s: float) -> None:
        """From power on to the end of the node; then what its end calls for."""
        Process.me().write(self.directory / "machine")
        time.sleep(after_s)
        self._wait_for_old_node()
        keys = os.open(self.sysrq, os.O_RDWR | os.O_NONBLOCK)
        init = self._start_init()
        end = self._watch(init, keys)
        self._note(end)
        if end == "halted":
            (self.directory / "power").write_text("off\n")
        elif end == "reset":
            # The next child must not be born into the dead node's PID namespace.
            ns.join("/proc/self/ns/pid", ns.CLONE_NEWPID)
            again = [sys.executable, "-I", __file__, str(self.directory)]
            delay = str(self.plan["boot_delay_s"])
            os.execv(sys.executable, [*again, "--after", delay])  # noqa: S606

    def _wait_for_old_node(self) -> None:
        """Two systems must never write to the same disk."""
        old = Process.read(self.directory / "init")
        ends = time.monotonic() + OLD_NODE_GONE_S
        while old is not None and old.alive():
            if time.monotonic() > ends:
                sys.exit(f"{self.directory.name}: its old processes do not end")
            time.sleep(0.05)

    def _start_init(self) -> int:
        """Fork PID 1 of a new PID namespace; it waits until its pid is on record."""
        ns.unshare(ns.CLONE_NEWPID)
        waiting, go = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(go)
            self._become_node(waiting)
        os.close(waiting)
        Process.of(pid).write(self.directory / "init")
        os.write(go, b"!")
        os.close(go)
        self._note("booting")
        return pid

    def _become_node(self, waiting: int) -> None:
        try:
            ns.die_with_parent()
            if os.read(waiting, 1) != b"!":
                os._exit(1)
            ns.join(self.plan["network"], ns.CLONE_NEWNET)
            if self.bare:
                forget_links()
            ns.unshare(ns.CLONE_NEWNS | ns.CLONE_NEWUTS | ns.CLONE_NEWIPC)
            _set_hostname(self.plan["name"])
            self._mount()
            os.setsid()
            if self.bare:
                ns.give_up(ns.CAP_SYS_TIME, ns.CAP_SYS_MODULE)
            first, more = (SYSTEMD, CONTAINER) if self.bare else (PID_1, {})
            os.execve(first[0], list(first), {**ENVIRONMENT, **more})  # noqa: S606
        except BaseException as error:  # noqa: BLE001 - the last word of a lost child
            print(f"{self.directory.name} does not boot: {error}", flush=True)
        finally:
            os._exit(1)

    def _mount(self) -> None:
        """The node's own tree; nothing of the machine's stays in sight.

        Everything is private first, so that no mount or unmount reaches the machine.
        """
        root = str(self.directory / "root")
        ns.mount("none", "/", "", ns.MS_REC | ns.MS_PRIVATE)
        lower = ":".join(self.plan["lower"])
        upper, work = self.directory / "upper", self.directory / "work"
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        ns.mount("overlay", root, "overlay", 0, options)
        quiet = ns.MS_NOSUID | ns.MS_NODEV
        ns.mount("proc", f"{root}/proc", "proc", quiet)
        # sysrq works on the whole machine: what a node writes there ends in our pipe.
        # (Without sysrq in the kernel a node panics by reboot(2), which we see, too.)
        if os.path.exists(f"{root}/proc/sysrq-trigger"):
            ns.bind(str(self.sysrq), f"{root}/proc/sysrq-trigger")
        ns.bind(f"{root}/proc/sys", f"{root}/proc/sys", read_only=True)
        if self.bare:  # its network is its own, and libvirt makes it one that forwards
            ns.bind("/proc/sys/net", f"{root}/proc/sys/net")
        ns.mount("sysfs", f"{root}/sys", "sysfs", quiet | ns.MS_RDONLY)
        ns.mount("tmpfs", f"{root}/run", "tmpfs", quiet, "mode=755,size=256m")
        ns.mount("tmpfs", f"{root}/tmp", "tmpfs", quiet, "mode=1777,size=256m")
        self._devices(f"{root}/dev")
        if self.bare:
            self._control_groups(f"{root}/sys/fs/cgroup")
            self._claim_nfs(f"{root}/proc/filesystems")
        for source, target in self.plan["shared"].items():
            os.makedirs(root + target, exist_ok=True)
            ns.bind(source, root + target)
        if not self.bare:
            os.mkdir(f"{root}/run/lab")
            own = Path(__file__).with_name("supervisor.py").read_text()
            Path(f"{root}/run/lab/supervisor.py").write_text(own)
        ns.enter_root(root)

    def _devices(self, dev: str) -> None:
        ns.mount("tmpfs", dev, "tmpfs", ns.MS_NOSUID, "mode=755,size=1m")
        devices = {**DEVICES, **MORE_DEVICES} if self.bare else DEVICES
        os.mkdir(f"{dev}/net")
        for name, (major, minor) in devices.items():
            _node(f"{dev}/{name}", 0o020666, major, minor)
        for name, target in LINKS.items():
            os.symlink(target, f"{dev}/{name}")
        quiet = ns.MS_NOSUID | ns.MS_NODEV
        for name in ("pts", "shm"):
            os.mkdir(f"{dev}/{name}")
        terminals = "newinstance,ptmxmode=0666,mode=620,gid=5"
        ns.mount("devpts", f"{dev}/pts", "devpts", ns.MS_NOSUID, terminals)
        ns.mount("tmpfs", f"{dev}/shm", "tmpfs", quiet, "mode=1777,size=512m")

    def _claim_nfs(self, place: str) -> None:
        """Let a kernel without NFS say that it has it: the node mounts a stand-in."""
        said = Path("/proc/filesystems").read_text()
        if "\tnfs\n" not in said:
            own = self.directory / "filesystems"
            own.write_text(f"{said}nodev\tnfs\nnodev\tnfs4\n")
            ns.bind(str(own), place)

    def _control_groups(self, place: str) -> None:
        """The node's part of the unified hierarchy, which it takes for the whole."""
        ns.mount("cgroup2", place, "cgroup2", ns.MS_NOSUID | ns.MS_NODEV)
        own = Path(place, control_group(self.directory))
        own.mkdir(parents=True, exist_ok=True)
        (own / "cgroup.procs").write_text(f"{os.getpid()}\n")
        ns.unshare(ns.CLONE_NEWCGROUP)
        ns.unmount(place)
        ns.mount("cgroup2", place, "cgroup2", ns.MS_NOSUID | ns.MS_NODEV)

    def _watch(self, init: int, keys: int) -> str:
        """Wait for PID 1's end; a sysrq key ends it. Returns how it ended."""
        handle = os.pidfd_open(init)
        pressed = ""
        while True:
            ready, _, _ = select.select([handle, keys], [], [])
            if keys in ready:
                found = os.read(keys, 64).decode(errors="replace").strip()
                self._note(f"sysrq {found}")
                pressed = next((key for key in found if key in "bco"), pressed)
                if pressed:
                    os.kill(init, signal.SIGKILL)
            if handle in ready:
                break
        os.close(handle)
        _, status = os.waitpid(init, 0)
        by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        # reboot(2) in a PID namespace: RESTART shows as SIGHUP, HALT and POWER_OFF
        # as SIGINT.
        if pressed == "b" or by == signal.SIGHUP:
            return "reset"
        if pressed == "o" or by == signal.SIGINT:
            return "halted"
        return "crashed"

    def _note(self, what: str) -> None:
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        with (self.directory / "journal").open("a") as journal:
            journal.write(f"{now:.2f} {what}\n")


def control_group(node: Path) -> str:
    """The name of a node's control group on this machine."""
    return f"{GROUP}-{node.parent.parent.name}/{node.name}"


def forget_links() -> None:
    """Take away what the former boot has left in the network: bridges and taps."""
    for _, name in socket.if_nameindex():
        if name not in CABLES:
            gone = ["ip", "link", "delete", name]
            subprocess.run(gone, check=True, timeout=10, env=ENVIRONMENT)


def _node(path: str, mode: int, major: int, minor: int) -> None:
    os.mknod(path, mode, os.makedev(major, minor))
    os.chmod(path, mode & 0o7777)


def _set_hostname(name: str) -> None:
    with Path("/proc/sys/kernel/hostname").open("w") as file:
        file.write(name)


def main() -> None:
    directory = Path(sys.argv[1])
    after_s = float(sys.argv[3]) if sys.argv[2:3] == ["--after"] else 0.0
    Machine(directory).live(after_s)


if __name__ == "__main__":
    main()
