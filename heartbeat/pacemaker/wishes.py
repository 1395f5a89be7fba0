"""What a guest's finite scores on nodes say: preferences, and rules that are soft.

Pure. Used by ``live``. Scores that vmha wrote are taken apart as the planner put them
together (``planning.instructions``): the footing on every node, ranks of preference,
soft pins and avoidances. Those of others are an order of preference and nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

from vmha.heartbeat.planning.model import Avoid, Pin, Rule
from vmha.heartbeat.planning.scores import FOOTING, PREFER, SOFT_LOCATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Wishes(NamedTuple):
    """Preferred nodes, the best first, and soft rules of one guest."""

    prefer: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


def of_others(guest: str, scores: Mapping[str, int]) -> Wishes:
    """Return what scores of another's mean."""
    avoided = tuple(sorted(node for node, score in scores.items() if score < 0))
    rules = (Avoid((guest,), avoided, hard=False),) if avoided else ()
    return Wishes(_ranked(scores), rules)


def of_vmha(guest: str, scores: Mapping[str, int], allowed: set[str]) -> Wishes:
    """Return what scores that vmha wrote mean.

    ``allowed`` are the nodes that nothing forbids to the guest. A footing stands on all
    of them, and is a multiple of its unit; soft wishes move a score by at most half a
    unit downwards.
    """
    footing = 0
    if allowed <= scores.keys():
        footing = (min(scores.values()) + SOFT_LOCATION) // FOOTING * FOOTING
    rest = {node: scores.get(node, 0) - footing for node in sorted(allowed)}
    ranks, pinned, avoided = _parted(rest)
    if set(ranks.values()) != set(range(1, len(ranks) + 1)):
        return of_others(guest, rest)
    rules: list[Rule] = []
    if pinned:
        rules.append(Pin((guest,), tuple(pinned), hard=False))
    if avoided:
        rules.append(Avoid((guest,), tuple(avoided), hard=False))
    return Wishes(tuple(sorted(ranks, key=lambda node: -ranks[node])), tuple(rules))


def _parted(
    rest: Mapping[str, int],
) -> tuple[dict[str, int], list[str], list[str]]:
    """Part each score into a rank of preference and a soft rule, for up to four ranks.

    More of them cannot be told from rules for certain; their ranks then have gaps.
    """
    ranks: dict[str, int] = {}
    pinned: list[str] = []
    avoided: list[str] = []
    for node, score in rest.items():
        rank, strange = divmod(score % SOFT_LOCATION, PREFER)
        rule = score // SOFT_LOCATION
        if strange or rule not in (-1, 0, 1):
            rank = 0 - len(rest)
        if rank:
            ranks[node] = rank
        if rule > 0:
            pinned.append(node)
        elif rule < 0:
            avoided.append(node)
    return ranks, pinned, avoided


def _ranked(scores: Mapping[str, int]) -> tuple[str, ...]:
    wished = [node for node, score in scores.items() if score > 0]
    return tuple(sorted(wished, key=lambda node: (-scores[node], node)))
