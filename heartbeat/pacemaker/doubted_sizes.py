"""Sizes in a CIB that the planner may reckon otherwise than Pacemaker, as sentences.

Pure. Used by ``doubts``.
"""

from __future__ import annotations

import re
from collections import defaultdict

from lxml import etree

from vmha.agents.cib import number
from vmha.heartbeat.pacemaker import terms
from vmha.heartbeat.pacemaker.inventory import Inventory, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


def odd(cib: etree._Element, held: Inventory) -> Iterator[str]:
    """Yield sizes and capacities that are no plain numbers."""
    for owner, size, text in _written(cib, held):
        if not PLAIN_NUMBER.fullmatch(text):
            yield (
                f"{size} of {owner} is {text!r}, in which Pacemaker may read another "
                "number than the planner"
            )


def lacking(cib: etree._Element, held: Inventory, near: Iterable[str]) -> Iterator[str]:
    """Yield sizes of other names than the planner's two, or that some nodes lack.

    ``near`` are the resources whose sizes may count.
    """
    needed: dict[str, list[str]] = defaultdict(list)
    for name in sorted(near):
        for size, text in held.sizes[name].items():
            if number(text):
                needed[size].append(name)
    reckoned = terms.reckoned(held)
    offered = {str(node.get("uname")): held.offers(node) for node in members(cib)}
    for size, names in needed.items():
        if size not in reckoned:
            yield f"{some(names)} {_needs(names)} {size}, which is not reckoned with"
            continue
        lacking = [node for node, offer in offered.items() if size not in offer]
        if lacking and any(offered.values()):
            yield f"{some(lacking)} offers no {size}, which {some(names)} need"


def _written(cib: etree._Element, held: Inventory) -> Iterator[tuple[str, str, str]]:
    """Yield whose sizes are written how."""
    wanted = set()
    for name in sorted(held.primitives):
        for size, text in held.sizes[name].items():
            wanted.add(size)
            yield name, size, text
    for node in members(cib):
        for size, text in held.offers(node).items():
            if size in wanted:
                yield str(node.get("uname")), size, text


def some(names: list[str]) -> str:
    """Return names for a sentence, not too many of them."""
    more = f" and {len(names) - 3} more" if names[3:] else ""
    return ", ".join(names[:3]) + more


def _needs(names: list[str]) -> str:
    return "needs" if len(names) == 1 else "need"
