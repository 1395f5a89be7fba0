"""The cached base root: Debian with the cluster's packages, shared by all nodes.

Built once per suite and list of packages (about two minutes, one gigabyte):
debootstrap's minbase, then apt-get in a chroot where no service may start. A second,
small layer holds the suite's own packages; it is made again only when a .deb changed.
Both are built in a temporary directory and renamed when they are whole. Every build
runs in a mount and PID namespace of its own: what it mounts or starts ends with it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import sources
from .cache import CACHE, hold, remove_tree, scratch
from .commands import run, watched
from .errors import LabError
from .plan import RUN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .progress import Progress

PACKAGES = [
    # the cluster and its tools
    "corosync",
    "pacemaker",
    "pacemaker-cli-utils",
    "pcs",
    "crmsh",
    "resource-agents",
    # the peers, for comparisons
    "fence-agents-common",
    "fence-agents-ipmilan",
    "fence-agents-kdump",
    "fence-agents-redfish",
    "ipmitool",
    # the hypervisor
    "libvirt-daemon-system",
    "libvirt-clients",
    "libvirt-daemon-driver-lxc",
    "qemu-system-x86",
    "qemu-utils",
    # what the suite's own packages depend on
    "python3",
    "python3-libvirt",
    "python3-lxml",
    "python3-pyghmi",
    "python3-yaml",
    "python3-jsonschema",
    "python3-rich",
    # vmha check asks the other nodes over it
    "openssh-client",
    "openssh-server",
    # a node without systemd
    "tini",
    "iproute2",
    "iptables",
    "iputils-ping",
    "procps",
    "psmisc",
    "less",
    "libxml2-utils",
]
# What Debian's installer leaves on a machine that is to be a server, and no more.
BARE = [
    "systemd-sysv",
    "dbus",
    "libpam-systemd",
    "openssh-server",
    "openssh-client",
    "ca-certificates",
    "ifupdown",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "nano",
    "procps",
    "udev",
    "vim-tiny",
    # a stand-in for NFS, which needs the kernel's help
    "bindfs",
]
# Debian 12 has all fence agents in one package.
INSTEAD = {
    "bookworm": {
        "fence-agents-common": "fence-agents",
        "fence-agents-ipmilan": "",
        "fence-agents-kdump": "",
        "fence-agents-redfish": "",
    }
}
RECIPE = 1
BUILD_TIMEOUT_S = 1200.0
KEEP_LAYERS_S = 86400.0
NO_SERVICES = "#!/bin/sh\nexit 101\n"
DPKG_QUICK = "force-unsafe-io\n"
# The build ends with this process, however that ends, and its mounts with the build.
ALONE = (
    *("setpriv", "--pdeathsig", "KILL", "--"),
    *("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL"),
)


def packages(suite: str) -> list[str]:
    """The packages of a suite's base root."""
    instead = INSTEAD.get(suite, {})
    return [name for name in (instead.get(one, one) for one in PACKAGES) if name]


def base(
    suite: str,
    progress: Progress,
    cache: Path = CACHE,
    wanted: Sequence[str] | None = None,
) -> Path:
    """The base root of a suite, built when it is missing (``wanted``: BARE)."""
    names = packages(suite) if wanted is None else list(wanted)
    recipe = repr((suite, names, RECIPE)).encode()
    place = cache / f"root-{suite}-{hashlib.sha256(recipe).hexdigest()[:12]}"
    if place.exists():
        return place
    with hold(cache / f".{place.name}.lock", 2 * BUILD_TIMEOUT_S, progress.life):
        if not place.exists():
            with scratch(cache) as work:
                _build(suite, names, work / "root", progress)
                (work / "root").rename(place)
    return place


def layer(
    root: Path, debs: Sequence[Path], progress: Progress, cache: Path = CACHE
) -> Path:
    """The layer over ``root`` in which these .deb files are installed."""
    digest = hashlib.sha256(root.name.encode())
    for deb in sorted(debs):
        try:
            digest.update(deb.name.encode() + b"\0" + deb.read_bytes())
        except OSError as error:
            raise LabError(f"{deb} cannot be read: {error.strerror}") from error
    place = cache / f"layer-{digest.hexdigest()[:12]}"
    with hold(cache / ".layers.lock", 600, progress.life):
        if not place.exists():
            with progress.step(f"installing {', '.join(deb.name for deb in debs)}"):
                _forget_old_layers(cache)
                with scratch(cache) as work:
                    _install(root, debs, work)
                    (work / "upper").rename(place)
        os.utime(place)
    return place


def _build(suite: str, names: Sequence[str], root: Path, progress: Progress) -> None:
    mirror = sources.machine(suite)
    with progress.step(f"making a {suite} root with debootstrap"):
        archive = [mirror.archive] if mirror.archive else []
        strap = ["debootstrap", "--variant=minbase", suite, str(root), *archive]
        watched([*ALONE, "--mount-proc", *strap], BUILD_TIMEOUT_S, progress.life)
    _prepare(root, mirror.sources_list(suite))
    with progress.step(f"installing {len(names)} packages in it ({suite})"):
        apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root"]
        _inside(root, [*apt, "update"], progress)
        install = [*apt, "install", "-y", "--no-install-recommends"]
        _inside(root, [*install, *names], progress)
        _inside(root, ["apt-get", "clean"], progress)
    _finish(root)


def _inside(root: Path, argv: Sequence[str], progress: Progress) -> None:
    chroot = [*ALONE, f"--mount-proc={root}/proc", "chroot", str(root), *argv]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    watched(chroot, BUILD_TIMEOUT_S, progress.life, quiet)


def _prepare(root: Path, sources_list: str | None) -> None:
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text(NO_SERVICES)
    policy.chmod(0o755)
    (root / "etc/dpkg/dpkg.cfg.d/lab").write_text(DPKG_QUICK)
    for name in ("resolv.conf", "hosts"):
        own = Path("/etc") / name
        if own.exists():
            (root / "etc" / name).write_text(own.read_text())
    # The machine's proxy and its other ways to reach an archive hold here, too.
    said = run(["apt-config", "dump", "--format", '%F "%v";%n', "Acquire"], 30)
    (root / "etc/apt/apt.conf.d/00machine").write_text(said.stdout)
    if sources_list is not None:
        (root / "etc/apt/sources.list").write_text(sources_list)


def _finish(root: Path) -> None:
    """Take out what a node must not have: the machine's names and package lists."""
    for name in ("etc/resolv.conf", "etc/apt/apt.conf.d/00machine"):
        (root / name).unlink(missing_ok=True)
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    lists = root / "var/lib/apt/lists"
    remove_tree(lists)
    lists.mkdir()
    # Made anew in every node; a shared one would give all nodes one identity.
    (root / "etc/machine-id").write_text("")


def _install(root: Path, debs: Sequence[Path], work: Path) -> None:
    for name in ("upper", "work", "root", "debs"):
        (work / name).mkdir(mode=0o755)
    for deb in debs:
        shutil.copy(deb, work / "debs")
    script = """
        mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" \
            "$2/root"
        mount -t proc proc "$2/root/proc"
        mount --bind "$2/debs" "$2/root/mnt"
        chroot "$2/root" sh -c 'dpkg -i /mnt/*.deb'
    """
    argv = [*ALONE, "sh", "-euc", script, "sh", str(root), str(work)]
    run(argv, 300, environ={"DEBIAN_FRONTEND": "noninteractive"})


def _forget_old_layers(cache: Path) -> None:
    """Remove the layers that no lab has used for long, nor uses now."""
    plans = "".join(plan.read_text() for plan in RUN.glob("*/lab.json"))
    for old in cache.glob("layer-*"):
        unused_s = time.time() - old.stat().st_mtime
        if unused_s > KEEP_LAYERS_S and str(old) not in plans:
            remove_tree(old)
