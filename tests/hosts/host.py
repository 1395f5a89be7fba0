"""A host from outside: its daemon, its files, its processes.

The tests look at processes through the machine's own /proc, by PID namespace, and never
through the agent under test or libvirt.
"""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from hosts.waiting import until

KEEPER = Path(__file__).with_name("keeper.py")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
COMMAND_S = 40
CERTIFICATES = "/run/pki"  # empty until a test fills it

QEMU_CONF = f"""\
security_driver = "none"
user = "root"
group = "root"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
remember_owner = 0
dynamic_ownership = 0
migrate_tls_x509_cert_dir = "{CERTIFICATES}"
"""
LIBVIRTD_CONF = """\
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_rw = "none"
host_uuid = "{uuid}"
"""


class Host:
    """One host; ``address`` is on the link to its peer, ``NAME-mig`` on a second net.

    Names resolve to both addresses of every host in ``hosts_file``.
    """

    def __init__(self, name: str, folder: Path, hosts_file: str) -> None:
        self.name = name
        self._daemon: subprocess.Popen[bytes] | None = None
        self._log = folder / "libvirtd.log"
        configuration = folder / "libvirt"
        configuration.mkdir(parents=True)
        (configuration / "qemu.conf").write_text(QEMU_CONF)
        text = LIBVIRTD_CONF.format(uuid=uuid.uuid4())
        (configuration / "libvirtd.conf").write_text(text)
        (folder / "hosts").write_text(hosts_file)
        apart = ("-m", "-u", "-n", "-i", "-p", "-f", "--mount-proc")
        keeper = ("/usr/bin/python3", "-I", str(KEEPER), name, str(folder))
        self._keeper = subprocess.Popen(
            ["unshare", *apart, "--kill-child=KILL", *keeper],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._keeper.stdout is not None
        assert self._keeper.stdout.readline() == b"ready\n", f"{name} did not come up"
        children = Path(f"/proc/{self._keeper.pid}/task/{self._keeper.pid}/children")
        self.pid = int(children.read_text().split()[0])
        self._space = os.readlink(f"/proc/{self.pid}/ns/pid")

    def path(self, inside: str) -> Path:
        """Where a file of the host is to be found from outside."""
        return Path(f"/proc/{self.pid}/root{inside}")

    def inside(self, argv: Sequence[str]) -> list[str]:
        """Return the command line that runs ``argv`` inside the host."""
        spaces = ("-m", "-u", "-n", "-i", "-p")
        return ["nsenter", "-t", str(self.pid), *spaces, "--", *argv]

    def run(
        self,
        *argv: str,
        check: bool = True,
        environ: Mapping[str, str] | None = None,
        timeout_s: float = COMMAND_S,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside the host to its end."""
        done = subprocess.run(
            self.inside(argv),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={"PATH": PATH, "LC_ALL": "C", **(environ or {})},
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(argv)}: {done.stderr or done.stdout}")
        return done

    def virsh(self, *argv: str, check: bool = True) -> str:
        """Run one virsh command and return what it printed."""
        done = self.run("virsh", "-q", "-c", "qemu:///system", *argv, check=check)
        return done.stdout.strip()

    def link_to(self, other: Host, number: int) -> None:
        """Lay a cable between two hosts; this one is .1 and the other .2."""
        peer = ["type", "veth", "peer", "name", "eth0", "netns", str(other.pid)]
        net = ["nsenter", "-t", str(self.pid), "-n"]
        subprocess.run([*net, "ip", "link", "add", "eth0", *peer], check=True)
        for host, last in ((self, 1), (other, 2)):
            for third in (0, 1):
                address = f"10.{number}.{third}.{last}/24"
                host.run("ip", "addr", "add", address, "dev", "eth0")
            host.run("ip", "link", "set", "eth0", "up")

    def start_libvirtd(self) -> None:
        """Start the daemon and wait until it answers."""
        log = self._log.open("ab")
        self._daemon = subprocess.Popen(
            self.inside(["/usr/sbin/libvirtd", "--listen"]),
            env={"PATH": PATH, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        until(30, self._answers, f"libvirtd of {self.name} does not answer")

    def _answers(self) -> bool:
        argv = ["virsh", "-q", "-c", "qemu:///system", "list"]
        return self.run(*argv, check=False).returncode == 0

    def libvirtd(self) -> int:
        """Return the daemon's process id as the machine sees it."""
        found = self.pids("/usr/sbin/libvirtd")
        assert len(found) == 1, f"libvirtd on {self.name}: {found}"
        return found[0]

    def signal_libvirtd(self, number: signal.Signals) -> None:
        """Send the daemon a signal; after SIGKILL, wait until it is gone."""
        os.kill(self.libvirtd(), number)
        if number == signal.SIGKILL:
            self._await_daemon()

    def revive(self) -> None:
        """Bring the daemon back, whatever a test has done to it."""
        for pid in self.pids("/usr/sbin/libvirtd"):
            os.kill(pid, signal.SIGCONT)
            self._wake_nsenter()
        if not self.pids("/usr/sbin/libvirtd"):
            self.start_libvirtd()

    def _wake_nsenter(self) -> None:
        """nsenter stops itself when its child is stopped, and stays so."""
        if self._daemon is not None:
            self._daemon.send_signal(signal.SIGCONT)

    def _await_daemon(self) -> None:
        if self._daemon is not None:
            self._wake_nsenter()
            self._daemon.wait(10)

    def pids(self, program: str) -> list[int]:
        """Return the living processes of the host whose first argument is this."""
        return [pid for pid, argv in self.processes() if argv[0] == program]

    def pids_inside(self, program: str) -> list[int]:
        """Return the same processes by the ids that the host itself knows them by."""
        found = self.run("pgrep", "-f", f"^{program}", check=False).stdout
        return [int(word) for word in found.split()]

    def emulators(self, guest_uuid: str) -> list[int]:
        """Return the QEMU processes that were started for a guest."""
        return [pid for pid, argv in self.processes() if guest_uuid in argv]

    def has_forgotten_the_dead(self) -> bool:
        """Tell whether libvirt lists no guest any more whose emulator has ended.

        It learns of that a moment later, and until then such a guest may be anybody's.
        """
        listed = self.virsh("list", "--uuid").split()
        return all(self.emulators(guest_uuid) for guest_uuid in listed)

    def processes(self) -> list[tuple[int, list[str]]]:
        """Return process ids (as the machine sees them) and arguments."""
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                if os.readlink(f"/proc/{name}/ns/pid") != self._space:
                    continue
                raw = Path(f"/proc/{name}/cmdline").read_bytes()
            except OSError:
                continue
            if raw:
                found.append((int(name), os.fsdecode(raw).split("\0")[:-1]))
        return found

    def end(self) -> None:
        """End the host and everything in it."""
        self._wake_nsenter()
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        try:
            self._keeper.wait(10)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait(10)
        if self._keeper.stdout is not None:
            self._keeper.stdout.close()
        self._await_daemon()
