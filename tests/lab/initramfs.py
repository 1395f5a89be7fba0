"""Building the guest: Debian's cloud kernel and a small initramfs around busybox.

Called by guest.py. Downloads with apt-get as the machine is configured, unpacks in a
temporary directory, writes the cpio archive itself, and renames the finished pair into
the cache; a broken build leaves nothing behind. Installs nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import lzma
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import scratch
from .commands import run
from .errors import CannotHost, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

KERNEL = "linux-image-cloud-amd64"
BUSYBOX = "busybox-static"
# Loaded in this order when the kernel has them as modules.
MODULES = ("evdev", "button")
APPLETS = ("acpid", "dd", "insmod", "mkdir", "mkfifo", "mount", "poweroff", "sh")

# `read -t` on a FIFO that nobody writes is a pause without a process: ten ticks a
# second stay cheap under emulation. The kernel's own boot id is random from the first
# instant; /dev/urandom would cost a fresh guest a second.
# What is written over and over for vmha.dirty must not be zeros: QEMU sends those for
# next to nothing.
INIT = r"""#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
read -r arguments < /proc/cmdline
for module in /modules/*.ko; do insmod "$module"; done
case " $arguments " in
*" vmha.deaf "*) ;;
*) acpid -c /etc/acpi -l /dev/null -p /dev/null ;;
esac
read -r boot < /proc/sys/kernel/random/boot_id
boot=${boot%%-*}${boot##*-}
mkfifo /pause
exec 3<>/pause
for word in $arguments; do
    case $word in vmha.dirty=*)
        mount -t tmpfs -o size=90% dirty /mnt
        mib=0
        while [ $mib -lt "${word#*=}" ]; do
            dd if=/bin/busybox of=/mnt/from bs=1M count=1 seek=$mib 2>/dev/null
            mib=$((mib + 1))
        done
        while :; do
            dd if=/mnt/from of=/mnt/to bs=1M conv=notrunc 2>/dev/null
            read -r -t 0.2 nothing <&3
        done &
        ;;
    esac
done
n=0
while :; do
    n=$((n + 1))
    read -r now rest < /proc/uptime
    echo "tick $boot $n $now"
    read -r -t 0.1 nothing <&3
done
"""
POWER_BUTTON = "#!/bin/sh\necho power button\npoweroff -f\n"
PLACES = {
    "/init": INIT,
    "/etc/acpi/PWRF/00000080": POWER_BUTTON,
}


@dataclass(frozen=True)
class Recipe:
    """What goes into an initramfs: kernel modules, busybox's applets, files."""

    modules: tuple[str, ...]
    applets: tuple[str, ...]
    places: Mapping[str, str]


def cached(cache: Path, of: Recipe | None = None) -> Path:
    """The directory with ``vmlinuz`` and ``initrd.img``, built when it is missing."""
    what = of or Recipe(MODULES, APPLETS, PLACES)
    recipe = repr((KERNEL, BUSYBOX, what.modules, what.applets, what.places))
    place = cache / f"guest-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not (place / "initrd.img").exists():
        with scratch(cache) as work:
            finished = _build(work, what)
            try:
                finished.rename(place)
            except OSError:
                # Another run was faster; its files are as good.
                if not (place / "initrd.img").exists():
                    raise
    return place


def _build(work: Path, what: Recipe) -> Path:
    finished = work / "finished"
    finished.mkdir(mode=0o755)
    root = work / "root"
    for package in (_kernel_package(), BUSYBOX):
        _unpack(package, work, root)
    kernel = next(root.glob("boot/vmlinuz-*"), None)
    if kernel is None:
        raise CannotHost(f"{KERNEL} of this machine's archive holds no kernel")
    (finished / "vmlinuz").write_bytes(kernel.read_bytes())
    archive = b"".join(_cpio(_files(root, what)))
    (finished / "initrd.img").write_bytes(gzip.compress(archive, 6, mtime=0))
    for file in finished.iterdir():
        file.chmod(0o644)
    return finished


def _kernel_package() -> str:
    """The package with the kernel itself, which the meta package depends on."""
    wanted = re.compile(r"Depends:\s*(linux-image-\S*cloud-amd64)")
    for _ in range(2):
        said = run(["apt-cache", "depends", KERNEL], 60, check=False).stdout
        found = wanted.search(said)
        if found:
            return found[1]
        run(["apt-get", "update", "-q"], 300)
    raise CannotHost(f"{KERNEL} is not in this machine's package archive")


def _unpack(package: str, work: Path, root: Path) -> None:
    downloads = work / package
    downloads.mkdir()
    # apt-get download writes to its working directory, so a shell has to go there.
    fetch = 'cd "$1" && exec apt-get -q -o APT::Sandbox::User=root download "$2"'
    argv = ["sh", "-c", fetch, "sh", str(downloads), package]
    try:
        run(argv, 300)
    except CommandFailed:
        run(["apt-get", "update", "-q"], 300)
        run(argv, 300)
    run(["dpkg-deb", "-x", str(next(downloads.glob("*.deb"))), str(root)], 120)


def _files(root: Path, what: Recipe) -> Iterator[tuple[str, int, bytes]]:
    """Everything in the initramfs: path, mode, content (a link: its target)."""
    for directory in ("bin", "dev", "mnt", "proc", "sys", "modules"):
        yield directory, stat.S_IFDIR | 0o755, b""
    for directory in ("etc", "etc/acpi", "etc/acpi/PWRF"):
        yield directory, stat.S_IFDIR | 0o755, b""
    places = (root / "bin/busybox", root / "usr/bin/busybox")
    busybox = next(place for place in places if place.exists())
    yield "bin/busybox", stat.S_IFREG | 0o755, busybox.read_bytes()
    for applet in what.applets:
        yield f"bin/{applet}", stat.S_IFLNK | 0o777, b"busybox"
    for number, name in enumerate(what.modules):
        for found in root.glob(f"**/kernel/**/{name}.ko*"):
            place = f"modules/{number}-{name}.ko"
            yield place, stat.S_IFREG | 0o644, _plain(found)
    for place, text in what.places.items():
        yield place[1:], stat.S_IFREG | 0o755, text.encode()


def _plain(module: Path) -> bytes:
    content = module.read_bytes()
    return lzma.decompress(content) if module.suffix == ".xz" else content


def _cpio(files: Iterable[tuple[str, int, bytes]]) -> Iterator[bytes]:
    """A newc archive (kernel: Documentation/driver-api/early-userspace)."""
    number = 0
    for number, (name, mode, content) in enumerate(files, 1):
        yield from _entry(number, name, mode, content)
    yield from _entry(number + 1, "TRAILER!!!", 0, b"")


def _entry(number: int, name: str, mode: int, content: bytes) -> Iterator[bytes]:
    path = os.fsencode(name) + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(path), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    yield _padded(header + path)
    yield _padded(content)


def _padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % 4)
