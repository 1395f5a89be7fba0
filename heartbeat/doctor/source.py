"""Where the evidence comes from: files that were named, or the cluster of this node.

Called by ``command.check``; here the effects are, and none in the checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Refused, Unreachable
from vmha.heartbeat.doctor import asking, cib, facts, quorate
from vmha.heartbeat.doctor.cib import Cib
from vmha.heartbeat.doctor.evidence import Evidence, Facts
from vmha.heartbeat.doctor.survival import plan_of
from vmha.heartbeat.pacemaker import saved, simulate

if TYPE_CHECKING:
    from vmha.heartbeat.clusterfile.content import ClusterFile
    from vmha.heartbeat.planning.failures import Progress
    from vmha.heartbeat.planning.outcome import Plan

CIB_ANSWERS_S = 5.0
PLAN_S = 60.0
FILE_ANSWERS_S = 30.0


@dataclass(frozen=True)
class Request:
    """What was named on the command line.

    ``asks`` tells that the nodes of the live cluster are to be asked.
    """

    file: str = ""
    cib: str = ""
    facts: Sequence[str] = ()
    live: bool = False
    asks: bool = True


def gather(
    request: Request, environ: Mapping[str, str], progress: Progress | None = None
) -> Evidence:
    """Return the evidence; raises AgentError or BadClusterFile for an unusable source.

    Without any source the cluster of this node is meant. A CIB counts before the one
    that a cluster file would become. Unusable (an AgentError) is raised for a file that
    was named.
    """
    is_live = request.live or not (request.file or request.cib or request.facts)
    file = _file(request.file) if request.file else None
    found = _configuration(request, is_live, file)
    given = {told.node: told for told in map(_saved, request.facts)}
    asks = is_live and request.asks
    told: Mapping[str, Facts] = {}
    unasked: Mapping[str, str] = {}
    if asks:
        own = asking.own_name(Deadline(CIB_ANSWERS_S))
        nodes = [n for n in found.nodes if n not in given]
        told, unasked = asking.ask(nodes, own, environ)
    plan, why_not = planned(found, file, {**told, **given}, progress)
    return Evidence(
        file=file,
        plan=plan,
        why_no_plan=why_not,
        cib=found,
        has_cib=bool(is_live or request.cib or file),
        facts={**told, **given},
        unasked=unasked,
        was_asked=asks,
    )


def rendered(file: ClusterFile) -> Cib:
    """Return the CIB that ``vmha render`` would make of a cluster file."""
    from vmha.heartbeat.clusterfile.planned import cluster_of
    from vmha.heartbeat.pacemaker import cib as writing
    from vmha.heartbeat.pacemaker.rendering import configuration
    from vmha.heartbeat.planning.instructions import instructions

    cluster = cluster_of(file)
    made = configuration(file, cluster, instructions(cluster))
    return Cib(writing.document(made), is_rendered=True)


def planned(
    found: Cib,
    file: ClusterFile | None,
    told: Mapping[str, Facts],
    progress: Progress | None = None,
) -> tuple[Plan | None, str]:
    """Plan the failures that are to be survived; return the plan, or why there is none.

    Of a configuration in which nothing runs it is the plan after everything started.
    """
    from vmha.heartbeat.clusterfile.planned import cluster_of

    wanted = file.policy.tolerate if file is not None else 1
    parts = [part for facts_of in told.values() for part in [facts_of.part("corosync")]]
    votes = quorate.of_facts(part for part in parts if part is not None)
    has_arbiter, last_man, two_node = votes.qdevice, votes.last_man, None
    if any(part is not None for part in parts):  # what runs counts over what is wanted
        two_node = votes.two_node
    elif file is not None:
        has_arbiter, two_node = file.qdevice is not None, file.two_node
        last_man = cluster_of(file).last_man
    try:
        running = simulate.current(found.root, Deadline(PLAN_S)) if found.nodes else {}
        made = plan_of(
            found, running, wanted, has_arbiter, last_man, two_node, progress
        )
        return made and quorate.weighed(made, votes, wanted), ""
    except AgentError as problem:
        return None, f"where guests run is not known: {problem}"


def _configuration(request: Request, is_live: bool, file: ClusterFile | None) -> Cib:
    if request.cib:
        return _named(request.cib)
    if is_live:
        return facts.read_cib(Deadline(CIB_ANSWERS_S))
    return rendered(file) if file is not None else cib.nothing()


def _file(path: str) -> ClusterFile:
    from vmha.heartbeat.clusterfile.reading import read

    return read(path)


def _named(path: str) -> Cib:
    try:
        found = cib.parse(saved.text(path, Deadline(FILE_ANSWERS_S)))
    except Unreachable as problem:
        raise saved.Unusable(f"{path} cannot be used: {problem}") from problem
    if not found.nodes:
        raise saved.Unusable(
            f"{path} cannot be used: it has no node, so there is nothing to look at; "
            "save the CIB of a cluster (cibadmin --query)"
        )
    return found


def _saved(path: str) -> Facts:
    text = saved.text(path, Deadline(FILE_ANSWERS_S))
    try:
        return asking.read(text)
    except Refused as problem:
        raise saved.Unusable(f"{path}: {problem}") from problem
