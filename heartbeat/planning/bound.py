"""Guests that must be together: who is bound to whom, and who leads.

Rules that share a guest bind all of theirs. A guest with ha off binds nobody: nothing
moves it, so the others can only follow it.
"""

from __future__ import annotations

from collections.abc import Mapping

from vmha.heartbeat.planning.model import Cluster, Together

Sets = Mapping[str, "tuple[str, ...]"]


def sets(cluster: Cluster) -> Sets:
    """Return, for each guest that is bound, all of its set with the leader first.

    The leader is the first named guest that no other rule makes a follower.
    """
    managed = {guest.name for guest in cluster.guests if guest.ha}
    rules = [
        rule.guests
        for rule in sorted(cluster.rules, key=repr)
        if isinstance(rule, Together) and rule.hard and managed.issuperset(rule.guests)
    ]
    found: dict[str, frozenset[str]] = {}
    for names in rules:
        joined = frozenset(names).union(*(found.get(name, ()) for name in names))
        found.update(dict.fromkeys(joined, joined))
    followers = {name for names in rules for name in names[1:]}
    first = [names[0] for names in rules]
    ordered: dict[str, tuple[str, ...]] = {}
    for name, members in found.items():
        leaders = [one for one in first if one in members]
        leader = min(leaders, key=lambda one: (one in followers, first.index(one)))
        ordered[name] = (leader, *sorted(members - {leader}))
    return {name: members for name, members in ordered.items() if len(members) > 1}


def companies(cluster: Cluster) -> Mapping[str, str]:
    """Return, for each guest that must be together with others, who stands for them.

    It is the first named, ha or not; a guest with ha off belongs to them too.
    """
    found: dict[str, str] = {}
    for rule in sorted(cluster.rules, key=repr):
        if isinstance(rule, Together) and rule.hard:
            first = found.get(rule.guests[0], rule.guests[0])
            joined = {found.get(name, name) for name in rule.guests}
            members = [name for name, company in found.items() if company in joined]
            found.update(dict.fromkeys((*rule.guests, *members), first))
    return found
