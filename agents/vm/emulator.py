"""Emulators in the process table: the proof that works without libvirt.

Called when libvirt is silent, and before anybody says "not running". It knows QEMU by
the UUID that libvirt gives it on its command line; a process is held by a pidfd while
it is checked and ended, so that a reused process id is never signalled.
"""

from __future__ import annotations

import os
import select
import signal

from vmha.agents.protocol.deadline import Deadline

PROC = "/proc"
QEMU = "qemu"


class Emulator:
    """A living QEMU process with the guest's name and UUID it was given."""

    __slots__ = ("name", "pid", "uuid")

    def __init__(self, pid: int, name: str, uuid: str) -> None:
        self.pid = pid
        self.name = name
        self.uuid = uuid


class ProcessTable:
    """The process table of this node."""

    __slots__ = ("_folder",)

    def __init__(self, folder: str = PROC) -> None:
        self._folder = folder

    def emulators(self) -> list[Emulator] | None:
        """Return every living emulator, None when the table cannot be trusted.

        It cannot when /proc is unreadable, or when a QEMU is half dead: its first
        thread has ended while others hang in the kernel, and its arguments are gone.
        """
        try:
            pids = [int(name) for name in os.listdir(self._folder) if name.isdigit()]
        except OSError:
            return None
        found = []
        for pid in pids:
            argv = self._argv(pid)
            if not argv:
                if self._is_half_dead(pid):
                    return None
                continue
            emulator = _emulator(pid, argv)
            if emulator:
                found.append(emulator)
        return found

    def end(self, emulator: Emulator, deadline: Deadline, signal_number: int) -> bool:
        """Send a signal to an emulator and wait; tell whether it has gone.

        False when it still lives at the deadline (a process that hangs in the kernel
        survives SIGKILL until its disk answers).
        """
        try:
            pidfd = os.pidfd_open(emulator.pid)
        except ProcessLookupError:
            return True
        try:
            now = _emulator(emulator.pid, self._argv(emulator.pid))
            if now is None or now.uuid != emulator.uuid:
                return not self._is_half_dead(emulator.pid)
            signal.pidfd_send_signal(pidfd, signal_number)
            waiting = select.poll()
            waiting.register(pidfd, select.POLLIN)
            return bool(waiting.poll(deadline.remaining_s() * 1000))
        except ProcessLookupError:
            return True
        finally:
            os.close(pidfd)

    def _argv(self, pid: int) -> list[str]:
        try:
            with open(f"{self._folder}/{pid}/cmdline", "rb") as file:
                raw = file.read()
        except OSError:
            return []
        return [part.decode(errors="replace") for part in raw.split(b"\0")[:-1]]

    def _is_half_dead(self, pid: int) -> bool:
        """Tell a QEMU whose other threads live on from a plain zombie."""
        try:
            with open(f"{self._folder}/{pid}/status", encoding="utf-8") as file:
                lines = dict(line.split(":", 1) for line in file if ":" in line)
        except (OSError, UnicodeDecodeError):
            return False
        name = lines.get("Name", "").strip()
        threads = lines.get("Threads", "1").strip()
        return name.startswith(QEMU) and threads != "1"


def _emulator(pid: int, argv: list[str]) -> Emulator | None:
    """Return the emulator that a command line belongs to, if it is one.

    libvirt starts QEMU with ``-name guest=NAME,…`` (a comma in the name is doubled) and
    ``-uuid UUID``; the program's name is not looked at, since the definition chooses it.
    """
    options = dict(zip(argv[1:], argv[2:]))
    uuid = options.get("-uuid", "")
    if not uuid or "-name" not in options:
        return None
    name = options["-name"].replace(",,", "\0").split(",")[0].replace("\0", ",")
    return Emulator(pid, name[6:] if name.startswith("guest=") else name, uuid.lower())
