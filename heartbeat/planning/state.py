"""What is not as in a whole cluster that runs by vmha's configuration alone.

Called by the commands for a cluster that runs; that of a file has nothing of it. What
Pacemaker is told (``told``) is then what was read, and follows the guests when they are
changed in thought.
"""

from __future__ import annotations

from typing import NamedTuple

from vmha.heartbeat.planning import bound, scores
from vmha.heartbeat.planning.instructions import (
    SIZE,
    SYMMETRIC,
    ColocationTerm,
    GuestTerms,
    Instructions,
    LocationTerm,
)
from vmha.heartbeat.planning.model import Cluster, Guest


class State(NamedTuple):
    """Nodes that are ``gone``, in ``standby``, or ``frozen``: in maintenance.

    A node in maintenance keeps its guests, which Pacemaker then lets be, and gets no
    other. ``told`` is what Pacemaker is told, None for what vmha would tell it.
    """

    gone: tuple[str, ...] = ()
    standby: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    told: Instructions | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether every node takes guests."""
        return not (self.gone or self.standby or self.frozen)

    def amended(self, before: Cluster, after: Cluster) -> State:
        """Return the state with what changed between the clusters' guests told."""
        if self.told is None:
            return self
        return self._replace(told=amended(self.told, before, after))


def amended(told: Instructions, before: Cluster, after: Cluster) -> Instructions:
    """Return instructions in which guests are added, removed and resized alike."""
    old = {guest.name: guest for guest in before.guests}
    new = {guest.name: guest for guest in after.guests}
    gone = old.keys() - new.keys()
    carriers = _carriers(told, before)
    cpu: dict[str, int] = {}
    memory: dict[str, int] = {}
    for name in old.keys() & new.keys():
        at = carriers.get(name, name)
        cpu[at] = cpu.get(at, 0) + new[name].cpu - old[name].cpu
        memory[at] = memory.get(at, 0) + new[name].memory_mib - old[name].memory_mib
    kept = [
        terms._replace(
            cpu=terms.cpu + cpu.get(terms.name, 0),
            memory_mib=terms.memory_mib + memory.get(terms.name, 0),
        )
        for terms in told.guests
        if terms.name not in gone
    ]
    come = sorted(new.keys() - old.keys())
    kept += [_terms(new[name]) for name in come]
    locations = [one for one in told.locations if not _names(one) & gone]
    if told.properties.get(SYMMETRIC) == "false":
        # Where nothing names it, a guest of an opt-in cluster runs nowhere.
        nodes = [node.name for node in after.nodes]
        locations += [
            LocationTerm(name, at, -scores.INFINITY) for name in come for at in nodes
        ]
    return told._replace(
        guests=tuple(kept),
        locations=tuple(locations),
        colocations=tuple(one for one in told.colocations if not _names(one) & gone),
        orders=tuple(one for one in told.orders if not {*one} & gone),
    )


def _terms(guest: Guest) -> GuestTerms:
    meta = {"priority": str(guest.priority)}
    return GuestTerms(guest.name, meta, guest.cpu, guest.memory_mib)


def _names(term: LocationTerm | ColocationTerm) -> set[str]:
    if isinstance(term, LocationTerm):
        return {term.guest}
    return {term.guest, term.with_guest}


def _carriers(told: Instructions, cluster: Cluster) -> dict[str, str]:
    """Return who is told to need what another needs: of a set by vmha, its leader."""
    sized = {terms.name for terms in told.guests if SIZE in terms.meta}
    sets = bound.sets(cluster)
    return {name: sets[name][0] for name in sized if name in sets}
