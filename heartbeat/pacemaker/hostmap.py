"""``pcmk_host_map``: by which plug, port or name a fence device knows each node.

Pure. Called by rendering, import and the doctor. Source: pacemaker-fenced(7), and the
reading of it in Pacemaker's fencer: pairs are set apart by ``;``, a space or a tab,
name and plug by ``:`` or ``=``. Pacemaker 2.1 takes a backslash before such a sign as
part of the plug and 3.0 does not, so a plug that holds one has no words that mean the
same to both.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "pcmk_host_map"
_PAIR = re.compile(r"((?:\\.|[^:=;\s\\])+)[:=]((?:\\.|[^;\s\\])+)", re.DOTALL)
_PLAIN = re.compile(r"[^:;=\s\\]+")


def read(text: str) -> dict[str, str]:
    """Return the plug of each node; what is no pair is passed over."""
    found = {}
    for part in re.findall(r"(?:\\.|[^;\s\\])+", text, re.DOTALL):
        pair = _PAIR.fullmatch(part)
        if pair is not None:
            found[pair[1]] = pair[2].replace("\\", "")
    return found


def plug(pairs: Mapping[str, str], node: str) -> str:
    """Return a node's plug, "" where there is none; the fencer ignores case."""
    for name, value in pairs.items():
        if name.lower() == node.lower():
            return value
    return ""


def is_plain(value: str) -> bool:
    """Tell whether a plug can stand in a map, whichever Pacemaker reads it."""
    return _PLAIN.fullmatch(value) is not None


def written(pairs: Mapping[str, str]) -> str:
    """Return the parameter's value for plugs that are plain."""
    return ";".join(f"{name}:{value}" for name, value in sorted(pairs.items()))
