"""The repository's own Python files, parsed: what the architecture tests look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("agents", "fence", "heartbeat")


class Module(NamedTuple):
    """One Python file: its path from the top, its dotted name, its text and tree."""

    path: str
    name: str
    text: str
    tree: ast.Module

    def imports(self) -> Iterator[str]:
        """Name every module this one imports, also inside functions."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                origin = self._origin(node)
                yield origin
                yield from (f"{origin}.{alias.name}" for alias in node.names)

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        keep = len(parts) - node.level + self.path.endswith("__init__.py")
        return ".".join([*parts[:keep], *(node.module or "").split(".")]).rstrip(".")

    def imports_any(self, *packages: str) -> bool:
        """Tell whether one of these packages, or a part of one, is imported."""
        wanted = tuple(f"{package}." for package in packages)
        return any(f"{name}.".startswith(wanted) for name in self.imports())


def production() -> list[Module]:
    """All modules that are installed, and the executables beside them."""
    return [_parse(path) for floor in FLOORS for path in _python(ROOT / floor)]


def everything() -> list[Module]:
    """All modules and scripts of the repository, tests and packaging included."""
    folders = ("tests", "packaging")
    others = [_parse(path) for folder in folders for path in _python(ROOT / folder)]
    return [*production(), *others, _parse(ROOT / "setup.py")]


def _python(folder: Path) -> Iterator[Path]:
    """Find modules by their ending and executables by their first line."""
    for path in sorted(folder.rglob("*")):
        linked = ROOT / "tests/path" in path.parents
        if linked or not path.is_file() or "__pycache__" in path.parts:
            continue
        if path.suffix == ".py" or _first_line(path).startswith(b"#!/usr/bin/python3"):
            yield path


def _first_line(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.readline(80)


def _parse(path: Path) -> Module:
    relative = path.relative_to(ROOT)
    dotted = ".".join(relative.with_suffix("").parts)
    name = "vmha." + dotted if relative.parts[0] in FLOORS else dotted
    text = path.read_text(encoding="utf-8")
    return Module(str(relative), name.removesuffix(".__init__"), text, ast.parse(text))
