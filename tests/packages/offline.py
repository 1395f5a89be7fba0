"""What the command answers from files alone: the same words on every machine.

Called by the tests of a workstation without libvirt and of other releases of Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Callable

from clusters.examples import THREE, TWO
from packages.overlay import OverlayRoot

FOLDER = "/tmp/files"
SAVED = Path(__file__).resolve().parents[1] / "data/doctor"
FILES = {
    "three.yaml": THREE,
    "two.yaml": TWO,
    **{path.name: path.read_text(encoding="utf-8") for path in SAVED.iterdir()},
}
FACTS = [name for name in sorted(FILES) if name.endswith(".json")]
COMMANDS = [
    *(
        [*words, name]
        for name in ("three.yaml", "two.yaml")
        for words in (
            ["plan", "--no-confirm"],
            ["plan", "--no-confirm", "--json"],
            ["check"],
            *(["render", "--as", kind] for kind in ("cib", "pcs", "crm", "corosync")),
        )
    ),
    ["check", "--list"],
    ["check", "--cib", "cib.xml"],
    ["check", "--json", "--cib", "cib.xml", "--facts", *FACTS],
    ["import", "--cib", "cib.xml"],
]

FROM_TREE = "from vmha.heartbeat.command.main import main; raise SystemExit(main())"
NO_TOOLS = "from vmha.agents.protocol import process; process.PATH = '/nowhere'; "


def from_the_tree(folder: Path, has_tools: bool = True) -> dict[str, str]:
    """Return what the sources of this tree say with this Python.

    Without ``has_tools``, as where Pacemaker's tools are not installed.
    """
    program = FROM_TREE if has_tools else NO_TOOLS + FROM_TREE

    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")

    def here(words: Sequence[str]) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(SAVED.parents[1] / "path")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return said(here)


def installed_in(root: OverlayRoot) -> dict[str, str]:
    """Return what the installed command says."""
    root.output(["mkdir", "-p", FOLDER])
    for name, text in FILES.items():
        root.run(["sh", "-c", f"cat > {FOLDER}/{name}"], text)

    def there(words: Sequence[str]) -> tuple[int, str, str]:
        done = root.run(["sh", "-euc", f'cd {FOLDER}; exec vmha "$@"', "sh", *words])
        return done.returncode, done.stdout, done.stderr

    return said(there)


def said(run: Callable[[Sequence[str]], tuple[int, str, str]]) -> dict[str, str]:
    """Return what every command prints, with its code, for a way to run ``vmha``."""
    texts = {}
    for words in COMMANDS:
        code, out, err = run(words)
        assert "Traceback" not in err, f"{words}: {err}"
        texts[" ".join(words)] = f"{code}\n{out}{err}"
    return texts
