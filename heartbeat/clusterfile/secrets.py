"""Secrets do not belong in a cluster file: many read it, and it is kept in versions.

Called by ``reading``. The value is never shown, whatever else is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vmha.heartbeat.clusterfile.document import Listing, Path, Section, path_text
from vmha.heartbeat.clusterfile.errors import Problem

# Parameters of the fence agents that hold a secret (fence-agents' metadata: password,
# snmp_priv_passwd, community, token, hexadecimal_kg, ...); a file or a program of that
# name is none.
_NAMES = re.compile(
    r"(.*[_-])?(passw(or)?d|passphrase|passwd|secret|community|token|api_?key|kg)"
    r"([_-].*)?",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r".*[_-](file|script|path|length|timeout|ms)", re.IGNORECASE)
_URI = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
_OWN = {"cib_secret"}

SENTENCE = (
    "a secret does not belong in this file, which others may read: put it into a file "
    "that only root may read, on each node, and give its path as password_file, or "
    "store it with cibsecret and give cib_secret: true"
)


def is_secret(name: str) -> bool:
    """Tell whether a parameter of this name holds a secret."""
    if name in _OWN or _HARMLESS.fullmatch(name):
        return False
    return _NAMES.fullmatch(name) is not None


def problems(root: Section) -> list[Problem]:
    """Return every place of a document that holds a secret."""
    return list(_below(root.get("nodes"), ("nodes",))) + list(
        _below(root.get("guests"), ("guests",))
    )


def _below(value: object, path: Path) -> Iterator[Problem]:
    """Look at the keys of devices, guests and their options.

    The names of nodes and guests themselves are not parameters.
    """
    if isinstance(value, Section):
        for key, item in value.items():
            if len(path) > 1 and is_secret(key):
                yield Problem(value.lines[key], path_text((*path, key)), SENTENCE)
            elif isinstance(item, str):
                if _URI.match(item):
                    line = value.lines[key]
                    yield Problem(line, path_text((*path, key)), SENTENCE)
            else:
                yield from _below(item, (*path, key))
    elif isinstance(value, Listing):
        for at, item in enumerate(value):
            yield from _below(item, (*path, at))
