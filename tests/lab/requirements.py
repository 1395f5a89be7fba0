"""What the machine must have for the lab, and its installation with apt."""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING

from .commands import PATH, watched
from .errors import CannotHost

if TYPE_CHECKING:
    from .progress import Progress

# A program of each package; a package is installed when its program is missing.
PROGRAMS = {
    "debootstrap": "debootstrap",
    "ipmi_sim": "openipmi",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "mount": "mount",
}
FILES = {
    "/usr/share/keyrings/debian-archive-keyring.gpg": "debian-archive-keyring",
}
TIMEOUT_S = 600.0


def missing() -> list[str]:
    """The Debian packages the lab needs and this machine does not have."""
    wanted = [
        package
        for program, package in PROGRAMS.items()
        if shutil.which(program, path=PATH) is None
    ]
    wanted += [package for file, package in FILES.items() if not os.path.exists(file)]
    return sorted(set(wanted))


def require(progress: Progress) -> None:
    """Install what is missing and say so; raises CannotHost when that cannot be."""
    if os.geteuid() != 0:
        raise CannotHost("the lab makes namespaces and mounts: run it as root")
    if platform.machine() != "x86_64":
        raise CannotHost(f"the lab's guests need x86-64; this is {platform.machine()}")
    packages = missing()
    if not packages:
        return
    if shutil.which("apt-get", path=PATH) is None:
        raise CannotHost(
            f"the lab needs {', '.join(packages)}, and this machine has no apt-get"
        )
    progress.say(f"the lab installs on this machine: {' '.join(packages)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
    with progress.step("installing them with apt-get"):
        watched(["apt-get", "update", "-q"], TIMEOUT_S, progress.life, quiet)
        watched(install, TIMEOUT_S, progress.life, quiet)
