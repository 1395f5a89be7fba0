"""Times as they stand in a CIB, read as Pacemaker reads them.

Pure. Used wherever times are compared. Source: Pacemaker Explained, "Time
Specification" (crm_get_msec) and ISO 8601 durations.
"""

from __future__ import annotations

_UNITS = {
    "": 1.0,
    "s": 1.0,
    "sec": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "hr": 3600.0,
    "ms": 0.001,
    "msec": 0.001,
    "us": 1e-6,
    "usec": 1e-6,
}
_OF_DURATION = {"h": 3600, "m": 60, "s": 1}


def seconds(text: str | None) -> float | None:
    """Read 90, 90s, 2min, 500ms, PT1M30S; None for what is no time."""
    text = (text or "").strip().lower()
    if text.startswith("pt"):
        return _duration(text[2:])
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text[len(digits) :].strip()
    if not (digits.isascii() and digits.isdigit()) or unit not in _UNITS:
        return None
    return int(digits) * _UNITS[unit]


def _duration(text: str) -> float | None:
    total, digits = 0.0, ""
    for letter in text:
        if letter.isdigit():
            digits += letter
        elif letter not in _OF_DURATION:
            return None
        else:
            total += int(digits or 0) * _OF_DURATION[letter]
            digits = ""
    return total if text else None
