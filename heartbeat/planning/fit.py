"""How many more guests of one size fit while the wanted failures are survived.

Assumed: they are restarted like others, have the lowest priority of all, no rule names
them, and all are placed at once. The answer was tried with the scheduler itself, and so
was one guest more: but since Pacemaker's placement is greedy, a still larger number
might happen to hold again; that is not looked for.
"""

from __future__ import annotations

from itertools import chain

from vmha.heartbeat.planning.failures import Progress, examined, is_survived
from vmha.heartbeat.planning.model import Cluster, Guest
from vmha.heartbeat.planning.prediction import WHOLE, Scheduler, settled
from vmha.heartbeat.planning.state import State

NAME = "~fit-{:06d}"  # sorts behind every name of a guest


def fit(
    cluster: Cluster,
    cpu: int,
    memory_mib: int,
    progress: Progress | None = None,
    state: State = WHOLE,
) -> int:
    """Return the number; none if the wanted failures are not survived even now.

    ``progress`` is told how many of all numbers in question are decided.
    """
    now = settled(cluster) if state == WHOLE else cluster
    trial = _Trial(now, state, cpu, memory_mib)
    if not trial.holds(0):
        return 0
    most = _most(trial.cluster, cpu, memory_mib)
    fits, fails = 0, most + 1
    while fails - fits > 1:
        middle = (fits + fails) // 2
        if trial.holds(middle):
            fits = middle
        else:
            fails = middle
        if progress:
            progress(most - (fails - fits - 1), most)
    return fits


class _Trial:
    """Tries numbers; the failure that was not survived last is tried first."""

    def __init__(
        self, cluster: Cluster, state: State, cpu: int, memory_mib: int
    ) -> None:
        self.cluster = cluster
        self._state = state
        self._size = (cpu, memory_mib)
        wanted = cluster.tolerate
        found = examined(Scheduler(cluster, state), wanted) if wanted else ()
        self._losses = list(chain.from_iterable(losses for _, losses in found))

    def holds(self, count: int) -> bool:
        """Tell whether so many more can be started, and every failure survived."""
        more = self._with(count)
        state = self._state.amended(self.cluster, more)
        cluster = settled(more, state)
        if any(guest.ha and guest.runs_on is None for guest in cluster.guests):
            return False
        if self.cluster.tolerate > len(cluster.nodes):
            return False
        scheduler = Scheduler(cluster, state)
        for at, lost in enumerate(self._losses):
            if not is_survived(scheduler, scheduler.outcome(lost)):
                self._losses.insert(0, self._losses.pop(at))
                return False
        return True

    def _with(self, count: int) -> Cluster:
        guests = self.cluster.guests
        lowest = min((guest.priority for guest in guests), default=0)
        more = tuple(
            Guest(NAME.format(number), *self._size, lowest) for number in range(count)
        )
        return self.cluster._replace(guests=guests + more)


def _most(cluster: Cluster, cpu: int, memory_mib: int) -> int:
    """Return how many fit by sums alone, which is never too few."""
    running = [guest for guest in cluster.guests if guest.runs_on is not None]
    used_cpu = sum(guest.cpu for guest in running)
    used_memory = sum(guest.memory_mib for guest in running)
    free = [
        (sum(node.cpu for node in cluster.nodes) - used_cpu, cpu),
        (sum(node.memory_mib for node in cluster.nodes) - used_memory, memory_mib),
    ]
    counts = [max(0, left) // size for left, size in free if size > 0]
    return min(counts, default=0)
