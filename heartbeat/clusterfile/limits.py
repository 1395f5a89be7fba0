"""What is fine each by itself and too much together: sizes, and rules of many guests.

Called by ``reading`` on what a sound document says, sizes of XML included. Source:
utilization is kept in a C int by Pacemaker (Pacemaker Explained, "Utilization and
Placement Strategy": integers), which cuts what is larger at 2147483647: another number
than was meant. Of rules see ``chains``.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.clusterfile.content import ClusterFile, SpreadEntry, TogetherEntry
from vmha.heartbeat.clusterfile.document import Path, Section, line_of, path_text
from vmha.heartbeat.clusterfile.errors import Problem
from vmha.heartbeat.clusterfile.planned import cluster_of, guest_of, usable
from vmha.heartbeat.clusterfile.rules import Companies, Placed
from vmha.heartbeat.planning import chains
from vmha.heartbeat.planning.chains import Chains
from vmha.heartbeat.planning.instructions import instructions

LARGEST = 2**31 - 1


def problems(root: Section, file: ClusterFile, rules: list[Placed]) -> list[Problem]:
    """Return the sums over nodes, guests and sets of guests that are too large."""
    return [
        *_of_nodes(root, file),
        *_of_guests(root, file),
        *_of_companies(file, rules),
        *_of_chains(file, rules),
    ]


def entangling(file: ClusterFile) -> Chains:
    """Count the chains of colocations that the rules of a file are rendered as."""
    if not any(isinstance(rule, (SpreadEntry, TogetherEntry)) for rule in file.rules):
        return chains.counted((), len(file.nodes))
    told = instructions(cluster_of(file))
    pairs = [(one.guest, one.with_guest) for one in told.colocations]
    return chains.counted(pairs, len(file.nodes))


def _of_chains(file: ClusterFile, rules: list[Placed]) -> Iterator[Problem]:
    """Refuse what would keep Pacemaker's scheduler busy while a guest is down."""
    found = entangling(file)
    if not found.are_too_many:
        return
    spread = [placed for placed in rules if isinstance(placed.rule, SpreadEntry)]
    placed = max(
        spread or rules,
        key=lambda one: (found.guest in one.rule.guests, len(one.rule.guests)),
    )
    yield Problem(
        placed.line,
        f"rules[{placed.at}]",
        f"{len(placed.rule.guests)} guests, with the other rules about them, keep "
        "Pacemaker's scheduler busy for too long, and nothing fails over meanwhile: "
        "each guest more that shuns all others doubles its work; name "
        f"{chains.largest_set(len(file.nodes))} at most, or make several rules without "
        "a guest in common",
    )


def _of_nodes(root: Section, file: ClusterFile) -> Iterator[Problem]:
    for node in file.nodes:
        cpu, _ = usable(node)
        if cpu > LARGEST:
            sentence = (
                f"{cpu} processors for guests (capacity less reserve, times "
                f"cpu_ratio) are more than {LARGEST}, the most that Pacemaker counts; "
                "lower cpu_ratio"
            )
            yield _at(root, ("nodes", node.name, "cpu_ratio"), sentence)


def _of_guests(root: Section, file: ClusterFile) -> Iterator[Problem]:
    for guest in file.guests:
        needs = guest_of(guest, file)
        for key, size in (("cpu", needs.cpu), ("memory_mib", needs.memory_mib)):
            if size > LARGEST:
                what = " with policy.guest_overhead_mib" if key != "cpu" else ""
                sentence = (
                    f"{size}{what} is more than {LARGEST}, the most that Pacemaker "
                    "counts; give less"
                )
                yield _at(root, ("guests", guest.name, key), sentence)


def _of_companies(file: ClusterFile, rules: list[Placed]) -> Iterator[Problem]:
    """A set that stays together is told to Pacemaker as one size, that of them all."""
    guests = {guest.name: guest_of(guest, file) for guest in file.guests}
    companies = Companies(rules)
    for members in companies.members().values():
        needs = [guests[name] for name in members]
        cpu = sum(guest.cpu for guest in needs)
        memory_mib = sum(guest.memory_mib for guest in needs)
        if max(cpu, memory_mib) > LARGEST:
            placed = companies.bound_by[members[0]]
            sentence = (
                f"together they need {cpu} processors and {memory_mib} MiB, and "
                f"{LARGEST} is the most that Pacemaker counts; give less"
            )
            yield Problem(placed.line, f"rules[{placed.at}]", sentence)


def _at(root: Section, path: Path, sentence: str) -> Problem:
    return Problem(line_of(root, path), path_text(path), sentence)
