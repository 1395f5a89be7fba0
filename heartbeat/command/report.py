"""A plan in words and tables, for people; programs get its JSON.

Called by plan and whatif.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.command.tables import Table, show
from vmha.heartbeat.planning.model import Cluster
from vmha.heartbeat.planning.outcome import Free, Outcome, Plan

SHOWN_NAMES = 6
NUMBERS = frozenset(
    {
        "runs again",
        "stays down",
        "stopped",
        "moved",
        "better packing",
        "free CPU",
        "free MiB",
        "keep CPU",
        "keep MiB",
    }
)


def warnings(streams: Streams, sentences: Iterable[str]) -> None:
    """Write the warnings, one line each."""
    told = list(sentences)
    for sentence in told:
        streams.line(f"warning: {sentence}")
    if told:
        streams.line()


def outcomes(
    streams: Streams,
    plan: Plan,
    title: str,
    *,
    is_whole: bool,
    is_searched: bool,
) -> None:
    """Write what each failure does: a summary, then everything that is not smooth.

    ``is_whole`` shows every name where a long list is otherwise cut short.
    """
    show(streams, _summary(plan.failures, is_searched, title))
    show(streams, _placed(plan.failures, is_whole))
    show(streams, _down(plan.failures, is_whole))
    show(streams, _stopped(plan.failures))
    show(streams, _moved(plan.failures))
    show(streams, _better(plan.failures))
    if is_searched and not plan.exact:
        streams.line(
            "The search for better packings hit its bound: there may be better ones."
        )
        streams.line()


def headroom(
    streams: Streams, free: Mapping[str, Free], kept: Mapping[str, Free]
) -> None:
    """Write what is free on each node, and what it must keep free for failures."""
    rows = [
        [
            node,
            str(has.cpu),
            str(has.memory_mib),
            str(kept[node].cpu) if node in kept else "-",
            str(kept[node].memory_mib) if node in kept else "-",
        ]
        for node, has in free.items()
    ]
    columns = ["node", "free CPU", "free MiB", "keep CPU", "keep MiB"]
    title = "Free now, and what each failure examined takes of it at most (keep)"
    show(streams, Table(title, columns, rows, NUMBERS))


def size(cluster: Cluster) -> str:
    """Say how large a cluster is."""
    return (
        f"{_count(len(cluster.nodes), 'node')}, {_count(len(cluster.guests), 'guest')}"
    )


def verdict(plan: Plan, cluster: Cluster, unit: str) -> str:
    """Say how many failures are tolerated; ``unit`` is node or rack."""
    has_ha = any(guest.ha for guest in cluster.guests)
    tolerated = plan.tolerates
    if not plan.is_certain:
        known = f"It is not certain that every loss of a {unit} is tolerated"
        if tolerated:
            lost = f"any {_count(tolerated, unit)}"
            known = f"The loss of {lost} is tolerated; of more it is not certain"
        return f"{known}: see the warnings."
    if tolerated == 0:
        return (
            f"Not every loss of a {unit} is tolerated: guests stay down or are stopped."
        )
    lost = f"any {_count(tolerated, unit)}"
    if not has_ha:
        return f"The loss of {lost} takes no guest that Pacemaker would restart."
    return f"The loss of {lost} is tolerated: every guest with ha runs again."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _lost(outcome: Outcome) -> str:
    return ", ".join(outcome.lost) or "-"


def _summary(failures: Sequence[Outcome], is_searched: bool, title: str) -> Table:
    columns = ["lost", "runs again", "stays down", "stopped", "moved"]
    if is_searched:
        columns.append("better packing")
    rows = []
    for outcome in failures:
        counts: list[Sequence[object] | Mapping[str, str]] = [
            outcome.placed,
            outcome.unplaced,
            outcome.preempted,
            outcome.moved,
        ]
        if is_searched:
            counts.append(outcome.could_place)
        rows.append([_lost(outcome), *(str(len(one)) for one in counts)])
    return Table(title, columns, rows, NUMBERS)


def _placed(failures: Sequence[Outcome], is_whole: bool) -> Table:
    rows = []
    for outcome in failures:
        to: dict[str, list[str]] = {}
        for guest, node in sorted(outcome.placed.items()):
            to.setdefault(node, []).append(guest)
        for node, guests in sorted(to.items()):
            rows.append([_lost(outcome), node, _names(guests, is_whole)])
    return Table("Runs again", ["lost", "on", "guests"], rows)


def _names(guests: Sequence[str], is_whole: bool) -> str:
    more = len(guests) - SHOWN_NAMES
    if is_whole or more <= 1:
        return ", ".join(guests)
    return f"{', '.join(guests[:SHOWN_NAMES])} and {more} more"


def _down(failures: Sequence[Outcome], is_whole: bool) -> Table:
    """List who stays down; those with one reason share a row."""
    rows = []
    for outcome in failures:
        alike: dict[tuple[str, str], list[str]] = {}
        for entry in outcome.unplaced:
            alike.setdefault((entry.reason, entry.text), []).append(entry.guest)
        for (reason, text), guests in alike.items():
            rows.append([_lost(outcome), _names(guests, is_whole), reason, text])
    return Table("Stays down", ["lost", "guests", "reason", "why"], rows)


def _stopped(failures: Sequence[Outcome]) -> Table:
    rows = [
        [_lost(outcome), entry.guest, entry.from_node, entry.for_guest or "-"]
        for outcome in failures
        for entry in outcome.preempted
    ]
    return Table(
        "Stopped although its node lives", ["lost", "guest", "on", "for"], rows
    )


def _moved(failures: Sequence[Outcome]) -> Table:
    rows = [
        [_lost(outcome), move.guest, move.from_node, move.to]
        for outcome in failures
        for move in outcome.moved
    ]
    return Table("Moved although its node lives", ["lost", "guest", "from", "to"], rows)


def _better(failures: Sequence[Outcome]) -> Table:
    rows = [
        [_lost(outcome), ", ".join(outcome.could_place)]
        for outcome in failures
        if outcome.could_place
    ]
    return Table("A better packing would start besides", ["lost", "guests"], rows)
