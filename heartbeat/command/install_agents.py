"""``vmha install-agents``: agents for Pacemaker that run in vmha's virtual environment.

Called by hand after ``pip install``. Packages bring their executables with the system's
interpreter in the first line; those that pip brings need the environment's. It writes
executables only: it starts nothing, and asks no cluster.
"""

from __future__ import annotations

import argparse
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from vmha.agents.protocol import files
from vmha.heartbeat.command.errors import CannotDo
from vmha.heartbeat.command.streams import Streams

DESCRIPTION = """\
Put vmha's resource agents and fence agents where Pacemaker looks for them, with a first
line that starts the Python of the virtual environment that this command runs in. Needed
after an installation with pip only: the packages bring their own. Repeat it after the
environment was moved."""
EXAMPLES = """\
  vmha install-agents                                  # on a node, as root
  vmha install-agents --root /tmp/ocf --sbin /tmp/sbin # only to look at them"""

OCF_ROOT = "/usr/lib/ocf"
SBIN = "/usr/sbin"
PACKAGED = "#!/usr/bin/python3 -I\n"
AGENTS, FENCES = "lib/ocf/resource.d/vmha", "sbin"
# Linux reads no more of a first line (BINPRM_BUF_SIZE), older kernels half of it.
LONGEST = 127


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(OCF_ROOT),
        metavar="DIR",
        help=f"the OCF root; agents go to DIR/resource.d/vmha (default: {OCF_ROOT})",
    )
    parser.add_argument(
        "--sbin",
        type=Path,
        metavar="DIR",
        help="where the fencer looks for its agents (default: "
        f"{SBIN} for the default root, else DIR/sbin of --root)",
    )
    parser.add_argument("--json", action="store_true", help="answer for programs")


def run(arguments: argparse.Namespace, streams: Streams) -> int:
    """Write the executables and name them; raise CannotDo before the first if not."""
    root: Path = arguments.root
    is_system = root == Path(OCF_ROOT)
    sbin: Path = arguments.sbin or (Path(SBIN) if is_system else root / "sbin")
    first = first_line()
    wanted = list(_wanted(root / "resource.d/vmha", sbin))
    for _, target in wanted:
        _refuse_a_packages_own(target)
    for source, target in wanted:
        _write(target, first + source.read_text(encoding="utf-8")[len(PACKAGED) :])
    if arguments.json:
        told = [str(target) for _, target in wanted]
        streams.json({"interpreter": sys.executable, "installed": told})
        return 0
    for _, target in wanted:
        streams.line(str(target))
    return 0


def first_line(executable: str = "") -> str:
    """Return the first line that starts this interpreter, isolated as the packages' is.

    Raises CannotDo where Linux would not understand it.
    """
    path = executable or sys.executable
    line = f"#!{path} -I\n"
    if any(letter.isspace() for letter in path) or len(line) > LONGEST:
        raise CannotDo(
            f"{path} cannot stand in the first line of a program: give the virtual "
            f"environment a path without spaces and of less than {LONGEST - 20} letters"
        )
    return line


def _wanted(agents: Path, sbin: Path) -> Iterator[tuple[Path, Path]]:
    """Pair what pip has brought with where it is to be."""
    for folder, target in ((AGENTS, agents), (FENCES, sbin)):
        found = sorted(_brought(folder))
        if not found:
            raise CannotDo(
                f"no executables in {sys.prefix}/{folder}: install-agents is for an "
                "installation with pip; packages bring their own"
            )
        for source in found:
            yield source, target / source.name


def _brought(folder: str) -> list[Path]:
    """Return vmha's executables in a folder of this environment."""
    place = Path(sysconfig.get_path("data")) / folder
    names = ("fence_vmha_*",) if folder == FENCES else ("*",)
    paths = [path for name in names for path in place.glob(name) if path.is_file()]
    return [p for p in paths if p.read_text(encoding="utf-8").startswith(PACKAGED)]


def _refuse_a_packages_own(target: Path) -> None:
    """Raise CannotDo rather than to write over what a package has installed."""
    try:
        text = target.read_text(encoding="utf-8")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise CannotDo(f"{target} is there and cannot be read: {error}") from error
    if text.startswith(PACKAGED) or "vmha" not in text:
        raise CannotDo(
            f"{target} is there already, and is no executable of a virtual "
            "environment's: remove the package that brought it first"
        )


def _write(target: Path, text: str) -> None:
    """Write an executable in one step, readable by all whatever the umask."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(str(target), text, 0o755)
        os.chmod(target, 0o755)  # noqa: S103 - Pacemaker asks as nobody
    except OSError as error:
        raise CannotDo(f"{target} cannot be written: {error.strerror}") from error
