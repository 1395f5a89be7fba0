"""What speaks against a change of the cluster: guests left down, rules, N+1.

Pure, but for crm_simulate's outcome that it is given. Called by ``proposal``; each
reason is a sentence, and --force overrules them all.
"""

from __future__ import annotations

from itertools import combinations

from lxml import etree

from vmha.heartbeat.pacemaker.inventory import Inventory
from vmha.heartbeat.pacemaker.live import GUEST_AGENTS, metas
from vmha.heartbeat.planning.model import RACK, Avoid, Pin, Spread, Together

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vmha.heartbeat.pacemaker.simulate import Outcome
    from vmha.heartbeat.planning.model import Cluster

STOPPED = "stopped"


def guests(cib: etree._Element) -> set[str]:
    """Return the ids of all guests, whoever configured them, and from what template."""
    kinds = Inventory(cib).kinds
    return {name for name, kind in kinds.items() if kind in GUEST_AGENTS}


def stopped(live: etree._Element, after: etree._Element, outcome: Outcome) -> list[str]:
    """Return why Pacemaker's own prediction speaks against the change.

    A guest that is meant to be stopped (target-role, not managed) is none of these; nor
    is one that the change itself removes.
    """
    why = {one.resource: one.reason for one in outcome.actions}
    reasons = []
    told = metas(after)
    known = guests(live)
    for name in sorted(guests(after)):
        meta = told[name]
        is_meant = meta.get("target-role", "").lower() != STOPPED
        is_managed = meta.get("is-managed", "true").lower() == "true"
        if name in outcome.after or not is_meant or not is_managed:
            continue
        cause = f" ({why[name]})" if why.get(name) else ""
        if name in outcome.before:
            reasons.append(f"guest {name} runs now and would be stopped{cause}")
        elif name not in known:
            reasons.append(f"guest {name} would find no node that may run it{cause}")
    return reasons


def unsafe(cluster: Cluster, outcome: Outcome) -> list[str]:
    """Return what the planner has against the cluster as it would be.

    Nodes that are gone already, or on standby, are not there to take guests over.
    """
    from vmha.heartbeat.planning.failures import planned
    from vmha.heartbeat.planning.prediction import Scheduler, settled
    from vmha.heartbeat.planning.state import State

    names = {node.name for node in cluster.nodes}
    away = {*outcome.standby, *outcome.frozen}
    state = State(tuple(sorted(names & {*outcome.gone})), tuple(sorted(names & away)))
    scheduler = Scheduler(settled(cluster), state)
    made = planned(scheduler, max(1, cluster.tolerate), search=False)
    reasons = list(broken(cluster))
    if made.tolerates >= cluster.tolerate:
        return reasons
    failed = next((one for one in made.failures if one.unplaced), None)
    lost = failed.lost if failed is not None else ()
    down = [one.guest for one in failed.unplaced] if failed is not None else []
    return [*reasons, too_few(made.tolerates, cluster.tolerate, lost, down)]


def too_few(
    survived: int, wanted: int, lost: Iterable[str], down: Iterable[str]
) -> str:
    """Return that fewer failures would be survived than the file asks for.

    ``down`` are guests that stay down when the nodes ``lost`` are; none is fine.
    """
    said = (
        f"the cluster would survive {survived} failures, and the file asks for "
        f"{wanted} (policy.tolerate)"
    )
    names = ", ".join(sorted(down))
    if names:
        said += f": without {' and '.join(lost)}, these stay down: {names}"
    return said


def unfenced(cib: etree._Element, names: Iterable[str]) -> list[str]:
    """Return which of these nodes no device can fence: their guests could not move."""
    from vmha.heartbeat.pacemaker import imported_fencing

    levels, _ = imported_fencing.levels(cib)
    if not levels:
        return ["there is no fence device: Pacemaker then starts nothing"]
    return [
        f"node {name} has no fence device: after its loss its guests stay down"
        for name in sorted(set(names) - set(levels))
    ]


def overwriting(cib: etree._Element) -> list[str]:
    """Return which resources would write other capacities over those of the file."""
    found = cib.iterfind("configuration/resources//primitive")
    return [
        f"resource {one.get('id')} ({one.get('type')}) writes the nodes' capacities, "
        "over those of the file: remove it"
        for one in found
        if one.get("type") in ("NodeCapacity", "NodeUtilization")
    ]


def broken(cluster: Cluster) -> Iterator[str]:
    """Yield each hard rule that does not hold where the guests run."""
    at = {guest.name: guest.runs_on for guest in cluster.guests if guest.runs_on}
    racks = {node.name: node.rack for node in cluster.nodes}
    for rule in cluster.rules:
        if not rule.hard:
            continue
        here = [(name, at[name]) for name in rule.guests if name in at]
        if isinstance(rule, Spread):
            is_rack = rule.across == RACK
            where = [(g, racks.get(n, n) if is_rack else n) for g, n in here]
            for (one, place), (other, same) in combinations(where, 2):
                if place == same:
                    yield f"{one} and {other} would both run in {place}, against a rule"
        elif isinstance(rule, Together):
            if len({node for _, node in here}) > 1:
                told = ", ".join(f"{guest} on {node}" for guest, node in here)
                yield f"guests that belong together would be apart: {told}"
        else:
            yield from _misplaced(rule, here)


def _misplaced(rule: Pin | Avoid, here: list[tuple[str, str]]) -> Iterator[str]:
    for guest, node in here:
        if (node in rule.nodes) == isinstance(rule, Avoid):
            yield f"{guest} would run on {node}, against a rule"
