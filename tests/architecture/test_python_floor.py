"""What is installed runs on the floor, Python 3.9: its grammar, and its library."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from architecture.source import ROOT, Module, everything

FLOOR = (3, 9)
VERMIN = Path(sys.executable).with_name("vermin")
INSTALLED = [m for m in everything() if not m.path.startswith("tests/")]


def _path(module: Module) -> str:
    return module.path


@pytest.mark.parametrize("module", INSTALLED, ids=_path)
def test_a_module_is_valid_for_the_floor(module: Module) -> None:
    ast.parse(module.text, module.path, feature_version=FLOOR)


def test_nothing_newer_of_the_standard_library_is_used() -> None:
    """vermin knows since when each name of the library is there."""
    said = _vermin([str(ROOT / module.path) for module in INSTALLED])
    assert said.returncode == 0, said.stdout + said.stderr


def test_newer_grammar_and_newer_names_would_be_found(tmp_path: Path) -> None:
    with pytest.raises(SyntaxError):
        ast.parse("match 1:\n    case _: pass\n", feature_version=FLOOR)
    newer = tmp_path / "newer.py"
    newer.write_text("import itertools\nitertools.pairwise([])\n", encoding="utf-8")
    said = _vermin([str(newer)])
    assert said.returncode == 1
    assert "3.10" in said.stdout


def _vermin(paths: list[str]) -> subprocess.CompletedProcess[str]:
    # Annotations are not evaluated: each module imports them from __future__.
    argv = [str(VERMIN), "--target=3.9-", "--no-tips"]
    return subprocess.run(
        [*argv, "--no-eval-annotations", "--violations", *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
