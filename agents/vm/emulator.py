"""Emulators in the process table: the proof that works without libvirt.

Called when libvirt is silent, and before anybody says "not running". It knows QEMU by
the UUID that libvirt gives it on its command line, and containers as ``container``
says; a process is held by a pidfd while it is checked and ended, so that a reused
process id is never signalled.
"""

from __future__ import annotations

import os
import select
import signal
import time

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.vm.container import Container, Containers

PROC = "/proc"
QEMU = "qemu"
LXC = "lxc"
_KTHREADD = "2"  # the parent of kernel threads, such as kvm-pit
_QEMU_NAMES = ("qemu-system", "qemu-kvm", "kvm")  # not qemu-img, qemu-nbd
# libvirt runs QEMU as root, as a system user, or as whom qemu.conf names. The half-dead
# process of any other person must not make every stop on the node fail (Debian Policy
# 9.2.2, login.defs: UID_MIN, nobody).
_PERSONS = range(1000, 60000)
_NOBODY = 65534
_DEAD = ("Z", "X")  # proc(5), State


class Emulator:
    """A living process that executes a guest, or for a container its two.

    ``uuid`` is "" for a container of which only the name is known, ``name`` too for one
    of which nothing is. ``init`` is a container's first process, 0 where there is none;
    ``pid`` is its controller, or that first process where the controller has died.
    ``is_libvirts`` tells that it was started the way libvirt does, so that it may be
    ended as the guest's.
    """

    __slots__ = ("driver", "init", "is_libvirts", "name", "pid", "uuid")

    def __init__(
        self,
        pid: int,
        driver: str,
        name: str,
        uuid: str,
        is_libvirts: bool,
        init: int = 0,
    ) -> None:
        self.pid = pid
        self.driver = driver
        self.name = name
        self.uuid = uuid
        self.is_libvirts = is_libvirts
        self.init = init

    @property
    def label(self) -> str:
        """Return what it is called where nobody asked for it by name."""
        return self.uuid or self.name or f"a container (process {self.pid})"

    def is_same(self, other: Emulator | None) -> bool:
        """Tell whether another look at a process has shown the same guest."""
        if other is None:
            return False
        ours = (self.pid, self.init, self.driver, self.uuid)
        return ours == (other.pid, other.init, other.driver, other.uuid)


class ProcessTable:
    """The process table of this node; ``configuration`` is libvirt's qemu.conf."""

    __slots__ = ("_configuration", "_folder")

    def __init__(self, folder: str = PROC, configuration: str = "") -> None:
        self._folder = folder
        self._configuration = configuration

    def emulators(self, of_anybody: bool = False) -> list[Emulator] | None:
        """Return every living emulator, None when the table cannot be trusted.

        It cannot when /proc is unreadable, or when a QEMU is half dead: its first
        thread has ended while others hang in the kernel, and its arguments are gone.
        ``of_anybody``: also when it is a person's, as a session's libvirt has them.
        """
        try:
            pids = [int(name) for name in os.listdir(self._folder) if name.isdigit()]
        except OSError:
            return None
        containers = Containers(self._folder)
        found, controllers, inside = [], {}, []
        for pid in pids:
            if containers.is_inside(pid):
                inside.append(pid)
            argv = self._argv(pid)
            if not argv:
                if self._is_half_dead(pid, of_anybody):
                    return None
                continue
            emulator = _emulator(pid, argv)
            claims = emulator is not None and not emulator.is_libvirts
            # libvirt's own are never left out, whoever they run as.
            if claims and _is_a_persons(self._status(pid)):
                continue
            if emulator is not None and emulator.driver == LXC:
                controllers[pid] = emulator.name
            elif emulator is not None:
                found.append(emulator)
        lxc = containers.living(controllers, inside) if controllers or inside else []
        return found + [_of_container(container) for container in lxc]

    def age_s(self, pid: int) -> float | None:
        """Return how long a process has run, None where that cannot be told.

        Source: proc(5), /proc/PID/stat, field 22, in clock ticks since the boot.
        """
        try:
            with open(f"{self._folder}/{pid}/stat", encoding="utf-8") as file:
                fields = file.read().rpartition(")")[2].split()
            born_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return None
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - born_s
        return max(0.0, age_s) if age_s > -1 else None

    def end(self, emulator: Emulator, deadline: Deadline, signal_number: int) -> bool:
        """Send a signal to an emulator and wait; tell whether it has gone.

        False when it still lives at the deadline (a process that hangs in the kernel
        survives SIGKILL until its disk answers).
        """
        if emulator.driver == LXC:
            return self._end_container(emulator, deadline, signal_number)
        try:
            pidfd = os.pidfd_open(emulator.pid)
        except ProcessLookupError:
            return True
        try:
            argv = self._argv(emulator.pid)
            now = _emulator(emulator.pid, argv) if argv else None
            if now is None or now.uuid != emulator.uuid:
                return not self._is_half_dead(emulator.pid, of_anybody=True)
            if not now.is_libvirts:
                return False
            signal.pidfd_send_signal(pidfd, signal_number)
            return _wait([pidfd], deadline)
        except ProcessLookupError:
            return True
        finally:
            os.close(pidfd)

    def _end_container(
        self, emulator: Emulator, deadline: Deadline, signal_number: int
    ) -> bool:
        """End a container's first process, with which all others go, and what is left.

        SIGTERM goes to the first process only, which may take it as a wish. On SIGKILL
        the controller is given a moment to clean up behind it.
        """
        pids = [pid for pid in (emulator.init, emulator.pid) if pid]
        pidfds = [fd for fd in map(_opened, dict.fromkeys(pids)) if fd is not None]
        if not pidfds:
            return True
        try:
            now = self.emulators()
            if now is None or not any(emulator.is_same(other) for other in now):
                return _wait(pidfds, deadline.part(0))
            _send(pidfds[0], signal_number)
            if signal_number == signal.SIGKILL:
                Containers(self._folder).thaw(pids[0])
                if _wait(pidfds, deadline.part(deadline.remaining_s() / 2)):
                    return True
                _send(pidfds[-1], signal_number)
            return _wait(pidfds, deadline)
        finally:
            for pidfd in pidfds:
                os.close(pidfd)

    def _argv(self, pid: int) -> list[str]:
        try:
            with open(f"{self._folder}/{pid}/cmdline", "rb") as file:
                raw = file.read()
        except OSError:
            return []
        return [part.decode(errors="replace") for part in raw.split(b"\0")[:-1]]

    def _is_half_dead(self, pid: int, of_anybody: bool) -> bool:
        """Tell a QEMU that the kernel still holds from a plain zombie.

        Its memory, and with it its arguments, is gone; it may still be waiting for a
        disk to take its last writes.
        """
        lines = self._status(pid)
        if lines.get("PPid", "").strip() == _KTHREADD:
            return False
        name = lines.get("Name", "").strip()
        threads = lines.get("Threads", "1").strip()
        is_dead = lines.get("State", "").strip()[:1] in _DEAD and threads == "1"
        if is_dead or not name.startswith(_QEMU_NAMES):
            return False
        return of_anybody or not _is_a_persons(lines) or self._is_libvirts_user(lines)

    def _is_libvirts_user(self, status: dict[str, str]) -> bool:
        """Tell whether libvirt is configured to run QEMU as this person."""
        from vmha.agents.vm import qemu_user

        path = self._configuration or qemu_user.CONFIGURATION
        return qemu_user.may_be(_uid(status), path)

    def _status(self, pid: int) -> dict[str, str]:
        """Return the fields of /proc/PID/status, none where it is gone."""
        try:
            with open(f"{self._folder}/{pid}/status", encoding="utf-8") as file:
                return dict(line.split(":", 1) for line in file if ":" in line)
        except (OSError, UnicodeDecodeError):
            return {}


def _is_a_persons(status: dict[str, str]) -> bool:
    """Tell a process of a person's, or nobody's, by its real user id."""
    uid = _uid(status)
    return uid in _PERSONS or uid == _NOBODY


def _uid(status: dict[str, str]) -> int:
    return int((status.get("Uid") or "0").split()[0])


def _of_container(container: Container) -> Emulator:
    pid = container.controller or container.init
    name, uuid = container.name, container.uuid
    return Emulator(pid, LXC, name, uuid, True, container.init)


def _opened(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def _send(pidfd: int, signal_number: int) -> None:
    try:
        signal.pidfd_send_signal(pidfd, signal_number)
    except ProcessLookupError:
        return


def _wait(pidfds: list[int], deadline: Deadline) -> bool:
    """Wait until all processes have gone; tell whether they have."""
    for pidfd in pidfds:
        waiting = select.poll()
        waiting.register(pidfd, select.POLLIN)
        if not waiting.poll(deadline.remaining_s() * 1000):
            return False
    return True


def _emulator(pid: int, argv: list[str]) -> Emulator | None:
    """Return the emulator that a command line belongs to, if it is one.

    libvirt starts QEMU with ``-no-user-config -name guest=NAME,… -uuid UUID`` (a comma
    in the name is doubled) and containers with ``libvirt_lxc --name NAME``. QEMU's own
    name is not looked at: the definition chooses it.
    """
    # What libvirt writes comes first; later words may be anybody's, as in -append.
    options: dict[str, str] = {}
    for option, value in zip(argv[1:], argv[2:]):
        options.setdefault(option, value)
    if argv[0].rpartition("/")[2] == "libvirt_lxc":
        return Emulator(pid, LXC, options.get("--name", ""), "", True)
    uuid = options.get("-uuid", "").lower()
    if not uuid or "-name" not in options:
        return None
    name = options["-name"].replace(",,", "\0").split(",")[0].replace("\0", ",")
    name = name[6:] if name.startswith("guest=") else name
    return Emulator(pid, QEMU, name, uuid, "-no-user-config" in argv)
