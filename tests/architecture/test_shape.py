"""Size, names, imports without effects, one broad catch: the house style, counted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePath

import pytest
from architecture.source import Module, everything, production

LONGEST_FUNCTION = 50
LONGEST_MODULE = 400
NO_NAMES = {"utils", "util", "common", "helpers", "helper", "misc", "base", "manager"}

# Calls that only build a constant.
BUILDERS = {
    "dict",
    "field",
    "frozenset",
    "getattr",
    "namedtuple",
    "range",
    "set",
    "tuple",
}
BUILDING_METHODS = {"compile", "format", "fromkeys", "join", "maketrans"}

# The run() of the agents, of the fence agents and of the command.
BROAD_CATCH = {
    "agents/protocol/agent.py",
    "fence/protocol/run.py",
    "heartbeat/command/main.py",
}

ALL = everything()
INSTALLED = production()


def _ids(module: Module) -> str:
    return module.path


@pytest.mark.parametrize("module", ALL, ids=_ids)
def test_a_module_can_be_read_in_one_sitting(module: Module) -> None:
    assert len(module.text.splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("module", ALL, ids=_ids)
def test_a_function_fits_on_one_screen(module: Module) -> None:
    lengths = {node.name: _length(node) for node in _functions(module.tree)}
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert long == {}


@pytest.mark.parametrize("module", ALL, ids=_ids)
def test_a_module_is_named_for_what_is_in_it(module: Module) -> None:
    assert not NO_NAMES & set(PurePath(module.path).with_suffix("").parts)


@pytest.mark.parametrize("module", INSTALLED, ids=_ids)
def test_a_module_says_what_it_is_for(module: Module) -> None:
    executable = not module.path.endswith(".py")
    assert executable or ast.get_docstring(module.tree)


@pytest.mark.parametrize("module", INSTALLED, ids=_ids)
def test_importing_a_module_does_no_work(module: Module) -> None:
    if module.path.endswith(".py"):
        assert [f"line {n.lineno}" for n in _work(module.tree.body)] == []


def test_everything_is_caught_only_in_run() -> None:
    found = [m.path for m in INSTALLED for _ in _broad_catches(m.tree)]
    assert sorted(found) == sorted(set(found) & BROAD_CATCH)


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function from its `def`, without its docstring."""
    assert node.end_lineno is not None
    lines = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node, clean=False) is not None:
        text = node.body[0]
        assert text.end_lineno is not None
        lines -= text.end_lineno - text.lineno + 1
    return lines


def _work(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements at module or class level that do more than define."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _work(node.body)
        elif isinstance(node, ast.If):
            if ast.unparse(node.test) != "TYPE_CHECKING":
                yield node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            if node.value and any(_effect(n) for n in ast.walk(node.value)):
                yield node
        elif isinstance(node, ast.Expr):
            if not isinstance(node.value, ast.Constant):
                yield node
        elif not isinstance(
            node, (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Pass)
        ):
            yield node


def _effect(node: ast.AST) -> bool:
    """Tell whether a node is a call that may do more than build a value."""
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    if isinstance(called, ast.Attribute):
        return called.attr not in BUILDING_METHODS and not called.attr[:1].isupper()
    name = ast.unparse(called)
    return name not in BUILDERS and not name.lstrip("_")[:1].isupper()


def _broad_catches(tree: ast.AST) -> Iterator[ast.ExceptHandler]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "Exception"
            last = node.body[-1]
            passes_on = isinstance(last, ast.Raise) and last.exc is None
            if caught in {"Exception", "BaseException"} and not passes_on:
                yield node
