"""What is wrong with a cluster before anything fails, in sentences.

What Pacemaker does about it at once is told too: it empties an over-full node, and
moves or stops guests that break a hard rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.planning.model import (
    HOST,
    Avoid,
    Cluster,
    Pin,
    Rule,
    Spread,
    Together,
)
from vmha.heartbeat.planning.prediction import Scheduler


def of(scheduler: Scheduler) -> Iterator[str]:
    """Yield one sentence for each thing that is wrong today."""
    cluster = scheduler.cluster
    yield from static(cluster)
    yield from _full(cluster)
    for rule in sorted(cluster.rules, key=repr):
        yield from _broken(cluster, rule)
    yield from _at_once(scheduler)


def static(cluster: Cluster) -> Iterator[str]:
    """Yield what is wrong wherever the guests run, as is told of a cluster file."""
    yield from _too_large(cluster)
    for rule in sorted(cluster.rules, key=repr):
        yield from _unrestarted(cluster, rule)
        if isinstance(rule, Spread):
            yield from _too_wide(cluster, rule)


def _full(cluster: Cluster) -> Iterator[str]:
    for node in cluster.nodes:
        here = [guest for guest in cluster.guests if guest.runs_on == node.name]
        memory = sum(guest.memory_mib for guest in here) - node.memory_mib
        cpu = sum(guest.cpu for guest in here) - node.cpu
        over = []
        if memory > 0:
            over.append(f"{memory} MiB")
        if cpu > 0:
            over.append(f"{cpu} CPUs")
        if over:
            told = " and ".join(over)
            yield f"Node {node.name} holds {told} more than it has today."


def _too_large(cluster: Cluster) -> Iterator[str]:
    for guest in cluster.guests:
        if not any(
            node.cpu >= guest.cpu and node.memory_mib >= guest.memory_mib
            for node in cluster.nodes
        ):
            yield (
                f"Guest {guest.name} is larger than every node ({guest.cpu} CPUs, "
                f"{guest.memory_mib} MiB), so it can be started nowhere."
            )


def _unrestarted(cluster: Cluster, rule: Rule) -> Iterator[str]:
    for guest in cluster.guests:
        if not guest.ha and guest.name in rule.guests:
            yield (
                f"Guest {guest.name} is named by a rule ({_told(rule)}), but ha is off "
                "for it: nothing moves it, others are placed by where it is."
            )


def _broken(cluster: Cluster, rule: Rule) -> Iterator[str]:
    if not rule.hard:
        return
    racks = {node.name: node.rack for node in cluster.nodes}
    at = {
        guest.name: guest.runs_on
        for guest in cluster.guests
        if guest.name in rule.guests and guest.runs_on in racks
    }
    if isinstance(rule, Spread):
        seen: dict[str, str] = {}
        for name, node in sorted(at.items()):
            place = node if rule.across == HOST else racks[node]
            if place in seen:
                yield f"Rule broken today: {seen[place]} and {name} share {place}."
            seen.setdefault(place, name)
    elif isinstance(rule, Together):
        if len(set(at.values())) > 1:
            where = ", ".join(f"{name} on {node}" for name, node in sorted(at.items()))
            yield f"Rule broken today: guests to be together are apart ({where})."
    else:
        yield from _misplaced(rule, at)


def _misplaced(rule: Pin | Avoid, at: dict[str, str]) -> Iterator[str]:
    for name, node in sorted(at.items()):
        if (node in rule.nodes) == isinstance(rule, Avoid):
            yield f"Rule broken today: {name} runs on {node} ({_told(rule)})."


def _too_wide(cluster: Cluster, rule: Spread) -> Iterator[str]:
    places = {node.name if rule.across == HOST else node.rack for node in cluster.nodes}
    guests = set(rule.guests)
    if len(guests) > len(places):
        what = "hosts" if rule.across == HOST else "racks"
        kind = "stays down" if rule.hard else "shares one"
        yield (
            f"{len(guests)} guests are spread over {len(places)} {what} "
            f"({_told(rule)}): at least one {kind}."
        )


def _at_once(scheduler: Scheduler) -> Iterator[str]:
    """Yield what Pacemaker does before any failure."""
    now = scheduler.outcome()
    for entry in now.unplaced:
        home = scheduler.guests[entry.guest].runs_on
        if home in scheduler.standby:
            yield f"Without any failure, Pacemaker stops {entry.guest} on {home}."
        else:
            yield f"Guest {entry.guest} is down today and stays so. {entry.text}"
    for stopped in now.preempted:
        cause = f" for {stopped.for_guest}" if stopped.for_guest else ""
        yield (
            f"Without any failure, Pacemaker stops {stopped.guest} on "
            f"{stopped.from_node}{cause}."
        )
    for guest, source, target in now.moved:
        yield (
            f"Without any failure, Pacemaker moves {guest} from {source} to {target}."
        )
    for guest, node in now.placed.items():
        home = scheduler.guests[guest].runs_on
        if home in scheduler.standby:
            yield f"Without any failure, Pacemaker moves {guest} from {home} to {node}."
        else:
            yield f"Without any failure, Pacemaker starts {guest} on {node}."


def _told(rule: Rule) -> str:
    names = ", ".join(rule.guests)
    if isinstance(rule, Spread):
        return f"spread {names} across {rule.across}"
    if isinstance(rule, Together):
        return f"together {names}"
    if isinstance(rule, Pin):
        return f"pin {names} to {', '.join(rule.nodes)}"
    return f"avoid {names} on {', '.join(rule.nodes)}"
