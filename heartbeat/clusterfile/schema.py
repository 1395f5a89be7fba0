"""The cluster file's JSON Schema, and its findings as sentences with lines.

Called by ``reading``. The schema itself is ``schema.json`` beside this module, draft 7
because every supported distribution's jsonschema knows it. Its keyword ``accepted`` is
ours: what a value may be, in words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as FilePath
from typing import Any

from vmha.heartbeat.clusterfile import secrets
from vmha.heartbeat.clusterfile.document import (
    Path,
    Section,
    line_of,
    path_text,
    read_as,
    value_at,
    written,
)
from vmha.heartbeat.clusterfile.errors import Problem
from vmha.heartbeat.clusterfile.guesses import Guesser

RULES = ("spread", "together", "pin", "avoid")


def load() -> dict[str, Any]:
    """Return the schema as it is shipped."""
    file = FilePath(__file__).with_name("schema.json")
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def refused_guest_name(name: str) -> str:
    """Return what a guest's name may be, "" for one that is fine."""
    declared = load()["definitions"]["guestName"]
    is_fine = re.fullmatch(declared["pattern"], name) is not None
    return "" if is_fine else str(declared["accepted"])


def problems(root: Section, guesser: Guesser) -> list[Problem]:
    """Return everything in which a document differs from the schema."""
    from jsonschema import Draft7Validator, validators

    types = Draft7Validator.TYPE_CHECKER.redefine("integer", _is_whole)
    validator_class = validators.extend(Draft7Validator, type_checker=types)
    validator = validator_class(resolved(load()))
    found: list[Problem] = []
    for error in validator.iter_errors(root):
        found += _Finding(root, error, guesser).problems()
    return found


def resolved(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema without references: following them would double the time.

    What stands beside a reference (a description, a default) is kept.
    """
    definitions = schema.get("definitions", {})

    def inline(part: Any) -> Any:
        if isinstance(part, list):
            return [inline(item) for item in part]
        if not isinstance(part, dict):
            return part
        own = {key: inline(value) for key, value in part.items() if key != "$ref"}
        if "$ref" not in part:
            return own
        return {**inline(definitions[part["$ref"].rpartition("/")[2]]), **own}

    return {key: inline(part) for key, part in schema.items() if key != "definitions"}


def _is_whole(_: object, value: object) -> bool:
    """Tell whether a value is an integer; 2.0 is not, though JSON Schema says so."""
    return isinstance(value, int) and not isinstance(value, bool)


class _Finding:
    """One error of jsonschema, turned into problems of the file."""

    def __init__(self, root: Section, error: Any, guesser: Guesser) -> None:
        self._root = root
        self._guesser = guesser
        self._path: Path = tuple(error.absolute_path)
        self._keyword = str(error.validator)
        self._limit: Any = error.validator_value
        self._schema: Mapping[str, Any] = error.schema
        self._value: Any = error.instance
        self._is_name = "propertyNames" in list(error.absolute_schema_path)[-2:]

    def problems(self) -> Iterator[Problem]:
        """Yield the problems of this error, each at its own line."""
        special: dict[str, Callable[[], Iterator[Problem]]] = {
            "additionalProperties": self._unknown,
            "required": self._missing,
            "oneOf": self._no_rule,
        }
        if not (
            self._keyword in {"additionalProperties", "required"} and self._mixes()
        ):
            yield from special.get(self._keyword, self._plain)()

    def _mixes(self) -> bool:
        """Tell whether this is a rule of two kinds, which oneOf says well enough."""
        return sum(kind in self._value for kind in RULES) > 1

    def _at(self, path: Path, sentence: str) -> Problem:
        return Problem(line_of(self._root, path), path_text(path), sentence)

    def _unknown(self) -> Iterator[Problem]:
        known = list(self._schema["properties"])
        for key in self._value:
            if key in known or key in self._value.odd:
                continue
            if secrets.is_secret(key):
                continue
            guess = self._guesser.meant(key, known)
            sentence = f"unknown key {key!r}{guess}; accepted: {', '.join(known)}"
            yield self._at((*self._path, key), sentence)

    def _missing(self) -> Iterator[Problem]:
        for key in self._limit:
            if key not in self._value:
                part = self._schema.get("properties", {}).get(key, {})
                accepted = part.get("accepted") or part.get("description", "")
                sentence = f"{key} is missing; give {accepted}"
                yield self._at((*self._path, key), sentence)

    def _no_rule(self) -> Iterator[Problem]:
        """Say which kinds of rule an entry mixes, or that it is of none."""
        if not isinstance(self._value, dict):
            return  # its type has been found wrong
        kinds = [kind for kind in RULES if kind in self._value]
        if kinds:
            sentence = f"one rule for each entry: this one has {' and '.join(kinds)}"
            yield self._at(self._path, sentence)
            return
        guesses = [self._guesser.meant(str(key), RULES) for key in self._value]
        guess = next((guess for guess in guesses if guess), "")
        seen = ", ".join(map(str, self._value)) or "nothing"
        sentence = f"a rule has one of {', '.join(RULES)}; this one has {seen}{guess}"
        yield self._at(self._path, sentence)

    def _plain(self) -> Iterator[Problem]:
        path = self._path
        if any(isinstance(part, str) and secrets.is_secret(part) for part in path):
            return  # told by ``secrets``, and never shown
        if path[:1] in (("nodes",), ("guests",)) and self._is_login():
            return  # told by ``secrets`` as well
        if self._is_name:
            if self._value in value_at(self._root, path).odd:
                return  # told together with the way to quote it
            path = (*path, self._value)
        accepted = self._schema.get("accepted") or self._choices()
        sentence = f"{self._seen()} is not accepted{self._advice()}: give {accepted}"
        yield self._at(path, sentence)

    def _is_login(self) -> bool:
        is_text = isinstance(self._value, str) and not self._is_name
        return is_text and secrets.is_login(self._value)

    def _seen(self) -> str:
        """Return the value for a sentence; what is wrong in number, as a number."""
        if self._is_name:
            return repr(self._value)
        if self._keyword in {"minItems", "maxItems"}:
            return f"a list of {len(self._value)}"
        if self._keyword == "minProperties":
            return "an empty mapping"
        return written(self._root, self._path) or "nothing"

    def _choices(self) -> str:
        """Return what an enum accepts, as it is written in YAML."""
        words = {True: "true", False: "false"}
        choices = self._schema.get("enum", [])
        return " or ".join(
            words[one] if isinstance(one, bool) else str(one) for one in choices
        )

    def _advice(self) -> str:
        """Say what YAML took a value for, where something else was wanted."""
        taken = "" if self._is_name else read_as(self._value)
        if not taken or self._keyword not in {"type", "enum"}:
            return ""
        text = written(self._root, self._path)
        told = f" (YAML reads it as {taken})"
        is_text = "string" in self._schema.get("type", ()) or text in self._limit
        if not is_text or self._value is None:
            return told
        return f'{told}; if it is meant, write "{text}"'
