"""What the command answers from files alone: the same words on every machine.

Called by the tests of a workstation without libvirt and of other releases of Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Callable

from clusters.examples import THREE, TWO

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


def said(run: Callable[[Sequence[str]], tuple[int, str, str]]) -> list[str]:
    """Return what every command prints, with its code, for a way to run ``vmha``."""
    texts = []
    for words in COMMANDS:
        code, out, err = run(words)
        assert "Traceback" not in err, f"{words}: {err}"
        texts.append(f"{' '.join(words)}: {code}\n{out}{err}")
    return texts
