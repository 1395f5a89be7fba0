"""What the lab keeps on the machine between runs, and how it is written and removed.

Everything in the cache is built in a scratch directory beside it and renamed when it is
whole. A tree is never removed across a mount.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import LabError, TimedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CACHE = Path("/var/cache/vmha-lab")


@contextmanager
def scratch(cache: Path) -> Iterator[Path]:
    """A temporary directory in the cache that is gone afterwards.

    Those of killed runs go first: each bears the pid of its maker.
    """
    cache.mkdir(parents=True, exist_ok=True)
    for old in cache.glob(".work-*"):
        if not Path("/proc", old.name.split("-")[1]).exists():
            remove_tree(old)
    work = Path(tempfile.mkdtemp(prefix=f".work-{os.getpid()}-", dir=cache))
    try:
        yield work
    finally:
        remove_tree(work)


def mounts(directory: Path) -> list[str]:
    """The mount points at and below a directory, innermost first."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        point = line.split()[4].replace("\\040", " ")
        if point == str(directory) or point.startswith(f"{directory}/"):
            found.append(point)
    return found[::-1]


def remove_tree(tree: Path) -> None:
    """Remove a tree; refuses with LabError when something is mounted in it."""
    if inside := mounts(tree):
        raise LabError(f"{tree} is not removed: {inside[0]} is still mounted")
    shutil.rmtree(tree, ignore_errors=True)


@contextmanager
def hold(
    lock: Path, timeout_s: float, waiting: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold a lock file, which ends with the process; raises TimedOut.

    The file is removed when it is let go, so that names used once leave nothing.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + timeout_s
    while (file := _locked(lock)) is None:
        if time.monotonic() > ends:
            raise TimedOut(f"another run holds {lock} for more than {timeout_s:g} s")
        waiting(f"another run holds {lock}")
        time.sleep(0.2)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(file)


def _locked(lock: Path) -> int | None:
    """The descriptor of the lock, held, or None while another run holds it."""
    file = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The last holder may have removed the file that we opened.
        if os.path.samestat(os.fstat(file), os.stat(lock)):
            return file
    except OSError:
        pass
    os.close(file)
    return None
