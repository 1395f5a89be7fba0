"""The cluster on one screen: nodes, guests, fencing, margin, last failovers. Pure.

Called by ``vmha status`` with what was read; it asks nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vmha.agents.cib import number
from vmha.heartbeat.doctor import devices
from vmha.heartbeat.doctor.cib import Cib, Resource
from vmha.heartbeat.doctor.down import is_stopped, why_down
from vmha.heartbeat.doctor.observed import Fencing, Observed
from vmha.heartbeat.doctor.placement import Situation, why_here
from vmha.heartbeat.pacemaker.terms import MEMORY_NAMES
from vmha.heartbeat.planning.outcome import Plan
from vmha.heartbeat.planning.reasons import STOPPED as STOPPED_ALL
from vmha.heartbeat.planning.reasons import UNMANAGED

CPU = "cpu"
DOUBT = "Not reckoned with"
RUNS, DOWN, STOPPED, MOVING = "running", "down", "stopped", "moving"


class NodeRow(NamedTuple):
    """A node: its state, and what its guests take of what it offers."""

    name: str
    state: str
    guests: int
    cpu_used: int
    cpu: int
    memory_used_mib: int
    memory_mib: int


class GuestRow(NamedTuple):
    """A guest: where it is, or why it is nowhere. ``guest_class`` may be ""."""

    name: str
    guest_class: str
    priority: int
    state: str
    node: str | None
    why: str


class DeviceRow(NamedTuple):
    """A fence device: whom it fences, and how its last monitor went."""

    name: str
    agent: str
    targets: tuple[str, ...]
    is_well: bool
    said: str


class Margin(NamedTuple):
    """How many failures are survived; ``text`` names what is lost on the first not."""

    tolerates: int
    wanted: int
    text: str

    @property
    def holds(self) -> bool:
        """Tell whether as many failures are survived as are wanted."""
        return self.tolerates >= self.wanted


class Overview(NamedTuple):
    """All of it; ``margin`` is None where it could not be computed."""

    dc: str
    version: str
    has_quorum: bool
    nodes: tuple[NodeRow, ...]
    guests: tuple[GuestRow, ...]
    devices: tuple[DeviceRow, ...]
    unfenced: tuple[str, ...]
    margin: Margin | None
    fencings: tuple[Fencing, ...]

    @property
    def is_well(self) -> bool:
        """Tell whether nothing of it asks for somebody."""
        return (
            self.has_quorum
            and all(node.state == "online" for node in self.nodes)
            and not any(guest.state == DOWN for guest in self.guests)
            and all(device.is_well for device in self.devices)
            and not self.unfenced
            and (self.margin is None or self.margin.holds)
        )


def of(
    cib: Cib,
    observed: Observed,
    plan: Plan | None,
    wanted: int,
    classes: Mapping[str, str],
) -> Overview:
    """Put the overview together; ``classes`` names guests' classes where known."""
    now = Situation(cib, observed)
    rows = [_device(device, observed) for device in cib.devices]
    covered = {target for row in rows for target in row.targets}
    tells_itself = any(devices.targets(d) is None for d in cib.devices)
    bare = [] if tells_itself or devices.has_watchdog(cib) else cib.nodes
    return Overview(
        observed.dc,
        observed.version,
        observed.has_quorum,
        tuple(_node(name, now) for name in observed.nodes),
        tuple(_guest(guest, now, classes.get(guest.id, "")) for guest in cib.guests),
        tuple(rows),
        tuple(node for node in bare if node not in covered),
        None if plan is None else margin(plan, wanted),
        observed.fencings,
    )


def margin(plan: Plan, wanted: int) -> Margin:
    """Sum up a plan in one sentence."""
    if plan.tolerates >= wanted:
        number_of = "any failure" if wanted == 1 else f"any {wanted} failures"
        return Margin(plan.tolerates, wanted, f"{number_of} would be survived by all")
    if not plan.is_certain:
        text = "it is not certain which failures would be survived"
        doubts = [told for told in plan.warnings if told.startswith(DOUBT)]
        text += f" ({len(doubts)} things are not reckoned with: vmha plan --live)"
        return Margin(plan.tolerates, wanted, text)
    for outcome in plan.failures:
        down = [entry.guest for entry in outcome.unplaced if entry.reason != "not-ha"]
        down += [entry.guest for entry in outcome.preempted]
        helpless = {e.reason for e in outcome.unplaced if e.guest in down}
        if helpless and helpless <= {UNMANAGED, STOPPED_ALL}:
            left = ", ".join(down[:4])
            text = f"without {', '.join(outcome.lost)} nothing restarts {left}"
            return Margin(plan.tolerates, wanted, text)
        if down:
            lost, left = ", ".join(outcome.lost), ", ".join(down[:4])
            more = f" and {len(down) - 4} more" if down[4:] else ""
            text = f"without {lost} there is no place for {left}{more}"
            return Margin(plan.tolerates, wanted, text)
    return Margin(plan.tolerates, wanted, "there is no second node to fail over to")


def _node(name: str, now: Situation) -> NodeRow:
    offered = now.cib.capacity(name)
    memory = next((key for key in MEMORY_NAMES if key in offered), MEMORY_NAMES[0])
    guests = [g for g in now.cib.guests if now.observed.where(g.id) == name]
    return NodeRow(
        name,
        now.observed.nodes[name].word,
        len(guests),
        now.used(name, CPU),
        number(offered.get(CPU, "0")),
        now.used(name, memory),
        number(offered.get(memory, "0")),
    )


def _guest(guest: Resource, now: Situation, guest_class: str) -> GuestRow:
    node = now.where(guest.id)
    state = now.observed.resources.get(guest.id)
    priority = number(guest.meta.get("priority", "0"))
    if node is None:
        word = STOPPED if is_stopped(guest, now) else DOWN
        return GuestRow(
            guest.id, guest_class, priority, word, None, why_down(guest, now)
        )
    if state is not None and state.is_failed:
        why = _failure(guest.id, now.observed) or "an operation of it failed"
        return GuestRow(guest.id, guest_class, priority, DOWN, node, why)
    word = MOVING if state is not None and state.pending else RUNS
    why = why_here(guest, node, now)
    return GuestRow(guest.id, guest_class, priority, word, node, why)


def _device(device: Resource, observed: Observed) -> DeviceRow:
    state = observed.resources.get(device.id)
    runs = state is not None and bool(state.nodes) and not state.is_failed
    failure = _failure(device.id, observed)
    said = failure or ("" if runs else "it is not running")
    if runs and not failure and state is not None:
        said = f"monitored by {state.nodes[0]}"
    targets = tuple(sorted(devices.targets(device) or ()))
    kind = devices.kind(device)
    return DeviceRow(device.id, kind, targets, runs and not failure, said)


def _failure(resource: str, observed: Observed) -> str:
    """Return the words of a resource's last recorded failure, "" without one."""
    failures = [f for f in observed.failures if f.resource == resource]
    if not failures:
        return ""
    last = failures[-1]
    return f"{last.operation} failed on {last.node}: {last.reason}"
