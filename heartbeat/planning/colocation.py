"""How colocations change the scores of nodes, as Pacemaker's scheduler counts them.

Facts from Pacemaker 2.1.5 (how a dependent's node scores follow its primary, and how
wishes of resources that depend on one another are added up); played by ``assignment``.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from vmha.heartbeat.planning import scores
from vmha.heartbeat.planning.resource import NOWHERE, Link, Resource


class Table(Protocol):
    """What is known while guests are assigned."""

    resources: Sequence[Resource]
    available: Sequence[bool]
    merging: set[int]
    follows_chains: bool

    def weights(self, number: int) -> Sequence[int]:
        """Return a resource's scores as they are now."""
        ...


def is_any_usable(table: Table, weights: Sequence[int]) -> bool:
    """Tell whether a node is there that is available and not negative."""
    return any(
        weight >= 0 and is_available
        for weight, is_available in zip(weights, table.available)
    )


def followed(
    table: Table, link: Link, weights: Sequence[int], at: int
) -> Sequence[int]:
    """Return the dependent's scores when its primary is assigned to node ``at``.

    A finite score that would leave no usable node is not applied.
    """
    if at == NOWHERE:
        if link.score < 0:
            return weights
        changed = [scores.added(weight, -link.score) for weight in weights]
    else:
        changed = _by_group(link, weights, at)
    is_mandatory = abs(link.score) >= scores.INFINITY
    if is_mandatory or is_any_usable(table, changed):
        return changed
    return weights


def _by_group(link: Link, weights: Sequence[int], at: int) -> list[int]:
    changed = list(weights)
    group = link.groups[at]
    for node, weight in enumerate(weights):
        if link.groups[node] == group:
            if link.score < scores.INFINITY:
                changed[node] = scores.added(weight, link.score)
        elif link.score >= scores.INFINITY:
            changed[node] = -scores.INFINITY
    return changed


def merged(
    table: Table, number: int, weights: Sequence[int], link: Link, factor: float
) -> Sequence[int]:
    """Add the wishes of a resource, and of those that depend on it, to scores.

    Nothing is added if that would leave no usable node.
    """
    return _merged(table, number, weights, link, factor, upwards=False)


def order_scores(table: Table, number: int) -> Sequence[int]:
    """Return the scores by which a resource's turn is decided.

    They hold the wishes of those it is placed by.
    """
    weights = table.weights(number)
    resource = table.resources[number]
    if not resource.placed_by or not is_any_usable(table, weights):
        return weights
    table.merging.add(number)
    for link in resource.placed_by:
        weights = _merged(table, link.primary, weights, link, link.factor, upwards=True)
    table.merging.discard(number)
    return weights


def _merged(
    table: Table,
    number: int,
    weights: Sequence[int],
    link: Link,
    factor: float,
    upwards: bool,
) -> Sequence[int]:
    if number in table.merging:
        return weights
    work = _matched(table, number, weights, link, factor)
    if not is_any_usable(table, work):
        return weights
    if not table.follows_chains:
        return work
    table.merging.add(number)
    sign = -1.0 if factor < 0 else 1.0
    resource = table.resources[number]
    for further in resource.placed_by if upwards else resource.places:
        if upwards:
            other = further.primary
        elif is_heard(table, further):
            other = further.dependent
        else:
            continue
        work = _merged(table, other, work, further, sign * further.factor, upwards)
    table.merging.discard(number)
    return work


def is_heard(table: Table, link: Link) -> bool:
    """Tell whether the dependent's wishes count: always for a primary that is down."""
    return link.has_influence or table.resources[link.primary].current == NOWHERE


def _matched(
    table: Table, number: int, weights: Sequence[int], link: Link, factor: float
) -> Sequence[int]:
    """Add a share of the resource's best score in each host or rack."""
    best: dict[int, int] = {}
    for node, weight in enumerate(table.weights(number)):
        group = link.groups[node]
        known = best.get(group, -scores.INFINITY)
        best[group] = max(known, weight) if table.available[node] else known
    share = {group: _share(factor, score) for group, score in best.items()}
    return [
        scores.added(weight, share[group])
        for weight, group in zip(weights, link.groups)
    ]


@lru_cache(maxsize=4096)
def _share(factor: float, score: int) -> int:
    """Round half away from zero; something never becomes nothing.

    Pacemaker multiplies in single precision, which decides where a share is near half.
    """
    if factor < 0 and score < 0:
        return 0
    exact = _single(_single(factor) * score)
    share = int(exact - 0.5 if exact < 0 else exact + 0.5)
    if share == 0 and score != 0:
        return 1 if factor > 0 else -1
    return share


def _single(number: float) -> float:
    (rounded,) = struct.unpack("f", struct.pack("f", number))
    return float(rounded)
