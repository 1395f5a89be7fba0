"""Taking a lab away: its processes, its mounts, its directory, and nothing else.

Works from what the machine shows, not from what a run remembers, so it also clears
what a killed run left. A process belongs to the lab when it lives in one of the lab's
network namespaces, or is one of the lab's own programs working on the lab's directory.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import mounts, remove_tree
from .commands import run
from .errors import LabError
from .plan import GROUP
from .processes import Process, end

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS = ("machine.py", "ipmi_sim", "chassis")
UMOUNT_S = 15.0


def sweep(directory: Path) -> None:
    """Remove everything of the lab in ``directory``; nothing there is well, too."""
    # Twice: a machine that is being switched on may start a process meanwhile.
    for _ in range(2):
        end(list(processes(directory)))
    _unmount(directory)
    _forget_control_groups(directory)
    if directory.is_dir():
        remove_tree(directory)
    if directory.parent.is_dir() and not any(directory.parent.iterdir()):
        directory.parent.rmdir()


def _forget_control_groups(directory: Path) -> None:
    """Remove what systemd in bare nodes has made; the kernel removes none by itself."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        words = line.split()
        if words[words.index("-") + 1] == "cgroup2":
            own = Path(words[4], f"{GROUP}-{directory.name}")
            for group, _, _ in os.walk(own, topdown=False):
                Path(group).rmdir()


def processes(directory: Path) -> Iterator[Process]:
    """The lab's processes, as far as they can be seen now."""
    networks = _networks(directory)
    me = os.getpid()
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == me:
            continue
        process = Process.of(int(entry))
        try:
            network = os.stat(f"/proc/{entry}/ns/net").st_ino
            argv = Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        ours = _works_on(argv, directory) and _sees(entry, directory)
        if network in networks or ours:
            yield process


def _networks(directory: Path) -> set[int]:
    """The lab's network namespaces; never the machine's own."""
    found = set()
    for point in mounts(directory):
        if Path(point).parent == directory / "net":
            found.add(os.stat(point).st_ino)
    return found - {os.stat("/proc/self/ns/net").st_ino}


def _sees(pid: str, directory: Path) -> bool:
    """Whether the process means the same directory: another root may have its own."""
    try:
        return os.path.samefile(f"/proc/{pid}/root{directory}", directory)
    except OSError:
        return False


def _works_on(argv: list[bytes], directory: Path) -> bool:
    words = [os.fsdecode(word) for word in argv]
    programs = {Path(word).name for word in words[:6]}
    inside = f"{directory}/"
    return bool(programs & set(OURS)) and any(word.startswith(inside) for word in words)


def _unmount(directory: Path) -> None:
    ends = time.monotonic() + UMOUNT_S
    while left := mounts(directory):
        for point in left:
            run(["umount", point], 20, check=False)
        if not (left := mounts(directory)):
            return
        if time.monotonic() > ends:
            raise LabError(
                f"{left[0]} cannot be unmounted: something outside the lab uses it"
            )
        time.sleep(0.1)
