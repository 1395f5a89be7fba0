"""How many more guests of one size fit while the wanted failures are survived.

Assumed: they are restarted like others, have the lowest priority of all, no rule names
them, and Pacemaker places them one by one. Each answer is tried with the scheduler
itself, and so is one guest more: but since Pacemaker's placement is greedy, a still
larger number might happen to hold again; that is not looked for.
"""

from __future__ import annotations

from vmha.heartbeat.planning.failures import tolerates
from vmha.heartbeat.planning.model import Cluster, Guest
from vmha.heartbeat.planning.prediction import settled

NAME = "~fit-{:06d}"  # sorts behind every name of a guest


def fit(cluster: Cluster, cpu: int, memory_mib: int) -> int:
    """Return the number; none if the wanted failures are not survived even now."""
    cluster = settled(cluster)

    def holds(count: int) -> bool:
        larger = _with(cluster, count, cpu, memory_mib)
        return tolerates(larger, max(1, cluster.tolerate)) >= cluster.tolerate and (
            all(guest.runs_on for guest in settled(larger).guests if guest.ha)
        )

    if not holds(0):
        return 0
    most = _most(cluster, cpu, memory_mib)
    fits, fails = 0, 1
    while fails <= most and holds(fails):
        fits, fails = fails, 2 * fails
    fails = min(fails, most + 1)
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if holds(middle):
            fits = middle
        else:
            fails = middle
    return fits


def _most(cluster: Cluster, cpu: int, memory_mib: int) -> int:
    """Return how many fit by sums alone, which is never too few."""
    used_cpu = sum(guest.cpu for guest in cluster.guests)
    used_memory = sum(guest.memory_mib for guest in cluster.guests)
    free = [
        (sum(node.cpu for node in cluster.nodes) - used_cpu, cpu),
        (sum(node.memory_mib for node in cluster.nodes) - used_memory, memory_mib),
    ]
    counts = [max(0, left) // size for left, size in free if size > 0]
    return min(counts, default=0)


def _with(cluster: Cluster, count: int, cpu: int, memory_mib: int) -> Cluster:
    lowest = min((guest.priority for guest in cluster.guests), default=0)
    more = tuple(
        Guest(NAME.format(number), cpu, memory_mib, lowest) for number in range(count)
    )
    return cluster._replace(guests=cluster.guests + more)
