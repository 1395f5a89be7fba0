"""PID 2 of a node: starts the daemons and keeps them as their systemd units would.

Copied into every node and run there by the node's own Python, alone; it imports nothing
of the lab. It makes the packages' directories in /run, writes what is logged to
/dev/log to /var/log/messages with the time in microseconds, and takes orders from the
pipe /run/lab/control: ``start NAME`` or ``stop NAME``.
"""

from __future__ import annotations

import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
from datetime import datetime
from pathlib import Path

LOGS = Path("/var/log/lab")
CONTROL = Path("/run/lab/control")
FATAL = 100  # pacemakerd: do not start me again
CIB = Path("/var/lib/pacemaker/cib/cib.xml")
# A cluster that comes up has no DC yet and waits 20 s for word from one.
FIRST_SETTINGS = """\
<crm_config><cluster_property_set id="cib-bootstrap-options">
<nvpair id="lab-dc-deadtime" name="dc-deadtime" value="2s"/>
</cluster_property_set></crm_config>"""


class Service:
    """One daemon: how its unit starts it, and when it starts it again.

    ``restart_s`` is the pause before a restart after a failure; None means that the
    unit does not restart it. ``needs`` are started first, as Requires= and After= do.
    """

    def __init__(
        self,
        name: str,
        argv: list[str],
        restart_s: float | None,
        needs: tuple[str, ...] = (),
        defaults: str = "",
    ) -> None:
        self.name = name
        self.argv = argv
        self.restart_s = restart_s
        self.needs = needs
        self.defaults = defaults
        self.process: subprocess.Popen[bytes] | None = None
        self.due: float | None = None
        self.stopped = False

    def start(self) -> None:
        """Start the daemon unless it runs."""
        self.due = None
        if self.process is not None and self.process.poll() is None:
            return
        with (LOGS / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                env={**os.environ, **settings(Path(self.defaults))},
            )
        print(f"{self.name} started as {self.process.pid}", flush=True)

    def stop(self) -> None:
        """Ask the daemon to end; it is not started again by itself."""
        self.due = None
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGCONT)
        self.stopped = True

    def look(self) -> None:
        """Reap the daemon when it has ended and plan its restart."""
        if self.process is None or (code := self.process.poll()) is None:
            return
        print(f"{self.name} ended with {code}", flush=True)
        self.process = None
        failed = code not in (0, FATAL)
        if failed and self.restart_s is not None and not self.stopped:
            self.due = time.monotonic() + self.restart_s


def settings(file: Path) -> dict[str, str]:
    """The assignments of an EnvironmentFile."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return {}
    words = (line.partition("=") for line in lines if "=" in line)
    return {
        name.strip(): " ".join(shlex.split(value))
        for name, _, value in words
        if not name.lstrip().startswith("#")
    }


SERVICES = {
    service.name: service
    for service in (
        Service("libvirtd", ["/usr/sbin/libvirtd", "--listen"], 0.1),
        Service("corosync", ["/usr/sbin/corosync", "-f"], None),
        Service(
            "pacemaker",
            ["/usr/sbin/pacemakerd", "-f"],
            1.0,
            needs=("corosync",),
            defaults="/etc/default/pacemaker",
        ),
    )
}


def start(name: str) -> None:
    """Start a service and what it needs."""
    service = SERVICES[name]
    service.stopped = False
    for need in service.needs:
        start(need)
    service.start()


def order(line: str) -> None:
    """Carry out one line from the control pipe."""
    verb, _, name = line.strip().partition(" ")
    if name not in SERVICES:
        print(f"unknown order: {line!r}", flush=True)
    elif verb == "start":
        start(name)
    elif verb == "stop":
        SERVICES[name].stop()


def supervise(control: int) -> None:
    """Carry out orders and keep the daemons, for ever."""
    while True:
        readable, _, _ = select.select([control], [], [], 0.1)
        if readable:
            for line in os.read(control, 4096).decode().splitlines():
                order(line)
        for service in SERVICES.values():
            service.look()
            if service.due is not None and time.monotonic() >= service.due:
                start(service.name)


def make_run_directories() -> None:
    """What the packages want in /run at boot."""
    argv = ["systemd-tmpfiles", "--create", "--prefix=/run"]
    subprocess.run(argv, timeout=60, check=False)


def write_first_cib() -> None:
    """Give a node that has no configuration yet one that forms a cluster soon."""
    if CIB.exists():
        return
    asked = ["cibadmin", "--empty"]
    empty = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=9)
    text = empty.stdout.replace("<crm_config/>", FIRST_SETTINGS)
    CIB.touch(0o600)
    shutil.chown(CIB, "hacluster", "haclient")
    CIB.write_text(text)


def keep_log() -> None:
    """Be the node's syslog."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind("/dev/log")
    os.chmod("/dev/log", 0o666)  # noqa: S103 - everybody may log
    with open("/var/log/messages", "a", encoding="utf-8") as log:
        while True:
            said = door.recv(65536).decode(errors="replace").rstrip("\0\n")
            text = said.partition(">")[2]
            # "Nov 21 09:00:00 tag[pid]: text": our clock is finer than the sender's.
            if text[3:4] == " " and text[9:10] == ":":
                text = text[16:]
            now = datetime.now().isoformat(sep=" ", timespec="microseconds")
            log.write(f"{now} {text}\n")
            log.flush()


def main() -> None:
    """Boot the node."""
    LOGS.mkdir(parents=True, exist_ok=True)
    own = os.open(LOGS / "boot.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(own, 1)
    os.dup2(own, 2)
    make_run_directories()
    write_first_cib()
    os.mkfifo(CONTROL)
    control = os.open(CONTROL, os.O_RDWR)
    threading.Thread(target=keep_log, daemon=True).start()
    for name in ("libvirtd", "pacemaker"):
        start(name)
    supervise(control)


if __name__ == "__main__":
    main()
