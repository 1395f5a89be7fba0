"""Guests that boot ahead of the tests that want a running one.

A boot is two seconds of CPU; while one test waits for a deadline, the guests of the
next ones boot. They are created behind the agent's back: its start finds them running.
"""

from __future__ import annotations

import subprocess

from lab.guest import Guest

from hosts import guests
from hosts.host import Host

AHEAD = 3


class Pool:
    """Booted guests on one host; numbers the guests of a run, pooled or not."""

    def __init__(self, host: Host, *others: Host) -> None:
        self._host = host
        self._hosts = (host, *others)
        self._count = 0
        self._booting: list[tuple[Guest, subprocess.Popen[bytes]]] = []

    def defined(self, deaf: bool = False, dirty_mib: int = 0) -> Guest:
        """Return a new guest, its definition on every host, running nowhere."""
        self._count += 1
        guest = guests.define(f"g{self._count}", deaf=deaf, dirty_mib=dirty_mib)
        for host in self._hosts:
            guests.put_config(host, guest)
        return guest

    def running(self) -> Guest:
        """Return a guest that counts on the host."""
        while True:
            self._fill(1)
            guest, creating = self._booting.pop(0)
            creating.wait(30)
            if self._is_known(guest):
                guests.await_tick(self._host, guest)
                self._fill(AHEAD)
                return guest
            guests.end(self._host, guest)

    def drain(self) -> None:
        """End all guests that nobody has taken."""
        for guest, creating in self._booting:
            creating.wait(30)
            guests.end(self._host, guest)
        self._booting.clear()

    def _fill(self, number: int) -> None:
        while len(self._booting) < number:
            guest = self.defined()
            argv = ["virsh", "-q", "-c", "qemu:///system", "create"]
            creating = subprocess.Popen(
                self._host.inside([*argv, guests.config_path(guest)]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self._booting.append((guest, creating))

    def _is_known(self, guest: Guest) -> bool:
        """A test may have restarted the daemon without its memory."""
        state = self._host.virsh("domstate", guest.name, check=False)
        return state == "running"
