"""Values as YAML on one line, and as blocks where one line is too short.

Called by ``writing``, and by messages that show an entry the way it is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Union

WIDTH = 88

# What is written without quotes: nothing that YAML 1.1 or 1.2 could take for anything
# but text. A digit at the beginning may begin a number, a date, a time.
_PLAIN = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./+@-]|:(?=[A-Za-z0-9_/]))*")
_WORDS = re.compile(r"y|n|yes|no|true|false|on|off|null|nan|inf", re.IGNORECASE)
_ADDRESS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")

Value = Union[str, int, float, bool, Sequence["Value"], Mapping[str, "Value"]]


def text(value: Value) -> str:
    """Return a value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, Mapping):
        pairs = (f"{scalar(key)}: {text(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    return "[" + ", ".join(text(item) for item in value) + "]"


def number(value: int | float) -> str:
    """Return a number; YAML 1.1 wants a point in every float."""
    shown = repr(value)
    mantissa, e, exponent = shown.partition("e")
    if isinstance(value, float) and e and "." not in mantissa:
        return f"{mantissa}.0e{exponent}"
    return shown


def scalar(value: str) -> str:
    """Return a text, quoted where YAML could take it for something else."""
    is_plain = _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value)
    if is_plain or _ADDRESS.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(map(_escaped, escaped))}"'


def _escaped(sign: str) -> str:
    """Return a sign as it may stand in double quotes (YAML 1.1, 5.7)."""
    if sign.isprintable():
        return sign
    code = ord(sign)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def block(key: str, value: Value, indent: int) -> Iterator[str]:
    """Yield the lines of an entry: on one line if it fits, else key by key."""
    margin = " " * indent
    line = f"{margin}{scalar(key)}: {text(value)}"
    if len(line) <= WIDTH or not isinstance(value, Mapping):
        yield line
        return
    yield f"{margin}{scalar(key)}:"
    for name, item in value.items():
        yield from block(name, item, indent + 2)
