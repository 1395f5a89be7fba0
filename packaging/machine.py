"""The Debian machine that builds: what is installed, and apt for what is not.

Imported by build-deb and build-rpm.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from typing import Callable

from checkout import ENVIRONMENT, BuildError

INSTALL_TIMEOUT_S = 900


def provide(
    packages: Sequence[str], may_install: bool, say: Callable[[str], None]
) -> None:
    """Install what is missing with apt, or raise BuildError with the command."""
    missing = [name for name in packages if not installed(name)]
    if not missing:
        return
    names = " ".join(missing)
    if not may_install:
        raise BuildError(f"missing packages: {names} (apt-get install {names})")
    if os.geteuid():
        raise BuildError(f"missing packages: {names}; run it once as root")
    say(f"installing with apt: {names}")
    apt_get("update", "-qq")
    apt_get("install", "-qq", "-y", "--no-install-recommends", *missing)


def installed(package: str) -> bool:
    """Tell whether dpkg knows this package as installed."""
    status = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
        capture_output=True,
        env=ENVIRONMENT,
        timeout=60,
        check=False,
    )
    return status.stdout == b"installed"


def apt_get(*words: str) -> None:
    """Run apt-get with its output shown only when it fails."""
    # The caller's own environment: it may hold the proxy that apt needs.
    result = subprocess.run(
        ["apt-get", "-o", "Dpkg::Use-Pty=0", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **ENVIRONMENT},
        timeout=INSTALL_TIMEOUT_S,
        check=False,
    )
    if result.returncode:
        raise BuildError(f"apt-get {words[0]} failed:\n{result.stdout}{result.stderr}")
