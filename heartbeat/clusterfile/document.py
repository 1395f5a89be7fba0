"""A YAML text as plain values that know their lines.

Called by ``reading``. YAML is composed, not loaded: no object is ever built from a tag,
every key has its line, and a name that YAML takes for a number or a truth value is
found. Mappings become ``Section``, lists ``Listing``; scalars become str, int, float,
bool or None, and ``Other`` where YAML sees something that no key accepts (a date, an
octal number). An alias is expanded, within limits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Union, cast

from vmha.heartbeat.clusterfile.errors import Problem

MOST_VALUES = 2_000_000
DEEPEST = 40
_TAG = "tag:yaml.org,2002:"
_TRUE = ("yes", "true", "on")
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}([eE][-+]?[0-9]{1,2})?")
_COMPACT = re.compile(r"(?:[-?:]\s+){20}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_READ_AS = {
    "bool": "a truth value",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
    "timestamp": "a date",
}

Path = tuple[Union[str, int], ...]


class Other:
    """A scalar that YAML reads as what no key accepts; ``kind`` is YAML's word."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Section(dict[str, Any]):
    """A mapping: its own line, those of its keys, and what is not text as written."""

    __slots__ = ("line", "lines", "odd", "written")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}
        self.written: dict[str, str] = {}
        self.odd: set[str] = set()

    def section(self, key: str) -> Section:
        """Return the mapping below a key, an empty one where there is none."""
        value = self.get(key)
        return value if isinstance(value, Section) else Section(self.line)

    def sections(self) -> Iterator[tuple[str, Section]]:
        """Yield each key with its mapping; what is no mapping counts as empty."""
        for key in self:
            yield key, self.section(key)

    def texts(self, key: str) -> list[tuple[int, str]]:
        """Return the texts in the list below a key, with their places in it."""
        value = self.get(key)
        items = value if isinstance(value, Listing) else ()
        return [(at, text) for at, text in enumerate(items) if isinstance(text, str)]


class Listing(list[Any]):
    """A list: its own line, those of its items, and what is not text as written."""

    __slots__ = ("line", "lines", "written")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []
        self.written: dict[int, str] = {}


def parse(text: str) -> tuple[Section, list[Problem]]:
    """Return the mapping that a text holds and all that is wrong with its form."""
    import yaml

    loader_class = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        deep = _too_deep(text)
        if deep:
            return Section(1), [Problem(deep, "", _TOO_DEEP)]
        loader = loader_class(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        return Section(1), [_syntax(error, text)]
    except RecursionError:  # the parser that is not in C
        return Section(1), [Problem(1, "", _TOO_DEEP)]
    if node is None or node.id != "mapping":
        seen = "it is empty" if node is None else f"it holds {_kind_of(node)}"
        sentence = f"a cluster file is a mapping (cluster, nodes, guests, ...): {seen}"
        return Section(1), [Problem(1, "", sentence)]
    walk = _Walk()
    try:
        root = walk.section(node, ())
    except _TooLarge as error:
        return Section(1), [*walk.problems, Problem(error.line, "", error.sentence)]
    return root, walk.problems


def path_text(path: Path) -> str:
    """Write a path the way messages and ``--json`` do: ``rules[2].spread[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def line_of(root: Section, path: Path) -> int:
    """Return the line of the deepest part of a path that exists."""
    line, value = root.line, cast(Any, root)
    for part in path:
        try:
            line = value.lines[part]
            value = value[part]
        except (AttributeError, KeyError, IndexError, TypeError):
            break
    return line


def value_at(root: Section, path: Path) -> Any:
    """Return the value at a path that exists."""
    value: Any = root
    for part in path:
        value = value[part]
    return value


def written(root: Section, path: Path) -> str:
    """Return a value as it stands in the file, shortened; a collection by its kind."""
    value: Any = root
    text = ""
    for part in path:
        text = getattr(value, "written", {}).get(part, "")
        value = value[part]
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def read_as(value: object) -> str:
    """Say what YAML takes a scalar for, "" for a text or a collection."""
    if isinstance(value, Other):
        return _READ_AS.get(value.kind, value.kind)
    kinds = {bool: "bool", int: "int", float: "float", type(None): "null"}
    return _READ_AS.get(kinds.get(type(value), ""), "")


class _TooLarge(Exception):
    """Aliases make more of a file than any cluster needs."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.sentence = sentence


_TOO_DEEP = f"lists and mappings are nested deeper than {DEEPEST} here"


def _too_deep(text: str) -> int:
    """Return the line where brackets nest too deep for the parser's stack, else 0.

    Quotes and comments are not told apart: a cluster file has no forty open brackets
    anywhere. Nesting by indentation alone is bounded by the parser itself.
    """
    depth = 0
    for at, line in enumerate(text.split("\n"), 1):
        if _COMPACT.search(line):
            return at
        for bracket in re.findall(r"[\[\]{}]", line):
            depth = max(0, depth + (1 if bracket in "[{" else -1))
            if depth > DEEPEST:
                return at
    return 0


def _syntax(error: Any, text: str) -> Problem:
    """Say where YAML itself stopped reading; it cannot go on from there.

    What is missing at the end is told of the last line, not of the one behind. A
    character that YAML refuses comes without a line (``ReaderError``): it is looked up.
    """
    from yaml.reader import Reader

    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or error
    context = getattr(error, "context", None)
    refused = Reader.NON_PRINTABLE.search(text)
    if mark is not None:
        line = mark.line + 1
    else:
        line = text.count("\n", 0, refused.start()) + 1 if refused else 1
    last = len(text.splitlines())
    told = f"{context}: {what}" if context else str(what)
    line = max(1, min(line, last))
    return Problem(line, "", f"not valid YAML: {told}; what follows was not read")


def _kind_of(node: Any) -> str:
    return {"mapping": "a mapping", "sequence": "a list"}.get(node.id, "one value")


class _Walk:
    """One pass over the composed nodes; collects problems on its way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._values = 0
        self._depth = 0

    def section(self, node: Any, path: Path) -> Section:
        """Turn a mapping into a Section; what is merged (<<) comes first and loses."""
        section = Section(node.start_mark.line + 1)
        merged: list[Any] = []
        for key_node, value_node in node.value:
            if key_node.tag == f"{_TAG}merge":
                merged.append(value_node)
                continue
            key = self._key(key_node, section, path)
            if key is not None:
                self._put(section, key, value_node, path)
                section.lines[key] = key_node.start_mark.line + 1
        for value_node in merged:
            self._merge(section, value_node, path)
        return section

    def _merge(self, section: Section, node: Any, path: Path) -> None:
        parts = node.value if node.id == "sequence" else [node]
        for part in parts:
            if part.id != "mapping":
                line = part.start_mark.line + 1
                self._add(line, path, "<< merges a mapping or a list of mappings only")
                continue
            self._count(part)
            self._depth += 1
            taken = self.section(part, path)
            self._depth -= 1
            for key, value in taken.items():
                if key not in section:
                    section[key] = value
                    section.lines[key] = section.line
                    if key in taken.written:
                        section.written[key] = taken.written[key]

    def _key(self, node: Any, section: Section, path: Path) -> str | None:
        line = node.start_mark.line + 1
        if node.id != "scalar":
            self._add(line, path, f"a key is a text; here it is {_kind_of(node)}")
            return None
        key = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        if kind != "str":
            taken = _READ_AS.get(kind, f"a value of type {kind}")
            advice = f'{key!r} is read by YAML as {taken}, not as text: write "{key}"'
            self._add(line, (*path, key), f"{advice} in quotes")
            section.odd.add(key)
        elif _CONTROL.search(key):
            self._add(line, (*path, key), f"the name {key!r} holds a control character")
            section.odd.add(key)
        if key in section:
            first = section.lines[key]
            self._add(
                line, (*path, key), f"{key} is given twice; first in line {first}"
            )
            return None
        return key

    def _put(self, section: Section, key: str, node: Any, path: Path) -> None:
        value = self._value(node, (*path, key))
        section[key] = value
        if node.id == "scalar" and not isinstance(value, str):
            section.written[key] = node.value

    def _value(self, node: Any, path: Path) -> Any:
        self._count(node)
        if node.id == "scalar":
            return self._scalar(node, path)
        self._depth += 1
        try:
            if node.id == "mapping":
                return self.section(node, path)
            return self._listing(node, path)
        finally:
            self._depth -= 1

    def _count(self, node: Any) -> None:
        """Bound what aliases and merges can make of a short text, or of themselves."""
        self._values += 1
        if self._values > MOST_VALUES or self._depth > DEEPEST:
            raise _TooLarge(
                node.start_mark.line + 1,
                f"more than {MOST_VALUES} values or {DEEPEST} levels, with its aliases "
                "expanded; write it without them",
            )

    def _listing(self, node: Any, path: Path) -> Listing:
        listing = Listing(node.start_mark.line + 1)
        for at, item in enumerate(node.value):
            value = self._value(item, (*path, at))
            listing.append(value)
            listing.lines.append(item.start_mark.line + 1)
            if item.id == "scalar" and not isinstance(value, str):
                listing.written[at] = item.value
        return listing

    def _scalar(self, node: Any, path: Path) -> Any:
        text = str(node.value)
        kind = node.tag.removeprefix(_TAG)
        if kind == "str":
            if _CONTROL.search(text):
                line = node.start_mark.line + 1
                self._add(
                    line, path, "a text holds a line break or a control character"
                )
            return text
        if kind == "bool":
            return text.lower() in _TRUE
        if kind == "null":
            return None
        if kind == "int" and _WHOLE.fullmatch(text):
            return int(text)
        if kind == "float" and _DECIMAL.fullmatch(text):
            return float(text)
        return Other(kind)

    def _add(self, line: int, path: Path, sentence: str) -> None:
        self.problems.append(Problem(line, path_text(path), sentence))
