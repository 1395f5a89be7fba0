"""What an apply would do: the changes, what Pacemaker does on them, what is against it.

Called by diff, apply and undo. Nothing is changed here: it is a CIB read, a CIB to be,
and crm_simulate's word and the planner's on the second.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from vmha.heartbeat.pacemaker import options, rendering, simulate
from vmha.heartbeat.pacemaker.difference import Change, changes, version
from vmha.heartbeat.pacemaker.live import GUEST_AGENTS, metas
from vmha.heartbeat.pacemaker.target import Conflict, raised, target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.clusterfile.content import ClusterFile
    from vmha.heartbeat.pacemaker.simulate import Action, Outcome
    from vmha.heartbeat.planning.model import Cluster

STOPPED_ROLES = ("stopped",)


class Proposal(NamedTuple):
    """A change of the cluster, before it is made.

    ``conflicts`` need an option or another file, ``reasons`` are against it and can be
    overruled by --force. ``actions`` are what Pacemaker would do with guests.
    """

    before: etree._Element
    after: etree._Element
    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    kept: tuple[str, ...]
    actions: tuple[Action, ...]
    reasons: tuple[str, ...]

    @property
    def version(self) -> str:
        """The version of the CIB that this was made for."""
        return version(self.before)


def propose(
    live: etree._Element,
    file: ClusterFile,
    deadline: Deadline,
    adopt: bool = False,
    remove: bool = False,
) -> Proposal:
    """Return what applying the file to this CIB would do.

    Raises NotInstalled, Refused or Unreachable when Pacemaker's tools do not answer.
    """
    from vmha.heartbeat.clusterfile.planned import cluster_of
    from vmha.heartbeat.planning.instructions import instructions

    cluster = cluster_of(file)
    wanted = rendering.configuration(file, cluster, instructions(cluster))
    wanted = options.spelt(wanted, options.known(deadline))
    to_be = target(live, wanted, adopt, remove)
    found = changes(live, to_be.cib)
    if not found:
        # What is true already needs no judgement: twice is no change.
        conflicts, kept = to_be.conflicts, to_be.kept
        return Proposal(live, live, (), conflicts, kept, (), ())
    outcome = simulate.simulate(to_be.cib, deadline)
    reasons = _against(live, to_be.cib, outcome)
    reasons += _unsafe(located(cluster, outcome.after))
    return Proposal(
        live,
        raised(to_be.cib),
        found,
        to_be.conflicts,
        to_be.kept,
        _of_guests(to_be.cib, live, outcome),
        tuple(reasons),
    )


def proposed(
    live: etree._Element, after: etree._Element, deadline: Deadline
) -> Proposal:
    """Return what a CIB that was made otherwise (by undo) would do."""
    found = changes(live, after)
    if not found:
        return Proposal(live, live, (), (), (), (), ())
    outcome = simulate.simulate(after, deadline)
    actions = _of_guests(after, live, outcome)
    return Proposal(live, raised(after), found, (), (), actions, ())


def located(cluster: Cluster, running: Mapping[str, str]) -> Cluster:
    """Return the planner's cluster with each guest where it runs."""
    guests = tuple(g._replace(runs_on=running.get(g.name)) for g in cluster.guests)
    return cluster._replace(guests=guests)


def _of_guests(
    after: etree._Element, before: etree._Element, outcome: Outcome
) -> tuple[Action, ...]:
    names = _guests(after) | _guests(before)
    return tuple(a for a in outcome.actions if a.resource in names)


def _guests(cib: etree._Element) -> set[str]:
    found = cib.iterfind("configuration/resources//primitive")
    return {str(one.get("id")) for one in found if one.get("type") in GUEST_AGENTS}


def _against(
    live: etree._Element, after: etree._Element, outcome: Outcome
) -> list[str]:
    """Return why Pacemaker's own prediction speaks against the change.

    A guest that is meant to be stopped (target-role, not managed) is none of these; nor
    is one that the change itself removes.
    """
    why = {one.resource: one.reason for one in outcome.actions}
    reasons = []
    told = metas(after)
    for name in sorted(_guests(after)):
        meta = told[name]
        is_meant = meta.get("target-role", "").lower() not in STOPPED_ROLES
        is_managed = meta.get("is-managed", "true").lower() == "true"
        if name in outcome.after or not is_meant or not is_managed:
            continue
        cause = f" ({why[name]})" if why.get(name) else ""
        if name in outcome.before:
            reasons.append(f"guest {name} runs now and would be stopped{cause}")
        elif name not in _guests(live):
            reasons.append(f"guest {name} would find no node that may run it{cause}")
    return reasons


def _unsafe(cluster: Cluster) -> list[str]:
    """Return what the planner has against the cluster as it would be."""
    from vmha.heartbeat.planning.failures import plan

    made = plan(cluster, max(1, cluster.tolerate), search=False)
    reasons = [f"{sentence}" for sentence in made.warnings]
    if made.tolerates >= cluster.tolerate:
        return reasons
    failed = next((one for one in made.failures if one.unplaced), None)
    said = (
        f"the cluster would survive {made.tolerates} failures, and the file asks for "
        f"{cluster.tolerate} (policy.tolerate)"
    )
    if failed is not None:
        lost = " and ".join(failed.lost)
        down = ", ".join(sorted(one.guest for one in failed.unplaced))
        said += f": without {lost}, these stay down: {down}"
    return [*reasons, said]
