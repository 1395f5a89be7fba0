"""The decision what to do about a migration under way: wait, allow more, give up.

Pure; called by ``migrate`` with each reading of the job's statistics. The allowed pause
rises in steps while the memory changes faster than it is sent, never above the maximum,
and in half of the time that is left after the first pass: the other half belongs to the
hypervisor's own slowing down, to post-copy where that is wanted, and to the end. The
invariant: a job is given up while the reserve for aborting it is still there, unless it
cannot be aborted any more.
"""

from __future__ import annotations

import enum

from vmha.agents.hypervisor.progress import Progress

HYPERVISOR_MS = 300  # QEMU's own limit of the pause, where none is set
LEAST_PACE_S = 1.0
POSTCOPY_MARGIN_S = 5.0


class Step(enum.Enum):
    """What is done next about a migration under way."""

    GO_ON = "let it go on"
    ALLOW = "allow a longer pause at its end"
    SUSPEND = "pause the guest, so that its memory stops changing"
    POSTCOPY = "let it run on at the target and fetch its memory"
    ABORT = "abort it"


class Ladder:
    """The rules for one migration job.

    ``first_ms`` 0 means the hypervisor's own limit; ``most_ms`` 0 that it never rises.
    ``postcopy`` tells whether the job may be switched to it. ``timeout_s`` and
    ``on_timeout`` are virsh's --timeout: after so long (0: never), SUSPEND or POSTCOPY.
    ``after_first_pass`` is virsh's --postcopy-after-precopy.
    """

    def __init__(
        self,
        first_ms: int,
        most_ms: int,
        postcopy: bool = False,
        timeout_s: float = 0,
        on_timeout: Step = Step.SUSPEND,
        after_first_pass: bool = False,
    ) -> None:
        self.rungs = rungs(first_ms, most_ms)
        self.allowed_ms = first_ms
        self.switched = False
        self._postcopy = postcopy
        self._timeout_s = timeout_s
        self._on_timeout = on_timeout
        self._after_first_pass = after_first_pass
        self._most_left = 0
        self._pace_s = 0.0
        self._next_s = 0.0

    def step(
        self,
        progress: Progress | None,
        elapsed_s: float,
        free_s: float,
        reserve_s: float,
    ) -> Step:
        """Return the next step; ALLOW has set ``allowed_ms``.

        ``elapsed_s`` counts from the job's begin; ``free_s`` is what is left until the
        reserve is touched; ``progress`` None means that there are no figures.
        """
        if self.switched:  # post-copy cannot be aborted: the guest is in two places
            return Step.GO_ON
        if free_s <= 0:
            return Step.ABORT
        if progress is None or progress.disk_left or progress.passes < 1:
            return Step.GO_ON
        if self._wants_postcopy(progress, free_s, reserve_s):
            self.switched = True
            return Step.POSTCOPY
        if self._timeout_s and elapsed_s >= self._timeout_s:
            return self._timed_out()
        return self._climb(progress, elapsed_s, free_s)

    def refuse_postcopy(self) -> None:
        """Take POSTCOPY back, which libvirt has declined: the job can be aborted.

        One that is joined may have been begun without it.
        """
        self.switched = self._postcopy = False

    def _climb(self, progress: Progress, elapsed_s: float, free_s: float) -> Step:
        """Allow one rung more when its time has come, never in the first pass."""
        if progress.passes < 2:
            return Step.GO_ON
        if not self._pace_s:
            share = free_s / 2 / max(1, len(self.rungs))
            self._pace_s = max(LEAST_PACE_S, share)
            self._next_s = elapsed_s + self._pace_s
        if not self.rungs or elapsed_s < self._next_s:
            return Step.GO_ON
        self.allowed_ms = self.rungs.pop(0)
        self._next_s = elapsed_s + self._pace_s
        return Step.ALLOW

    def _wants_postcopy(
        self, progress: Progress, free_s: float, reserve_s: float
    ) -> bool:
        """Tell whether the last resort's moment has come, and it can still end in time.

        The reserve counts for it: what was switched needs no abort.
        """
        if not self._postcopy:
            return False
        if self._after_first_pass:
            return progress.passes > 1
        if progress.passes < 2 or not progress.rate:
            return False
        # What is left of a pass is not all: the switch adds what has changed since.
        self._most_left = max(self._most_left, progress.remaining)
        needed_s = self._most_left / progress.rate
        if needed_s > free_s + reserve_s:
            return False
        return free_s <= POSTCOPY_MARGIN_S + 2 * needed_s

    def _timed_out(self) -> Step:
        self._timeout_s = 0
        if self._on_timeout is Step.POSTCOPY:
            self.switched = self._postcopy
            return Step.POSTCOPY if self._postcopy else Step.GO_ON
        return self._on_timeout


def rungs(first_ms: int, most_ms: int) -> list[int]:
    """Return the pauses above the first, each twice the last, up to the most."""
    found = []
    allowed_ms = first_ms or HYPERVISOR_MS
    while allowed_ms < most_ms:
        allowed_ms = min(allowed_ms * 2, most_ms)
        found.append(allowed_ms)
    return found
