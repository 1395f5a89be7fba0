"""What Pacemaker is told in a CIB, whoever wrote it, in the planner's terms.

Pure. Used by ``live``. The planner plays Pacemaker's scheduler on these very numbers,
not on those that vmha would write. All primitives that stand by themselves are in it,
fence devices too, because each has its turn and counts where it runs. What it cannot
say is a doubt: ``doubts`` collects those.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from vmha.agents import cib as reading
from vmha.heartbeat.pacemaker import locations
from vmha.heartbeat.pacemaker.inventory import NO, Inventory, is_true
from vmha.heartbeat.pacemaker.locations import Locations
from vmha.heartbeat.planning import scores
from vmha.heartbeat.planning.instructions import (
    STICKINESS,
    STOPPED,
    SYMMETRIC,
    TARGET_ROLE,
    ColocationTerm,
    GuestTerms,
    Instructions,
    LocationTerm,
    OrderTerm,
)
from vmha.heartbeat.planning.model import HOST, RACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

STOP_ALL = "stop-all-resources"
MAINTENANCE = "maintenance-mode"
MEMORY_NAMES = ("hv_memory", "host_memory", "memory")
CPU_NAME = "cpu"
RACKS = ("vmha-rack", "rack")
HOSTS = (None, "#uname")
STARTED = (None, "Started", "Slave", "Unpromoted")
UNIMPORTANT = ("Optional", "Serialize")


class Reckoned(NamedTuple):
    """Under which names sizes stand in a CIB."""

    cpu: str
    memory: str


def reckoned(held: Inventory) -> Reckoned:
    """Return the names of the sizes that are reckoned with: those in use."""
    used = {
        size
        for name in held.primitives
        for size, text in held.sizes[name].items()
        if reading.number(text)
    }
    found = [name for name in MEMORY_NAMES if name in used] or [*MEMORY_NAMES]
    return Reckoned(CPU_NAME, found[0])


def told(
    cib: etree._Element,
    held: Inventory,
    found: Locations,
    running: Mapping[str, str],
    frozen: Iterable[str],
    inside: Iterable[str] = (),
) -> Instructions:
    """Return what Pacemaker is told of all primitives that stand by themselves.

    Those ``inside`` of groups that are named are told of as if they did, each with the
    one before it.
    """
    called = reckoned(held)
    options = held.options()
    more = {*inside}
    alone = [n for n in held.primitives if held.is_alone(n) or n in more]
    known = set(alone)
    unmanaged = is_true(options.get(MAINTENANCE))
    stuck = set(frozen)
    guests = tuple(
        _terms(
            name,
            held.metas[name],
            reading.numbers(held.sizes[name]),
            called,
            running.get(name),
            is_frozen=unmanaged or running.get(name) in stuck,
            is_stopped=is_true(options.get(STOP_ALL)),
        )
        for name in alone
    )
    return Instructions(
        {SYMMETRIC: "false" if locations.is_opt_in(held) else "true"},
        {},
        guests,
        _locations(found, guests),
        (*_colocations(cib, held, known), *_chains(held, more)),
        tuple(_orders(cib, held, known)),
    )


def _terms(
    name: str,
    meta: Mapping[str, str],
    needs: Mapping[str, int],
    called: Reckoned,
    runs_on: str | None,
    *,
    is_frozen: bool,
    is_stopped: bool,
) -> GuestTerms:
    priority = reading.number(meta.get("priority", "0"))
    kept = {**meta, "priority": str(priority)}
    stickiness = reading.number(meta.get(STICKINESS, "0"))
    kept[STICKINESS] = scores.written(max(0, stickiness))  # below 0 it is none
    is_managed = is_true(meta.get("is-managed", "true"))
    if is_frozen or not is_managed or is_true(meta.get("maintenance")):
        kept["is-managed"] = "false"
    else:
        kept.pop("is-managed", None)
    if meta.get("critical", "true").lower() in NO:
        kept["critical"] = "false"
    if is_stopped:
        kept[TARGET_ROLE] = STOPPED
    cpu, memory = needs.get(called.cpu, 0), needs.get(called.memory, 0)
    return GuestTerms(name, kept, cpu, memory, runs_on, bool(needs))


def _locations(
    found: Locations, guests: Iterable[GuestTerms]
) -> tuple[LocationTerm, ...]:
    """Return the sum of scores for each primitive and node.

    Where a resource that is not managed runs, it is allowed in an opt-in cluster too.
    """
    known = {one.name for one in guests}
    kept = {(g.name, g.runs_on) for g in guests if "is-managed" in g.meta}
    sums: dict[tuple[str, str], int] = {}
    for one in found.scores:
        key = one.resource, one.node
        if one.resource in known and not (one.is_absent and key in kept):
            sums[key] = scores.added(sums.get(key, 0), one.score)
    return tuple(LocationTerm(*key, score) for key, score in sums.items())


def _colocations(
    cib: etree._Element, held: Inventory, known: set[str]
) -> Iterable[ColocationTerm]:
    for one in cib.iterfind("configuration/constraints/rsc_colocation"):
        if is_plain_colocation(one, held, known):
            score = reading.number(str(one.get("score", "0")))
            across = HOST if one.get("node-attribute") in HOSTS else RACK
            pair = alone(one, "rsc", held), alone(one, "with-rsc", held)
            if score and None not in pair:
                yield ColocationTerm(str(pair[0]), str(pair[1]), score, across)


def _chains(held: Inventory, inside: set[str]) -> Iterable[ColocationTerm]:
    for top in held.tops:
        if top.tag == "group":
            members = [str(one.get("id")) for one in top.iterfind("primitive")]
            told = [name for name in members if name in inside]
            for first, then in zip(told, told[1:]):
                yield ColocationTerm(then, first, scores.INFINITY)


def alone(one: etree._Element, attribute: str, held: Inventory) -> str | None:
    """Return the one primitive that an end of a constraint names, None if none."""
    found = held.reached([str(one.get(attribute))])
    return found[0] if len(found) == 1 else None


def is_plain_colocation(one: etree._Element, held: Inventory, known: set[str]) -> bool:
    """Tell whether a colocation is one of two primitives, and of their places."""
    ends = {alone(one, "rsc", held), alone(one, "with-rsc", held)}
    roles = {one.get("rsc-role"), one.get("with-rsc-role")}
    return (
        not len(one)
        and ends <= known
        and roles <= {*STARTED}
        and one.get("influence") is None
        and one.get("node-attribute") in (*HOSTS, *RACKS)
    )


def _orders(
    cib: etree._Element, held: Inventory, known: set[str]
) -> Iterable[OrderTerm]:
    for one in cib.iterfind("configuration/constraints/rsc_order"):
        first, then = alone(one, "first", held), alone(one, "then", held)
        if is_start(one) and is_mandatory(one) and {first, then} <= known:
            yield OrderTerm(str(first), str(then))


def is_start(one: etree._Element) -> bool:
    """Tell whether an order is one of two starts, and of two stops the other way."""
    return is_of_starts(one) and is_both_ways(one)


def is_of_starts(one: etree._Element) -> bool:
    """Tell whether an order is one of two starts; both actions are alike by default."""
    first = one.get("first-action", "start")
    return not len(one) and first == "start" == one.get("then-action", first)


def is_both_ways(one: etree._Element) -> bool:
    """Tell whether an order holds for the stops too, the other way round."""
    return one.get("symmetrical", "true").lower() not in NO


def is_mandatory(one: etree._Element) -> bool:
    """Tell whether what comes then cannot run without what comes first."""
    if one.get("kind") is not None:
        return one.get("kind") not in UNIMPORTANT
    return reading.number(str(one.get("score", "INFINITY"))) > 0
