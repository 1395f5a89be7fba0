"""Answers as JSON brings them, read without trust in their shape.

The facts of another node may come from an older or newer vmha, or from a file that
somebody edited: what is not of the expected shape counts as not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class Reading:
    """A JSON object, asked member by member."""

    __slots__ = ("raw",)

    def __init__(self, raw: Mapping[str, object]) -> None:
        self.raw = raw

    def part(self, name: str) -> Reading | None:
        """Return a member that is an object, None without one."""
        found = self.raw.get(name)
        return Reading(found) if isinstance(found, dict) else None

    def members(self, name: str) -> Iterator[tuple[str, Reading]]:
        """Yield the objects that a member holds, with their names, sorted."""
        part = self.part(name)
        for key in sorted(part.raw) if part is not None else ():
            one = part.part(key) if part is not None else None
            if one is not None:
                yield key, one

    def objects(self, name: str) -> list[Reading]:
        """Return the objects of a member that is a list."""
        found = self.raw.get(name)
        items = found if isinstance(found, list) else []
        return [Reading(item) for item in items if isinstance(item, dict)]

    def texts(self, name: str) -> list[str]:
        """Return the texts of a member that is a list."""
        found = self.raw.get(name)
        items = found if isinstance(found, list) else []
        return [item for item in items if isinstance(item, str)]

    def text(self, name: str) -> str:
        """Return a text, "" without one."""
        found = self.raw.get(name)
        return found if isinstance(found, str) else ""

    def number(self, name: str) -> float | None:
        """Return a number, None without one."""
        found = self.raw.get(name)
        is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
        return float(found) if is_number and isinstance(found, (int, float)) else None

    def flag(self, name: str) -> bool | None:
        """Return true or false, None without either."""
        found = self.raw.get(name)
        return found if isinstance(found, bool) else None
