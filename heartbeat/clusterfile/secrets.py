"""Secrets do not belong in a cluster file: many read it, and it is kept in versions.

Called by ``reading``. The value is never shown, whatever else is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vmha.heartbeat.clusterfile.document import Listing, Path, Section, path_text
from vmha.heartbeat.clusterfile.errors import Problem

# Parameters of the fence agents that hold a secret (fence-agents' metadata: password,
# snmp_priv_passwd, community, token, hexadecimal_kg, access_key, ...); a file or a
# program of that name is none, nor is ``key``, which may be the name of one.
_NAMES = re.compile(
    r"(.*[_-])?(passw(or)?d|passphrase|passwd|secret|community|token|api_?key|kg|"
    r"(private|access|secret)_?key|authorization|cookie|credentials?|pin)"
    r"([_-].*)?",
    re.IGNORECASE,
)
_HARMLESS = re.compile(r".*[_-](file|script|path|length|timeout|ms)", re.IGNORECASE)
_URI = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
_OWN = {"cib_secret"}
_SCRIPT = re.compile(r"(.+)[_-]script", re.IGNORECASE)
_PATH = re.compile(r"/[^\s;|&<>$`\"'\\(){}\[\]*?!#~]+")
# What prints its arguments, or is told in them what to do.
_TELLERS = re.compile(
    r"echo|printf|yes|seq|expr|basename|dirname|env|x?args|busybox|toybox|test|\[|"
    r"(ba|da|z|k|mk|tc|c|fi)?sh|python[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node|lua[0-9.]*|"
    r"[gm]?awk|sed|openssl|base64",
    re.IGNORECASE,
)

SENTENCE = (
    "a secret does not belong in this file, which others may read: put it into a file "
    "that only root may read, on each node, and give its path as password_file "
    "(agents fence_vmha_*), or store it with cibsecret and give cib_secret: true"
)

OWN_AGENTS = "fence_vmha_"
"""How the agents begin that have the parameter password_file."""

FILE_SENTENCE = (
    "password_file is a parameter of the agents fence_vmha_*, and {agent} is none of "
    "them: give options: {{password_script: /usr/local/sbin/bmc-password}}, or "
    "whichever parameter it has for a file, or store the password with cibsecret and "
    "give cib_secret: true"
)

SCRIPT_SENTENCE = (
    "a secret does not belong in this file, and a command line may hold one: give the "
    "absolute path of a program of your own that prints it, with nothing behind it but "
    "absolute paths, such as /usr/local/sbin/bmc-password"
)


def is_secret(name: str) -> bool:
    """Tell whether a parameter of this name holds a secret."""
    if name in _OWN or _HARMLESS.fullmatch(name):
        return False
    return _NAMES.fullmatch(name) is not None


def is_login(text: str) -> bool:
    """Tell whether a text is a URI with a user's password in it."""
    return _URI.match(text) is not None


def may_tell(name: str, command: str) -> bool:
    """Tell whether a parameter's command could hold the secret that it prints.

    Paths are no secrets; any other argument may be one, and so may be what a shell or
    echo is told. Commands of parameters that print no secret are not judged.
    """
    of = _SCRIPT.fullmatch(name)
    if of is None or not _NAMES.fullmatch(of[1]):
        return False
    words = command.split()
    if not words or not all(_PATH.fullmatch(word) for word in words):
        return True
    return _TELLERS.fullmatch(words[0].rpartition("/")[2]) is not None


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
            elif not isinstance(item, (Section, Listing)):
                text = item if isinstance(item, str) else value.written.get(key, "")
                line, place = value.lines[key], path_text((*path, key))
                if is_login(text):
                    yield Problem(line, place, SENTENCE)
                elif len(path) > 1 and may_tell(key, text):
                    yield Problem(line, place, SCRIPT_SENTENCE)
            else:
                yield from _below(item, (*path, key))
    elif isinstance(value, Listing):
        for at, item in enumerate(value):
            if isinstance(item, str) and is_login(item):
                yield Problem(value.lines[at], path_text((*path, at)), SENTENCE)
            yield from _below(item, (*path, at))
