"""Which primitives a location constraint is about, by name, pattern or set.

Called by ``cib``. Source: Pacemaker Explained, "Location", and how the scheduler takes
it apart: ``rsc-pattern`` is a POSIX extended regular expression, searched for in the
names of resources at the top, "!" turns it round; each member of a set gets its score;
what stands in a group or a clone gets what is said of that; names of nodes match in
either case.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Sequence

from lxml import etree

from vmha.heartbeat.pacemaker.inventory import Inventory

_CLASSES = {
    "[:alpha:]": "a-zA-Z",
    "[:digit:]": "0-9",
    "[:alnum:]": "a-zA-Z0-9",
    "[:upper:]": "A-Z",
    "[:lower:]": "a-z",
    "[:space:]": r"\s",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:xdigit:]": "0-9a-fA-F",
}
_PROMOTED = ("promoted", "master")


def spelt_out(
    root: etree._Element, held: Inventory, nodes: Sequence[str]
) -> Iterator[tuple[str, etree._Element]]:
    """Yield each primitive's id with a constraint that reaches it.

    The constraint is as written, with its score and its node spelt as the member.
    """
    spelling = {node.lower(): node for node in nodes}
    for element in root.iterfind("configuration/constraints/rsc_location"):
        if str(element.get("role")).lower() in _PROMOTED:
            continue
        for names, score in _meant(element, held):
            found = _plain(element, score, spelling)
            for name in names:
                yield name, found


def _meant(
    element: etree._Element, held: Inventory
) -> Iterator[tuple[list[str], str | None]]:
    """Yield the primitives that one constraint is about, with the score."""
    score, pattern = element.get("score"), element.get("rsc-pattern")
    if element.get("rsc"):
        yield held.reached([str(element.get("rsc"))]), score
    elif pattern:
        tops = [str(top.get("id")) for top in held.tops]
        yield held.reached(_matching(pattern, tops)), score
    for listed in element.iterfind("resource_set"):
        names = [str(ref.get("id")) for ref in listed.iterfind("resource_ref")]
        yield held.reached(names), listed.get("score") or score


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names that a pattern finds; one that cannot be read finds none."""
    text = pattern.removeprefix("!")
    for name, signs in _CLASSES.items():
        text = text.replace(name, signs)
    try:
        found = re.compile(text)
    except re.error:
        return []
    is_turned = pattern.startswith("!")
    return [name for name in names if (found.search(name) is None) == is_turned]


def _plain(
    element: etree._Element, score: str | None, spelling: dict[str, str]
) -> etree._Element:
    """Return the constraint, or one of the same rules with what it means here."""
    node = element.get("node")
    name = spelling.get(str(node).lower(), node)
    if (score, name) == (element.get("score"), node):
        return element
    words = {str(word): str(value) for word, value in element.attrib.items()}
    found = etree.Element(element.tag, words)
    found.extend([copy.deepcopy(one) for one in element.iterfind("rule")])
    for word, value in (("score", score), ("node", name)):
        if value is not None:
            found.set(word, value)
    return found
