"""Is a running guest alive inside? A pure decision over independent witnesses.

Called by ``checkup`` with what was seen now and what the monitors before it have kept.
The witnesses are the guest's agent, its disks, what it sends, and its vCPUs. The
invariants, for any history of monitors:

1. A guest whose agent has not answered since its emulator was started here, or since
   something inside last opened the agent's channel, is never hung.
2. It is hung only after SILENCES silent looks in a row over ``hang_timeout`` seconds.
3. A sign of life ends that row: an answer of the agent, a request to a disk, a packet
   sent, a vCPU that works but not without a pause (only who is stuck is saturated or
   idle throughout; a busy guest's agent still gets its turn).
4. A witness that tells nothing adds nothing, and a look at which one is missing judges
   nothing.
5. Nothing is carried over from another emulator: a restart or a migration starts anew.

So a busy guest is not taken for a hung one, and an idle one without an agent never is.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from vmha.agents.protocol import exitcodes

SILENCES = 3
IDLE = 0.05  # of one CPU, summed over the vCPUs: less is no work
SATURATED = 0.9  # of one CPU, by a single vCPU: more leaves nothing undone
NO_PATIENCE_S = 120  # for a required agent and for jobs, where hang_timeout is 0
SHORTEST_S = 0.5  # between two looks at the vCPUs, to speak of a share


class Agent(enum.Enum):
    """What the guest's agent did when it was asked."""

    ANSWERED = "it answered"
    SILENT = "its channel is open and it did not answer"
    AWAY = "nothing in the guest listens on its channel"
    NONE = "the guest has no channel for it"
    UNKNOWN = "it could not be asked"


class Look:
    """What one monitor has seen; None where a witness told nothing.

    ``epoch`` names the emulator that executes the guest. ``at_s`` is the monotonic
    clock. ``job`` is a job's kind and progress in one text, "" where there is none.
    """

    __slots__ = ("agent", "at_s", "cpu_ns", "disk", "epoch", "job", "net")

    def __init__(
        self,
        epoch: str,
        at_s: float,
        agent: Agent,
        cpu_ns: tuple[int, ...] | None = None,
        disk: int | None = None,
        net: int | None = None,
        job: str | None = None,
    ) -> None:
        self.epoch = epoch
        self.at_s = at_s
        self.agent = agent
        self.cpu_ns = cpu_ns
        self.disk = disk
        self.net = net
        self.job = job

    @property
    def is_whole(self) -> bool:
        """Tell whether every witness of a hang has spoken."""
        told = self.cpu_ns is not None and self.disk is not None
        return told and self.net is not None and self.agent is not Agent.UNKNOWN


class History:
    """What is kept from one monitor to the next.

    ``alive_s``     when the guest last showed life; ``silences`` silent looks since
    ``answered_s``  when the agent last answered, or the first look of this emulator
    ``trusted``     the agent has answered, and its channel has stayed open since
    ``counted_s``   when the counters were read
    ``job_s``       when the job last moved
    """

    __slots__ = (
        "alive_s",
        "answered_s",
        "counted_s",
        "cpu_ns",
        "disk",
        "epoch",
        "job",
        "job_s",
        "net",
        "seen_s",
        "silences",
        "trusted",
    )

    def __init__(
        self,
        epoch: str,
        seen_s: float,
        alive_s: float,
        answered_s: float,
        counted_s: float,
        job_s: float,
        silences: int = 0,
        trusted: bool = False,
        cpu_ns: tuple[int, ...] = (),
        disk: int = 0,
        net: int = 0,
        job: str = "",
    ) -> None:
        self.epoch = epoch
        self.seen_s = seen_s
        self.alive_s = alive_s
        self.answered_s = answered_s
        self.counted_s = counted_s
        self.job_s = job_s
        self.silences = silences
        self.trusted = trusted
        self.cpu_ns = cpu_ns
        self.disk = disk
        self.net = net
        self.job = job


class Finding:
    """Something that is not as it should be: an exit code and a clause that says it."""

    __slots__ = ("clause", "code")

    def __init__(self, code: int, clause: str) -> None:
        self.code = code
        self.clause = clause


class Rules:
    """The parameters that decide; ``hang_code`` is hang_policy's exit code."""

    __slots__ = ("hang_code", "hang_timeout_s", "is_required")

    def __init__(
        self, hang_timeout_s: int, hang_code: int, is_required: bool = False
    ) -> None:
        self.hang_timeout_s = hang_timeout_s
        self.hang_code = hang_code
        self.is_required = is_required

    @property
    def patience_s(self) -> int:
        """Return the seconds after which a silence, or a standstill, counts."""
        return self.hang_timeout_s or NO_PATIENCE_S


def judge(
    before: History | None, look: Look, rules: Rules
) -> tuple[History, list[Finding]]:
    """Return what is to be kept, and what is wrong."""
    if before is None or before.epoch != look.epoch or before.seen_s > look.at_s:
        before = _beginning(look)
    after = _after(before, look)
    found = [
        *_hang(after, look, rules),
        *_missing_agent(after, look, rules),
        *_stuck_job(after, look, rules),
    ]
    return after, found


def worst(found: Sequence[Finding]) -> int:
    """Return the exit code that all findings together give."""
    codes = [finding.code for finding in found]
    for code in (exitcodes.GENERIC, exitcodes.DEGRADED):
        if code in codes:
            return code
    return exitcodes.OK


def _beginning(look: Look) -> History:
    """Return the history of an emulator that is looked at for the first time."""
    at_s = look.at_s
    return History(look.epoch, at_s, at_s, at_s, at_s, at_s)


def _after(before: History, look: Look) -> History:
    """Put a look to what was known."""
    shows_life = _shows_life(before, look)
    counted = look.cpu_ns is not None and not _too_soon(before, look)
    silent = look.is_whole and counted and look.agent is Agent.SILENT
    answered = look.agent is Agent.ANSWERED
    lost = look.agent in (Agent.AWAY, Agent.NONE)
    moved = look.job is not None and look.job != before.job
    return History(
        before.epoch,
        look.at_s,
        look.at_s if shows_life else before.alive_s,
        look.at_s if answered else before.answered_s,
        look.at_s if counted else before.counted_s,
        look.at_s if moved else before.job_s,
        0 if shows_life else before.silences + int(silent),
        answered or (before.trusted and not lost),
        look.cpu_ns if look.cpu_ns is not None and counted else before.cpu_ns,
        before.disk if look.disk is None else look.disk,
        before.net if look.net is None else look.net,
        before.job if look.job is None else look.job,
    )


def _shows_life(before: History, look: Look) -> bool:
    """Tell whether any witness speaks for life since the last look."""
    if look.agent in (Agent.ANSWERED, Agent.AWAY, Agent.NONE):
        return True  # without a trusted agent nothing can be said against it
    moved = look.disk not in (None, before.disk) or look.net not in (None, before.net)
    return moved or _works(before, look)


def _works(before: History, look: Look) -> bool:
    """Tell whether the vCPUs did work, and rested between: neither idle nor spinning.

    The time in which the host let them wait is not counted: on a crowded host, a guest
    that spins looks like one that works, and a busy one never like one that spins. One
    vCPU that works among others that spin is life.
    """
    if look.cpu_ns is None or _too_soon(before, look):
        return False
    if len(look.cpu_ns) != len(before.cpu_ns):
        return True
    past_ns = (look.at_s - before.counted_s) * 1e9
    shares = [(now - then) / past_ns for now, then in zip(look.cpu_ns, before.cpu_ns)]
    at_work = any(IDLE < share < SATURATED for share in shares)
    return at_work or (sum(shares) > IDLE and max(shares) < SATURATED)


def _too_soon(before: History, look: Look) -> bool:
    """Tell whether the vCPUs were read a moment ago: two check levels may coincide."""
    return bool(before.cpu_ns) and look.at_s - before.counted_s < SHORTEST_S


def _hang(after: History, look: Look, rules: Rules) -> list[Finding]:
    still_s = look.at_s - after.alive_s
    long = after.silences >= SILENCES and still_s >= rules.hang_timeout_s
    if not (rules.hang_timeout_s and after.trusted and look.is_whole and long):
        return []
    return [
        Finding(
            rules.hang_code,
            f"it is hung: its agent has been silent for {still_s:.0f} s, and neither "
            "its disks nor what it sends has moved since",
        )
    ]


def _missing_agent(after: History, look: Look, rules: Rules) -> list[Finding]:
    """Judge an agent that must answer.

    A guest needs time to boot, and so does its agent. One that has no channel cannot
    be cured by a restart.
    """
    if not rules.is_required or look.agent in (Agent.ANSWERED, Agent.UNKNOWN):
        return []
    if look.agent is Agent.NONE:
        return [Finding(exitcodes.DEGRADED, f"guest agent: {look.agent.value}")]
    silent_s = look.at_s - after.answered_s
    if silent_s < rules.patience_s:
        return []
    text = f"no answer of its agent for {silent_s:.0f} s: {look.agent.value}"
    return [Finding(exitcodes.GENERIC, text)]


def _stuck_job(after: History, look: Look, rules: Rules) -> list[Finding]:
    stands_s = look.at_s - after.job_s
    if not look.job or stands_s < rules.patience_s:
        return []
    kind = look.job.partition(":")[0]
    text = f"a {kind} has made no progress for {stands_s:.0f} s (virsh domjobinfo)"
    return [Finding(exitcodes.DEGRADED, text)]
