"""The kernel calls that make a machine out of a process: namespaces and mounts.

Called by machine.py in the process that becomes a node, and by nobody else. Python has
these calls from 3.12 on; the lab runs with Debian 12's 3.11. Numbers are those of
<linux/sched.h> and <linux/mount.h>; the system call number is that of x86-64.
"""

from __future__ import annotations

import ctypes
import os
import signal

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1
PR_CAPBSET_DROP = 24
CAP_SYS_MODULE = 16
CAP_SYS_TIME = 25
SYS_PIVOT_ROOT = 155

_libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones (CLONE_NEWPID: for the children only)."""
    _check(_libc.unshare(flags), "unshare")


def join(path: str, kind: int) -> None:
    """Enter the namespace that a file stands for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check(_libc.setns(descriptor, kind), path)
    finally:
        os.close(descriptor)


def mount(
    source: str, target: str, kind: str, flags: int = 0, options: str = ""
) -> None:
    """mount(2); ``kind`` may be empty for bind mounts and changes of flags."""
    _check(
        _libc.mount(
            source.encode(),
            target.encode(),
            kind.encode() or None,
            ctypes.c_ulong(flags),
            options.encode() or None,
        ),
        target,
    )


def bind(source: str, target: str, read_only: bool = False) -> None:
    """Show a file or directory at a second place."""
    mount(source, target, "", MS_BIND | MS_REC)
    if read_only:
        mount("none", target, "", MS_BIND | MS_REMOUNT | MS_RDONLY)


def unmount(target: str) -> None:
    """Take a mount away, from sight at once and really when nothing uses it."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), target)


def enter_root(root: str) -> None:
    """Make ``root`` this mount namespace's root and let go of the old one."""
    os.chdir(root)
    # The old root is put on top of the new one, then taken off: pivot_root(2), NOTES.
    _check(_libc.syscall(SYS_PIVOT_ROOT, b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", MNT_DETACH), "umount of the old root")
    os.chdir("/")


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def give_up(*capabilities: int) -> None:
    """Let no program that is started from here on do this, not even root's."""
    for one in capabilities:
        _check(_libc.prctl(PR_CAPBSET_DROP, one, 0, 0, 0), "prctl")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
