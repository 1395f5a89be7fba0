"""What in a CIB the planner does not reckon with, though it may decide over guests.

Pure. Used by ``live``. Where there is any of it, a plan holds for certain only as far
as crm_simulate confirms it. Each is one sentence; what cannot reach any guest is none.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from vmha.agents.cib import INFINITY, number
from vmha.heartbeat.pacemaker import circumstances, doubted_sizes, terms
from vmha.heartbeat.pacemaker.circumstances import Circumstance
from vmha.heartbeat.pacemaker.doubted_sizes import some
from vmha.heartbeat.pacemaker.inventory import Inventory, is_true, members
from vmha.heartbeat.pacemaker.locations import Locations
from vmha.heartbeat.planning import chains
from vmha.heartbeat.planning.instructions import STOPPED, TARGET_ROLE
from vmha.heartbeat.planning.scores import STRATEGY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vmha.heartbeat.planning.instructions import Instructions

ONE_PER_NODE = {"clone-max", "clone-node-max", "promotable"}


class _Scene(NamedTuple):
    """A CIB with what was read of it; ``near`` is all that a guest may depend on."""

    cib: etree._Element
    held: Inventory
    told: Instructions
    guests: frozenset[str]
    near: frozenset[str]
    sized: frozenset[str]


def of(
    cib: etree._Element,
    held: Inventory,
    found: Locations,
    told: Instructions,
    guests: Iterable[str],
) -> tuple[str, ...]:
    """Return what is not reckoned with, once each."""
    named = frozenset(guests)
    if not named:
        return ()
    sized = _sized(told)
    scene = _Scene(cib, held, told, named, _near(cib, held, sized, named), sized)
    sentences = [
        *_strategy(scene),
        *_options(scene),
        *doubted_sizes.odd(cib, held),
        *doubted_sizes.lacking(cib, held, scene.near),
        *_of_configuration(found, scene),
        *(one.sentence for one in _circumstances(scene)),
    ]
    return tuple(dict.fromkeys(sentences))


def about(
    cib: etree._Element,
    held: Inventory,
    found: Locations,
    told: Instructions,
    guest: str,
) -> tuple[Circumstance, ...]:
    """Return what may keep one guest from a node and is not looked at otherwise.

    What only has its turn before the guest is none of it, and neither is a size that
    is there in numbers: whether there is room now is known.
    """
    named = frozenset((guest,))
    near = _tied(cib, held, named)
    scene = _Scene(cib, held, told, named, near, _sized(told))
    sentences = [
        *_options(scene),
        *doubted_sizes.odd(cib, held),
        *_of_configuration(found, scene),
    ]
    doubted = [*map(Circumstance, sentences), *_circumstances(scene)]
    return tuple(dict.fromkeys(doubted))


def _of_configuration(found: Locations, scene: _Scene) -> Iterator[str]:
    yield from _collectives(scene)
    yield from _settings(scene)
    yield from _unread(found, scene)
    yield from _constraints(scene)
    yield from _circle(scene)
    yield from _entangled(scene)


def _circumstances(scene: _Scene) -> Iterator[Circumstance]:
    banned = {
        (one.guest, one.node) for one in scene.told.locations if one.score <= -INFINITY
    }
    yield from circumstances.doubts(scene.cib, scene.held, scene.near, banned)


def _sized(told: Instructions) -> frozenset[str]:
    return frozenset(one.name for one in told.guests if one.cpu or one.memory_mib)


def _near(
    cib: etree._Element,
    held: Inventory,
    sized: frozenset[str],
    guests: frozenset[str],
) -> frozenset[str]:
    """Return guests, what constraints tie to them, and what has its turn before any."""
    priority = {name: number(m.get("priority", "0")) for name, m in held.metas.items()}
    least = min(priority.get(name, 0) for name in guests)
    near = {name for name in priority if priority[name] >= least or name in sized}
    return _tied(cib, held, frozenset(near | guests))


def _tied(cib: etree._Element, held: Inventory, some: frozenset[str]) -> frozenset[str]:
    """Return resources with all that constraints tie to them."""
    near = set(some)
    groups = [
        names
        for one in cib.iterfind("configuration/constraints/*")
        if one.tag in ("rsc_colocation", "rsc_order")
        for names in [_named(one, held)]
    ]
    size = 0
    while size != len(near):
        size = len(near)
        for names in groups:
            if names & near:
                near |= names
    return frozenset(near)


def _named(one: etree._Element, held: Inventory) -> set[str]:
    """Return the primitives that a constraint reaches."""
    words = {one.get(word) for word in ("rsc", "with-rsc", "first", "then")}
    words |= {ref.get("id") for ref in one.iter("resource_ref")}
    return set(held.reached(str(word) for word in words - {None}))


def _strategy(scene: _Scene) -> Iterator[str]:
    strategy = scene.held.options().get("placement-strategy", "default")
    if strategy != STRATEGY:
        ignored = " and counts no memory" if strategy == "default" else ""
        yield (
            f"placement-strategy is {strategy}, by which Pacemaker places otherwise"
            f"{ignored}; the planner reckons with {STRATEGY}"
        )


def _options(scene: _Scene) -> Iterator[str]:
    health = scene.held.options().get("node-health-strategy", "none")
    if health != "none":
        yield f"node-health-strategy is {health}: a node's health is not reckoned with"
    sets = scene.cib.iterfind("configuration/crm_config/cluster_property_set")
    if any(one.find("rule") is not None for one in sets):
        yield "a rule decides over the cluster's options"


def _collectives(scene: _Scene) -> Iterator[str]:
    """Yield groups, clones and bundles that have a say, or have guests in them."""
    held = scene.held
    for top in held.tops:
        inside = {str(one.get("id")) for one in top.iter("primitive")}
        if top.tag == "primitive" or not inside & scene.near:
            continue
        guests = sorted(inside & scene.guests)
        if guests:
            yield f"{some(guests)} is in the {top.tag} {top.get('id')}"
        elif not guests and not _is_everywhere(top, scene):
            yield (
                f"where the {top.tag} {top.get('id')} runs has a say in where guests go"
            )
    for name, one in held.primitives.items():
        remote = (one.get("provider"), one.get("type")) == ("pacemaker", "remote")
        if remote or "remote-node" in held.metas[name]:
            yield f"{name} makes a node of its own, which is not reckoned with"


def _is_everywhere(top: etree._Element, scene: _Scene) -> bool:
    """Tell whether a clone runs one instance on each node, and nothing else of it."""
    inside = {str(one.get("id")) for one in top.iter("primitive")}
    if top.tag != "clone" or len(inside) != 1:
        return False
    (name,) = inside
    meta = scene.held.settings(top)
    is_plain = not {key for key in meta if key in ONE_PER_NODE and meta[key] != "false"}
    own = scene.held.metas[name]
    is_managed = all(
        is_true(told.get("is-managed", "true")) and not is_true(told.get("maintenance"))
        for told in (own, meta)
    )
    # Too few instances on the survivors, and what waits for the clone does not start.
    is_plain = is_plain and is_managed and not number(meta.get("clone-min", "0"))
    role = {meta.get(TARGET_ROLE, ""), own.get(TARGET_ROLE, "")}
    is_wanted = STOPPED not in {text.lower() for text in role}
    located = any(
        name in _located(one, scene)
        for one in scene.cib.iterfind("configuration/constraints/rsc_location")
    )
    sized = any(number(text) for text in scene.held.sizes[name].values())
    tied = any(
        one.tag == "rsc_colocation" and name in _named(one, scene.held)
        for one in scene.cib.iterfind("configuration/constraints/*")
    )
    return is_plain and is_wanted and not (located or sized or tied)


def _located(one: etree._Element, scene: _Scene) -> set[str]:
    if one.get("rsc-pattern"):
        return set(scene.held.primitives)
    return _named(one, scene.held)


def _settings(scene: _Scene) -> Iterator[str]:
    if scene.held.has_ruled_defaults:
        yield "a rule decides over the defaults of resources"
    for name in sorted(scene.held.ruled & scene.near):
        yield f"a rule decides over meta attributes or sizes of {name}"


def _unread(found: Locations, scene: _Scene) -> Iterator[str]:
    for one in found.unread:
        if one.resources & scene.near and not one.is_known:
            yield one.sentence


def _constraints(scene: _Scene) -> Iterator[str]:
    alone = {one.name for one in scene.told.guests}
    for one in scene.cib.iterfind("configuration/constraints/*"):
        names = _named(one, scene.held) & scene.near
        if not names:
            continue
        told = f"constraint {one.get('id')}: "
        if one.tag == "rsc_ticket":
            yield f"{told}{some(sorted(names))} depends on a ticket"
        elif one.tag == "rsc_colocation":
            why = _odd_colocation(one, scene, alone) or _large(one, scene)
            if why:
                yield told + why
        elif one.tag == "rsc_order":
            why = _odd_order(one, scene, alone)
            if why:
                yield told + why


def _odd_colocation(one: etree._Element, scene: _Scene, alone: set[str]) -> str:
    if len(one):
        return "a colocation of sets is not reckoned with"
    if one.get("score") is None:
        return "it has no score, which not every Pacemaker takes alike"
    attribute = one.get("node-attribute")
    if attribute not in (*terms.HOSTS, *terms.RACKS):
        return f"a colocation by the attribute {attribute} is not reckoned with"
    if not terms.is_plain_colocation(one, scene.held, alone):
        return "a colocation with what is no plain resource is not reckoned with"
    if attribute in terms.RACKS:
        values = [
            {rack: scene.held.attributes(node).get(rack) for rack in terms.RACKS}
            for node in members(scene.cib)
        ]
        racks = [value[attribute] for value in values]
        first = [next((v for v in value.values() if v), None) for value in values]
        if None in racks or racks != first:
            return f"not every node has the attribute {attribute}"
    return ""


def _large(one: etree._Element, scene: _Scene) -> str:
    """Tell of two that must be together and both have a size.

    Where no node has room for both, Pacemaker takes one by the order of its own tables.
    """
    ends = [terms.alone(one, end, scene.held) for end in ("rsc", "with-rsc")]
    if number(str(one.get("score", "0"))) < INFINITY:
        return ""
    if not scene.sized.issuperset(map(str, ends)):
        return ""
    return (
        f"{ends[0]} must be with {ends[1]}, and where no node has room for both, "
        "Pacemaker's choice is not known"
    )


def _odd_order(one: etree._Element, scene: _Scene, alone: set[str]) -> str:
    """Return what is not known of an order that a guest may wait by."""
    if len(one):
        return "an order of sets is not reckoned with"
    held = scene.held
    first, then = (
        terms.alone(one, "first", held),
        terms.alone(one, "then", held),
    )
    if {first, then} <= scene.sized:
        return (
            f"{then} waits for {first}, and may be what has to make room for it: "
            "Pacemaker can then start neither"
        )
    if _are_apart(first, then, scene):
        return (
            f"{then} waits for {first}, which may have to wait until {then} has left: "
            "Pacemaker can then start neither"
        )
    if then is None or not terms.is_mandatory(one):
        return ""
    if not terms.is_start(one):
        return "an order of other actions, or of one direction, is not reckoned with"
    if {first, then} <= alone or not _named_first(one, held):
        return ""
    top = held.collective(str(one.get("first")))
    if top is not None and _is_everywhere(top, scene) and _runs(top, scene):
        return ""
    return f"{then} waits for {one.get('first')}, and whether that runs is not known"


def _are_apart(first: str | None, then: str | None, scene: _Scene) -> bool:
    """Tell whether what waits for the other also shuns it, or is shunned by it."""
    return any(
        term.score < 0 and {term.guest, term.with_guest} == {first, then}
        for term in scene.told.colocations
    )


def _named_first(one: etree._Element, held: Inventory) -> bool:
    """Tell whether there is what an order puts first; it says nothing else."""
    return any(held.within(name) for name in held.named(str(one.get("first"))))


def _runs(top: etree._Element, scene: _Scene) -> bool:
    """Tell whether an instance of a clone was started and not stopped since."""
    inside = {str(one.get("id")) for one in top.iter("primitive")}
    for history in scene.cib.iterfind("status/node_state/lrm//lrm_resource"):
        if str(history.get("id")).partition(":")[0] in inside:
            done = list(history.iterfind("lrm_rsc_op"))
            last = max(
                done, key=lambda op: number(str(op.get("call-id"))), default=None
            )
            if last is None or last.get("operation") == "stop":
                continue
            if last.get("rc-code") == "0":
                return True
    return scene.cib.find("status/node_state") is None


def _circle(scene: _Scene) -> Iterator[str]:
    """Tell whether colocations go round; who comes first is then Pacemaker's own."""
    edges = {(one.guest, one.with_guest) for one in scene.told.colocations}
    size = -1
    while size != len(edges):
        size = len(edges)
        led, leading = {one for one, _ in edges}, {other for _, other in edges}
        edges = {(one, to) for one, to in edges if to in led and one in leading}
    names = sorted({one for one, _ in edges} & scene.near)
    if names:
        yield f"colocations of {some(names)} go round in a circle"


def _entangled(scene: _Scene) -> Iterator[str]:
    """Tell whether more are placed by one another than the planner follows."""
    pairs = [(one.guest, one.with_guest) for one in scene.told.colocations]
    found = chains.counted(pairs, len(scene.cib.findall("configuration/nodes/node")))
    if found.are_too_many:
        yield (
            f"the colocations around {found.guest} make more chains than can be "
            "followed; Pacemaker itself may not come to an end (vmha check)"
        )
