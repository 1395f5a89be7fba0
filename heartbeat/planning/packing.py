"""Whether a better packing exists than the one Pacemaker finds.

Survivors that Pacemaker leaves alone stay where they are; all guests it starts are to
run; how many more could? Hard rules hold, soft ones do not count. The search is exact
within its bound, and what it names can really be started: it errs to the safe side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vmha.heartbeat.planning import reasons
from vmha.heartbeat.planning.model import (
    HOST,
    Avoid,
    Cluster,
    Guest,
    Pin,
    Spread,
    Together,
)
from vmha.heartbeat.planning.outcome import Outcome
from vmha.heartbeat.planning.search import Budget, Item, Packing, Places, packed

WITHOUT_REMEDY = (
    reasons.NO_QUORUM,
    reasons.NO_NODE,
    reasons.NOT_HA,
    reasons.UNMANAGED,
    reasons.STOPPED,
)


def with_better(
    cluster: Cluster, outcome: Outcome, budget: Budget | None = None
) -> tuple[Outcome, bool]:
    """Return the outcome with what could be started besides, and if that is exact."""
    optional = [
        entry.guest for entry in outcome.unplaced if entry.reason not in WITHOUT_REMEDY
    ]
    optional += [entry.guest for entry in outcome.preempted]
    if not optional:
        if budget:
            budget.pay(0)
        return outcome, True
    wanted = {*outcome.placed, *(move.guest for move in outcome.moved)}
    packing, units = _search(cluster, outcome.lost, wanted, set(optional), budget)
    could = {name for at in packing.started for name in units[at] if name in optional}
    return outcome._replace(could_place=tuple(sorted(could))), packing.is_best


def startable(
    cluster: Cluster, lost: Iterable[str], budget: Budget | None = None
) -> tuple[int, bool]:
    """Return how many lost guests a perfect packing starts, and whether that is exact.

    Every survivor stays where it is; what Pacemaker would start does not count.
    """
    gone = tuple(lost)
    down = {
        guest.name for guest in cluster.guests if guest.ha and guest.runs_on in gone
    }
    packing, units = _search(cluster, gone, set(), down, budget)
    return sum(len(units[at]) for at in packing.started), packing.is_best


def _search(
    cluster: Cluster,
    lost: tuple[str, ...],
    wanted: set[str],
    optional: set[str],
    budget: Budget | None,
) -> tuple[Packing, list[tuple[str, ...]]]:
    """Pack what is wanted and what is optional beside the guests that stay."""
    guests = {guest.name: guest for guest in cluster.guests}
    nodes = [node for node in sorted(cluster.nodes) if node.name not in lost]
    at = {node.name: number for number, node in enumerate(nodes)}
    fixed = {
        name: at[guest.runs_on]
        for name, guest in guests.items()
        if guest.runs_on in at and name not in wanted and name not in optional
    }
    cpu = [node.cpu for node in nodes]
    memory = [node.memory_mib for node in nodes]
    for name, node in fixed.items():
        cpu[node] -= guests[name].cpu
        memory[node] -= guests[name].memory_mib
    racks = {rack: at for at, rack in enumerate(sorted({n.rack for n in nodes}))}
    spreads = [rule for rule in cluster.rules if isinstance(rule, Spread) and rule.hard]
    groups = [
        [at[node.name] if rule.across == HOST else racks[node.rack] for node in nodes]
        for rule in spreads
    ]
    taken = [
        frozenset(groups[n][fixed[name]] for name in rule.guests if name in fixed)
        for n, rule in enumerate(spreads)
    ]
    units = _units(cluster, wanted | optional)
    items = [
        _item(unit, guests, wanted, _allowed(cluster, unit, at, fixed), spreads)
        for unit in units
    ]
    return packed(items, Places(cpu, memory, groups, taken), budget), units


def _units(cluster: Cluster, names: set[str]) -> list[tuple[str, ...]]:
    """Return the guests in sets that must share a node."""
    unit = {name: {name} for name in names}
    for rule in cluster.rules:
        if isinstance(rule, Together) and rule.hard:
            known = [name for name in rule.guests if name in names]
            merged = set().union(*(unit[name] for name in known)) if known else set()
            for name in merged:
                unit[name] = merged
    return sorted({tuple(sorted(members)) for members in unit.values()})


def _allowed(
    cluster: Cluster,
    unit: tuple[str, ...],
    at: Mapping[str, int],
    fixed: Mapping[str, int],
) -> frozenset[int]:
    """Return the nodes on which hard rules allow all guests of a unit."""
    allowed = set(at.values())
    for rule in cluster.rules:
        if not rule.hard or isinstance(rule, Spread):
            continue
        if not set(unit) & set(rule.guests):
            continue
        if isinstance(rule, Together):
            there = {fixed[name] for name in rule.guests if name in fixed}
            if there:
                allowed &= there if len(there) == 1 else set()
            leader = rule.guests[0]
            if leader not in unit and leader not in fixed:
                return frozenset()  # it runs nowhere, and nobody follows it there
            continue
        named = {at[name] for name in rule.nodes if name in at}
        if isinstance(rule, Pin):
            allowed &= named
        elif isinstance(rule, Avoid):
            allowed -= named
    return frozenset(allowed)


def _item(
    unit: tuple[str, ...],
    guests: Mapping[str, Guest],
    wanted: set[str],
    allowed: frozenset[int],
    spreads: list[Spread],
) -> Item:
    core = [guests[name] for name in unit if name in wanted]
    return Item(
        sum(guests[name].cpu for name in unit),
        sum(guests[name].memory_mib for name in unit),
        len(unit) - len(core),
        (sum(g.cpu for g in core), sum(g.memory_mib for g in core)) if core else None,
        allowed,
        tuple(n for n, rule in enumerate(spreads) if set(unit) & set(rule.guests)),
    )
