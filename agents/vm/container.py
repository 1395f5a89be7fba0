"""Containers of libvirt's lxc driver in the process table, and whose they are.

Called by ``emulator`` only. A container is two things: its controller, ``libvirt_lxc
--name NAME`` among the node's processes, and its first process, which leads a PID
namespace of its own; when that one ends, the kernel ends everything in the container.
The controller may die first: while libvirt is down the container then lives on, and a
libvirt that comes back calls it shut off and throws its record away. So neither
witness is left out. Whose a container is tells libvirt's record of it, as long as it
names these very processes; else the environment that libvirt gave the first process;
else nobody.
"""

from __future__ import annotations

import os

LIBVIRTS_RECORDS = "/run/libvirt/lxc"
CGROUPS = "/sys/fs/cgroup"
_MARKS = (".libvirt-lxc", "machine-lxc\\x2d")  # how libvirt names a container's cgroup
_DEAD = ("Z", "X")  # proc(5), State


class Container:
    """A living container.

    ``name`` and ``uuid`` are "" where nothing tells them. ``controller`` or ``init`` is
    0 where that process is not there.
    """

    __slots__ = ("controller", "init", "name", "uuid")

    def __init__(self, name: str, uuid: str, controller: int, init: int) -> None:
        self.name = name
        self.uuid = uuid
        self.controller = controller
        self.init = init


class Containers:
    """The containers among the processes of ``folder``, a /proc."""

    __slots__ = ("_folder", "_own_space", "_records")

    def __init__(self, folder: str, records: str = LIBVIRTS_RECORDS) -> None:
        self._folder = folder
        self._records = records
        self._own_space = self._space("self")

    def is_inside(self, pid: int) -> bool:
        """Tell whether a process lives in another PID namespace than this one."""
        space = self._space(str(pid))
        return bool(space) and space != self._own_space

    def living(self, controllers: dict[int, str], inside: list[int]) -> list[Container]:
        """Return the containers of controllers (pid → name) and processes inside any.

        A first process is its controller's child for as long as that lives.
        """
        inits = {pid: self._status(pid) for pid in inside}
        inits = {pid: told for pid, told in inits.items() if _leads_a_space(told)}
        found = []
        for pid, name in controllers.items():
            own = [i for i, told in inits.items() if told.get("PPid") == str(pid)]
            init = own[0] if own else 0
            found.append(Container(name, self._uuid(name, pid, init), pid, init))
            for known in own:
                del inits[known]
        orphans = [self._orphan(pid) for pid in inits]
        return found + [orphan for orphan in orphans if orphan is not None]

    def thaw(self, pid: int) -> None:
        """Let a container that libvirt has paused run, so that it can be ended.

        A process in a frozen cgroup (version 1) takes not even SIGKILL.
        """
        for line in self._lines(pid, "cgroup"):
            _, controllers, path = line.split(":", 2)
            if controllers == "freezer":
                _write(f"{CGROUPS}/freezer{path}/freezer.state", "THAWED")
            elif controllers == "":
                _write(f"{CGROUPS}{path}/cgroup.freeze", "0")

    def _orphan(self, init: int) -> Container | None:
        """Return the container of a first process without controller, None for others.

        Podman, systemd-nspawn and others lead PID namespaces as well. Where it cannot
        be told whose it is, it is taken for one of libvirt's, and nobody's.
        """
        told = self._environment(init)
        groups = [line.split(":", 2)[2] for line in self._lines(init, "cgroup")]
        # One that is ending has no environment any more, and on version 1 no cgroup.
        tells = bool(told) or any(path != "/" for path in groups)
        if tells and not any(mark in path for path in groups for mark in _MARKS):
            return None
        name, uuid = told.get("LIBVIRT_LXC_NAME", ""), told.get("LIBVIRT_LXC_UUID", "")
        return Container(name if uuid else "", uuid.lower() if name else "", 0, init)

    def _uuid(self, name: str, controller: int, init: int) -> str:
        """Return the UUID of a controller's container, "" where nothing tells it."""
        from vmha.agents.domainxml import status

        try:
            with open(f"{self._records}/{name}.xml", "rb") as file:
                record = status.parse(file.read())
        except OSError:
            record = None
        if record is not None and (record.pid, record.name) == (controller, name):
            return record.uuid
        told = self._environment(init) if init else {}
        same = told.get("LIBVIRT_LXC_NAME") == name
        return told.get("LIBVIRT_LXC_UUID", "").lower() if same else ""

    def _space(self, pid: str) -> str:
        try:
            return os.readlink(f"{self._folder}/{pid}/ns/pid")
        except OSError:
            return ""

    def _status(self, pid: int) -> dict[str, str]:
        pairs = (line.split(":", 1) for line in self._lines(pid, "status"))
        return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}

    def _environment(self, pid: int) -> dict[str, str]:
        try:
            with open(f"{self._folder}/{pid}/environ", "rb") as file:
                words = file.read().decode(errors="replace").split("\0")
        except OSError:
            return {}
        return dict(word.split("=", 1) for word in words if "=" in word)

    def _lines(self, pid: int, name: str) -> list[str]:
        try:
            with open(f"{self._folder}/{pid}/{name}", encoding="utf-8") as file:
                return file.read().splitlines()
        except (OSError, UnicodeDecodeError):
            return []


def _leads_a_space(told: dict[str, str]) -> bool:
    """Tell the first process of a PID namespace, alive or not yet wholly gone.

    Only of one directly below this node's: what a container makes of its own goes with
    it.
    """
    numbers = told.get("NSpid", "").split()
    is_dead = told.get("State", "")[:1] in _DEAD and told.get("Threads", "1") == "1"
    return len(numbers) == 2 and numbers[-1] == "1" and not is_dead


def _write(path: str, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        return
