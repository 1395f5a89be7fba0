"""What the tiers need on the machine: Debian packages and one folder of pinned tools.

Every package installed is named first. Services of new packages are not started:
a test machine should not become a cluster node because pacemaker was installed.
The tools live outside the checkout, in a folder named by what is in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from subprocess import DEVNULL, PIPE
from subprocess import run as run_quietly

from .child import Console, run

CACHE = Path("/var/cache/vmha-dev")
PYTHON = "/usr/bin/python3"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# vmha's tests/all: no service starts now\nexit 101\n"
APT_LIMIT_S = 1200
PIP_LIMIT_S = 600


class SetUpError(Exception):
    """The machine could not be prepared; the text says what failed."""


def environment() -> dict[str, str]:
    """Make the environment of every tier from the caller's.

    The distribution's programs come first in PATH; bytecode is written, because
    start-up is measured as it is on an installed system.
    """
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    kept = {name: text for name, text in os.environ.items() if name not in dropped}
    kept.update(
        DEBIAN_FRONTEND="noninteractive",
        LC_ALL="C.UTF-8",
        PATH="/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        PYTHONUNBUFFERED="1",
    )
    return kept


def install(packages: Sequence[str], console: Console, may_install: bool) -> None:
    """Install with apt what is missing of `packages`."""
    missing = sorted(name for name in set(packages) if not _installed(name))
    if not missing:
        return
    names = " ".join(missing)
    if not may_install:
        raise SetUpError(f"missing packages: {names} (apt-get install {names})")
    console.line(f"installing with apt: {names}")
    with _services_stay_down():
        _apt(console, "update", "-qq")
        _apt(console, "install", "-qq", "-y", "--no-install-recommends", *missing)


def tools(console: Console, may_install: bool) -> Path:
    """Return the folder of the pinned tools; make it when it is not there yet."""
    text = REQUIREMENTS.read_text(encoding="utf-8")
    version = run_quietly([PYTHON, "-VV"], stdout=PIPE, timeout=60, check=True).stdout
    digest = hashlib.sha256(text.encode() + version).hexdigest()[:12]
    place = CACHE / digest
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            if not may_install:
                raise SetUpError(f"missing tools: {', '.join(text.split())}")
            console.line(f"installing with pip in {place}: {', '.join(text.split())}")
            _make(place, console)
    return place


def _make(place: Path, console: Console) -> None:
    shutil.rmtree(place, ignore_errors=True)
    pip = (str(place / "bin/python"), "-m", "pip", "install", "-q", "--no-input")
    venv = (PYTHON, "-m", "venv", "--system-site-packages", str(place))
    _run(console, venv, PIP_LIMIT_S)
    options = ("--disable-pip-version-check", "-r", str(REQUIREMENTS))
    _run(console, (*pip, *options), PIP_LIMIT_S)
    (place / "complete").touch()


def _installed(package: str) -> bool:
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status}", package]
    answer = run_quietly(query, stdout=PIPE, stderr=DEVNULL, timeout=60, check=False)
    return answer.stdout == b"installed"


def _apt(console: Console, *words: str) -> None:
    _run(console, ("apt-get", "-o", "Dpkg::Use-Pty=0", *words), APT_LIMIT_S)


def _run(console: Console, argv: Sequence[str], limit_s: float) -> None:
    """Run a step of the set-up; its output is in the log, and shown if it fails."""
    output = BytesIO()
    ended = run(argv, Console(output, shown=False), Path("/"), environment(), limit_s)
    passed_on = console if ended.exit_code else console.only_logged()
    passed_on.raw(output.getvalue())
    if ended.exit_code:
        raise SetUpError(f"failed: {' '.join(argv)}")


@contextmanager
def _services_stay_down() -> Iterator[None]:
    """Forbid packages to start services while apt runs, as Debian's policy allows.

    A machine with a policy of its own keeps it. What a killed run of ours left is
    recognised by its text and removed.
    """
    ours = not POLICY.exists() or POLICY.read_text(errors="replace") == POLICY_TEXT
    if ours:
        POLICY.write_text(POLICY_TEXT, encoding="utf-8")
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            with suppress(FileNotFoundError):
                POLICY.unlink()


def caches(place: Path) -> Mapping[str, str]:
    """Keep the tools' caches out of a checkout that may belong to another user."""
    return {
        "RUFF_CACHE_DIR": str(place / "cache/ruff"),
        "MYPY_CACHE_DIR": str(place / "cache/mypy"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(place / "cache/hypothesis"),
    }
