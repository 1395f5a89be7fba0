"""A copy of this machine's root to install into, that leaves the machine untouched.

An overlay over ``/``, or over another root, with its upper layer on a tmpfs, in a mount
namespace of its own. All of it lives as long as one process that reads from a pipe we
hold: when the tests
end, in whatever way, the pipe closes and the kernel takes everything down.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

# $1 is an empty folder, $2 the root below. The size is a limit, not a cost.
SET_UP = """
mount -t tmpfs -o size=1g,mode=755 vmha-packages "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
for name in proc sys dev; do mount --rbind "/$name" "$1/root/$name"; done
mount -t tmpfs -o mode=1777 vmha-packages "$1/root/tmp"
exec chroot "$1/root" sh -c 'echo ready; exec cat'
"""

ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
}


class OverlayRoot:
    """The root that packages are installed into, and the way to run something there."""

    def __init__(self, folder: Path, below: Path = Path("/")) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-euc", SET_UP, "sh", str(folder), str(below)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n", (
            f"no overlay over {below} here"
        )

    def close(self) -> None:
        """Let the holder end; mounts go with its namespace."""
        self._holder.communicate(timeout=30)

    def run(
        self, argv: Sequence[str], text: str = "", timeout_s: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside, with `text` as its standard input."""
        return subprocess.run(
            [*self._inside(), *argv],
            input=text,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            timeout=timeout_s,
            check=False,
        )

    def output(self, argv: Sequence[str]) -> str:
        """Run a command that must succeed and return what it wrote."""
        result = self.run(argv)
        assert result.returncode == 0, f"{argv}: {result.stdout}{result.stderr}"
        return result.stdout

    def put(self, source: Path, target: str) -> None:
        """Copy a file of the machine to a place inside."""
        content = source.read_bytes()
        subprocess.run(
            [*self._inside(), "sh", "-c", 'cat > "$1"', "sh", target],
            input=content,
            check=True,
            timeout=60,
            env=ENVIRONMENT,
        )

    def _inside(self) -> list[str]:
        """Begin a command line with the way into the holder's mounts and root."""
        target = f"--target={self._holder.pid}"
        return ["nsenter", target, "--mount", "--root", "--wd"]
