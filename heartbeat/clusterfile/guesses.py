"""What was probably meant: the known name that is nearest to an unknown one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

# Each comparison costs microseconds: ten thousand wrong names are not each compared
# with ten thousand right ones.
MOST_COMPARISONS = 60_000
SHOWN = 8


class Guesser:
    """Guesses within a budget for one reading of a file."""

    def __init__(self) -> None:
        self._left = MOST_COMPARISONS

    def meant(self, word: str, known: Collection[str]) -> str:
        """Return "; did you mean X?" or "" where nothing is near."""
        self._left -= len(known)
        if self._left < 0:
            return ""
        from difflib import get_close_matches

        near = get_close_matches(word, sorted(known), 1)
        return f"; did you mean {near[0]}?" if near else ""


def listed(names: Iterable[str]) -> str:
    """Return names as a list for a sentence, shortened when there are many."""
    ordered = sorted(names)
    if not ordered:
        return "there are none"
    more = len(ordered) - SHOWN
    text = ", ".join(ordered[:SHOWN])
    return f"{text} and {more} more" if more > 0 else text
