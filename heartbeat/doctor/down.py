"""Why a guest runs nowhere. Pure.

Called by explain and status. The reasons are looked for in the order in which Pacemaker
would let them count: what is meant to be so, what holds for the whole cluster, what the
guest waits for, and at last the nodes one by one (``placement``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from vmha.agents.cib import INFINITY, number
from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.cib import Resource
from vmha.heartbeat.doctor.placement import Situation, obstacles
from vmha.heartbeat.pacemaker import terms
from vmha.heartbeat.pacemaker.inventory import is_true

STOPPED = "stopped"


def why_down(guest: Resource, now: Situation) -> str:
    """Return the reason why a guest runs nowhere."""
    for reason in _REASONS:
        found = reason(guest, now)
        if found:
            return found
    blocked = {n: obstacles(guest, n, now) for n in now.observed.nodes}
    if all(blocked.values()):
        return "no node can take it; each node's reason is beside it"
    free = ", ".join(n for n, found in blocked.items() if not found)
    return f"nothing is seen that keeps it from {free}: the cluster may be about to act"


def is_stopped(guest: Resource, now: Situation) -> bool:
    """Tell whether a guest is meant to be down, by its own or the default role."""
    default = now.cib.resource_defaults.get("target-role", "")
    return guest.meta.get("target-role", default).lower() == STOPPED


def _of_role(guest: Resource, now: Situation) -> str:
    if not is_stopped(guest, now):
        return ""
    whose = "its" if "target-role" in guest.meta else "the default"
    return f"{whose} target-role is Stopped: somebody told the cluster to stop it"


def _of_all(guest: Resource, now: Situation) -> str:
    """Say what stops, or leaves alone, everything."""
    state = now.observed.resources.get(guest.id)
    if is_true(now.cib.option("stop-all-resources")):
        return "stop-all-resources is true: the cluster is told to stop everything"
    if not now.observed.has_quorum:
        return "this part of the cluster has no quorum, and runs nothing"
    if state is not None and not state.is_managed:
        is_whole = is_true(now.cib.option("maintenance-mode"))
        why = "the cluster is in maintenance" if is_whole else "it is not managed"
        return f"{why}: the cluster may not start it"
    return ""


def _of_lost_nodes(guest: Resource, now: Situation) -> str:
    """Say that Pacemaker waits for the proof that a failed node is off.

    A guest that was there is not started elsewhere before; neither is any other, since
    all starts that need fencing wait for all nodes that are to be fenced.
    """
    if not now.lost or not is_true(now.cib.option(*devices.ENABLED) or "true"):
        return ""
    was_on = now.observed.where(guest.id)
    lost = was_on if was_on in now.lost else now.lost[0]
    ways = devices.ways(now.cib, lost)
    usable = any(all(devices.is_usable(now.cib, d, lost) for d in way) for way in ways)
    text = f"{lost} is lost and not yet proven off, and nothing is started before"
    if was_on == lost:
        text = f"it was on {lost}, which is lost and not yet proven off"
    if not usable and not devices.has_watchdog(now.cib):
        return (
            f"{text}; no fence device can prove it: switch {lost} off and confirm it "
            f"with pcs stonith confirm {lost}"
        )
    return f"{text}: the cluster is fencing it, or tries to"


def _of_operations(guest: Resource, now: Situation) -> str:
    state = now.observed.resources.get(guest.id)
    if state is not None and state.is_blocked:
        return "it is blocked: an operation of it failed, and nothing may be done to it"
    if state is not None and state.pending:
        return f"it is on its way: {state.pending}"
    return ""


def _of_tickets(guest: Resource, now: Situation) -> str:
    granted = {
        one.get("id")
        for one in now.cib.root.iterfind("status/tickets/ticket_state")
        if is_true(one.get("granted")) and not is_true(one.get("standby"))
    }
    for one in now.cib.constraints("rsc_ticket"):
        named = {one.get("rsc"), *(ref.get("id") for ref in one.iter("resource_ref"))}
        if named & _owners(guest, now) and one.get("ticket") not in granted:
            return f"it depends on the ticket {one.get('ticket')}, which is not granted"
    return ""


def _of_orders(guest: Resource, now: Situation) -> str:
    """Name the first resource that must run before the guest and does not."""
    own = _owners(guest, now)
    for order in now.cib.constraints("rsc_order"):
        for first in _before(order, own):
            if not _runs(first, now):
                return f"it is started after {first}, which does not run"
    return ""


def _before(order: etree._Element, own: set[str]) -> Iterator[str]:
    """Yield what a mandatory order of starts puts before one of these."""
    actions = {order.get(name) or "start" for name in ("first-action", "then-action")}
    if not terms.is_mandatory(order) or actions != {"start"}:
        return
    if order.get("then") in own and order.get("first"):
        yield str(order.get("first"))
    earlier: list[str] = []
    for listed in order.iterfind("resource_set"):
        names = [str(ref.get("id")) for ref in listed.iterfind("resource_ref")]
        mine = [at for at, name in enumerate(names) if name in own]
        if mine:
            in_turn = is_true(listed.get("sequential") or "true")
            yield from (*earlier, *(names[: mine[0]] if in_turn else ()))
        earlier = names


def _of_company(guest: Resource, now: Situation) -> str:
    """Name what the guest must be with, and which runs nowhere."""
    own = _owners(guest, now)
    for one in now.cib.constraints("rsc_colocation"):
        score = number(one.get("score") or "INFINITY")
        other = str(one.get("with-rsc") or "")
        if one.get("rsc") in own and score >= INFINITY and not _runs(other, now):
            return f"it must be with {other}, which does not run"
    return ""


def _owners(guest: Resource, now: Situation) -> set[str]:
    """Return the guest's id and those of what it stands in."""
    outer = now.cib.root.iterfind("configuration/resources//*")
    names = {str(one.get("id")) for one in outer}
    return {n for n in names if guest.id in now.cib.inside(n)} | {guest.id}


def _runs(name: str, now: Situation) -> bool:
    """Tell whether a resource runs; one that is not there is not waited for."""
    inside = now.cib.inside(name)
    return not inside or all(now.places(one) for one in inside)


_REASONS: tuple[Callable[[Resource, Situation], str], ...] = (
    _of_role,
    _of_all,
    _of_operations,
    _of_lost_nodes,
    _of_tickets,
    _of_orders,
    _of_company,
)
