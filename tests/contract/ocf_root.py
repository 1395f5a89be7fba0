"""A temporary OCF root: the checkout's executables, as if they were installed.

``build(folder)`` copies ``agents/resource.d/*`` to ``folder/resource.d/vmha`` and
``fence/sbin/*`` and ``heartbeat/bin/*`` to ``folder/sbin``. The copies keep their first
line (``-I`` shuts out PYTHONPATH and the current folder) and get one more, which leads
to ``tests/path``. The packages tier runs the unmodified files.
"""

from __future__ import annotations

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
FIRST_LINE = "#!/usr/bin/python3 -I\n"


def build(folder: Path) -> Path:
    """Fill ``folder`` and return it; set OCF_ROOT or PATH to what is in it."""
    _copy(CHECKOUT / "agents/resource.d", folder / "resource.d/vmha")
    _copy(CHECKOUT / "fence/sbin", folder / "sbin")
    _copy(CHECKOUT / "heartbeat/bin", folder / "sbin")
    return folder


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.glob("*")):
        text = path.read_text(encoding="utf-8")
        assert text.startswith(FIRST_LINE), f"{path} does not begin with {FIRST_LINE}"
        see = f"import sys; sys.path.insert(0, {str(CHECKOUT / 'tests/path')!r})\n"
        copy = target / path.name
        copy.write_text(FIRST_LINE + see + text[len(FIRST_LINE) :], encoding="utf-8")
        copy.chmod(0o755)
