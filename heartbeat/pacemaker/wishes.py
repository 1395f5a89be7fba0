"""What a guest's finite scores on nodes say: preferences, and rules that are soft.

Pure. Used by ``live``. Scores that vmha wrote are taken apart as the planner put them
together (``planning.instructions``): the footing on every node, ranks of preference,
soft pins and avoidances. Those of others are an order of preference and nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

from vmha.heartbeat.planning.model import Avoid, Pin, Rule
from vmha.heartbeat.planning.scores import FOOTING, SOFT_LOCATION

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


def of_vmha(guest: str, scores: Mapping[str, int]) -> Wishes:
    """Return what scores that vmha wrote mean.

    The footing is a multiple of its unit; soft wishes move a score by at most half a
    unit downwards.
    """
    footing = (min(scores.values()) + SOFT_LOCATION) // FOOTING * FOOTING
    rest = {node: score - footing for node, score in scores.items()}
    wished = {node: score for node, score in rest.items() if score > 0}
    if wished and set(wished.values()) == {SOFT_LOCATION}:
        avoided = {node: score for node, score in rest.items() if score < 0}
        pin = Pin((guest,), tuple(sorted(wished)), hard=False)
        return Wishes((), (pin, *of_others(guest, avoided).rules))
    return of_others(guest, rest)


def _ranked(scores: Mapping[str, int]) -> tuple[str, ...]:
    wished = [node for node, score in scores.items() if score > 0]
    return tuple(sorted(wished, key=lambda node: (-scores[node], node)))
