"""What an apply would do: the changes, what Pacemaker does on them, what is against it.

Called by diff, apply and undo. Nothing is changed here: it is a CIB read, a CIB to be,
and crm_simulate's word and the planner's on the second, also with what others told
Pacemaker there.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from vmha.heartbeat.pacemaker import (
    admission,
    margin,
    options,
    questions,
    rendering,
    stopped,
)
from vmha.heartbeat.pacemaker.difference import Change, changes, version
from vmha.heartbeat.pacemaker.forecast import forecast
from vmha.heartbeat.pacemaker.target import Conflict, raised, target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vmha.agents.protocol.deadline import Deadline
    from vmha.heartbeat.clusterfile.content import ClusterFile
    from vmha.heartbeat.pacemaker.simulate import Action, Outcome
    from vmha.heartbeat.planning.model import Cluster

    Progress = Callable[[str], None]


def _silent(_: str) -> None:
    """Show nobody how far the work is."""


class Proposal(NamedTuple):
    """A change of the cluster, before it is made.

    ``conflicts`` need an option or another file, ``reasons`` are against it and can be
    overruled by --force. ``actions`` are what Pacemaker would do with guests, and
    ``warnings`` what of it all is not known.
    """

    before: etree._Element
    after: etree._Element
    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    kept: tuple[str, ...]
    actions: tuple[Action, ...]
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()

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
    progress: Progress = _silent,
) -> Proposal:
    """Return what applying the file to this CIB would do; tell progress how far it is.

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
    progress("asking Pacemaker what it would do")
    then = forecast(to_be.cib, deadline)
    reasons = admission.stopped(live, to_be.cib, then.outcome)
    wanted_up = stopped.left_out(located(cluster, then.outcome.after), to_be.cib)
    unsafe = admission.unsafe(wanted_up, then.outcome)
    warnings = then.warnings
    if not unsafe:
        asking = questions.shown(progress)
        verdict = margin.lessened(live, then, cluster, deadline, asking)
        unsafe += verdict.reasons
        warnings += verdict.warnings
    reasons += unsafe
    reasons += admission.unfenced(to_be.cib, [n.name for n in cluster.nodes])
    reasons += admission.overwriting(to_be.cib)
    return Proposal(
        live,
        raised(to_be.cib),
        found,
        to_be.conflicts,
        to_be.kept,
        _of_guests(to_be.cib, live, then.outcome),
        tuple(reasons),
        tuple(warnings),
    )


def proposed(
    live: etree._Element,
    after: etree._Element,
    deadline: Deadline,
    progress: Progress = _silent,
) -> Proposal:
    """Return what a CIB that was made otherwise (by undo) would do."""
    found = changes(live, after)
    if not found:
        return Proposal(live, live, (), (), (), (), ())
    progress("asking Pacemaker what it would do")
    then = forecast(after, deadline)
    actions = _of_guests(after, live, then.outcome)
    warnings = tuple(then.warnings)
    return Proposal(live, raised(after), found, (), (), actions, (), warnings)


def located(cluster: Cluster, running: Mapping[str, str]) -> Cluster:
    """Return the planner's cluster with each guest where it runs."""
    guests = tuple(g._replace(runs_on=running.get(g.name)) for g in cluster.guests)
    return cluster._replace(guests=guests)


def _of_guests(
    after: etree._Element, before: etree._Element, outcome: Outcome
) -> tuple[Action, ...]:
    names = admission.guests(after) | admission.guests(before)
    return tuple(a for a in outcome.actions if a.resource in names)
