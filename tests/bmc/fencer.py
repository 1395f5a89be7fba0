"""Pacemaker's real fencer without a cluster, in namespaces of its own.

A ``Room`` has its own mounts, network, IPC and processes: /usr/sbin shows our fence
agent, /run and /dev/shm are empty, and everything in it ends with it. Two rooms side by
side do not meet.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

UNSHARE = ("unshare", "--mount", "--ipc", "--net", "--pid", "--mount-proc")
ENDS_TOGETHER = ("--fork", "--kill-child")
FENCER_PLACES = "/usr/lib/pacemaker:/usr/libexec/pacemaker"
FURNISH = """\
set -e
ip link set lo up
mount --make-rprivate /
mount -t overlay overlay -o lowerdir={sbin}:/usr/sbin /usr/sbin
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mkdir -p /run/crm
chown hacluster:haclient /run/crm
touch {folder}/furnished
exec {fencer} -s -l {folder}/fencer.log
"""
READY_S = 10.0
LIMIT_S = 90.0


class Room:
    """Namespaces with a running fencer."""

    def __init__(self, folder: Path, sbin: Path) -> None:
        self.folder = folder
        self._sbin = sbin
        self._outer: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Room:
        self.folder.mkdir()
        fencer = shutil.which("pacemaker-fenced", path=FENCER_PLACES)
        script = FURNISH.format(sbin=self._sbin, folder=self.folder, fencer=fencer)
        with (self.folder / "output").open("wb") as output:
            self._outer = subprocess.Popen(
                [*UNSHARE, *ENDS_TOGETHER, "sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + READY_S
        while not self._is_ready():
            assert time.monotonic() < end, (self.folder / "output").read_text()
            time.sleep(0.05)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._outer is not None
        self._outer.kill()  # --kill-child ends the first process, the kernel the rest
        self._outer.wait()

    @property
    def network(self) -> tuple[str, ...]:
        """Return what a command is prefixed with to share the room's network."""
        return ("nsenter", f"--net=/proc/{self._first()}/ns/net")

    def run(self, *command: object) -> subprocess.CompletedProcess[str]:
        """Run a command in the room."""
        return subprocess.run(
            ["nsenter", f"--target={self._first()}", "--all", *map(str, command)],
            check=False,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            cwd="/",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        )

    def log(self) -> str:
        """Return the fencer's log."""
        return (self.folder / "fencer.log").read_text()

    def _is_ready(self) -> bool:
        if not (self.folder / "furnished").exists():
            return False
        return self.run("stonith_admin", "--list-registered").returncode == 0

    def _first(self) -> int:
        assert self._outer is not None
        pid = self._outer.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
