"""PID 1 of a host; run as a program by ``host``, inside fresh namespaces.

``keeper.py NAME FOLDER`` covers what two hosts must not share, says "ready" and reaps
orphans (libvirt waits for ever on a QEMU zombie). It ends when its standard input
closes, which is when the test run ends, however that ends; everything in the host dies
with it.
"""

from __future__ import annotations

import os
import random
import select
import signal
import socket
import subprocess
import sys

COVERED = ("/run", "/var/lib/libvirt", "/var/log/libvirt", "/var/cache/libvirt")
BOUND = {"libvirt": "/etc/libvirt", "hosts": "/etc/hosts"}
MADE = (
    "/run/lock",
    "/run/libvirt",
    "/run/guests",
    "/run/serial",
    "/run/containers",
    "/run/pki",
    "/run/resource-agents",
)


def main() -> None:
    """Set the host up and keep it until the test run lets go."""
    name, folder = sys.argv[1:]
    socket.sethostname(name)
    for place in COVERED:
        os.makedirs(place, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", "mode=755", "vmha-test", place)
    for source, place in BOUND.items():
        _run("mount", "--bind", f"{folder}/{source}", place)
    for place in MADE:
        os.makedirs(place)
    _run("ip", "link", "set", "lo", "up")
    # libvirt's lxc driver wants version 1 alone, where a machine has both.
    subprocess.run(
        ["umount", "/sys/fs/cgroup/unified"], check=False, capture_output=True
    )
    # It names a container's cgroup by process id and name, and hosts share cgroups.
    with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as last:
        last.write(str(random.randrange(1_000, 25_000)))
    print("ready", flush=True)
    _keep()


def _keep() -> None:
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        readable, _, _ = select.select([0, woken.fileno()], [], [])
        if 0 in readable and not os.read(0, 1):
            return
        if woken.fileno() in readable:
            woken.recv(4096)
        _reap()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, timeout=30)


if __name__ == "__main__":
    main()
