"""From what was seen of one call to its mark. Pure.

unsafe   data may be lost: "off" is said of a node that has not been off, or a node that
         was turned on again is powered off behind everybody's back
slow     Pacemaker had to kill the agent, or no time is left for another device
wrong    the answer is not what the situation calls for, or nobody learns why
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bmc.node import Change

OK, WRONG, SLOW, UNSAFE = "", "WRONG", "SLOW", "UNSAFE"
WORST_FIRST = (UNSAFE, SLOW, WRONG, OK)
KILLED = -9


@dataclass(frozen=True)
class Seen:
    """A call and the true power of the node around it.

    ``exit_code`` is KILLED for a call that was cut. ``changes`` tell the true power
    from each time on, until some seconds after the end.
    """

    action: str
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    began_at: float
    ended_at: float
    changes: tuple[Change, ...]
    password_seen: bool = False


@dataclass(frozen=True)
class Right:
    """What a fence agent must do: its exit codes, words in the reason, its time.

    ``says`` holds words of which one must be in what it writes on stderr. ``within_s``
    is the time after which Pacemaker has none left for another try or device.
    """

    codes: frozenset[int]
    says: tuple[str, ...] = ()
    within_s: float = 60.0
    is_silent: bool = False


def right(
    *codes: int, says: str = "", within_s: float = 60.0, silent: bool = False
) -> Right:
    """Declare what is right; ``says`` holds words with ``|`` between them."""
    words = tuple(says.split("|")) if says else ()
    return Right(frozenset(codes), words, within_s, silent)


def mark(seen: Seen, wanted: Right) -> tuple[str, str]:
    """Return the mark and, for a bad one, why."""
    danger = _danger(seen)
    if danger:
        return UNSAFE, danger
    if seen.exit_code == KILLED:
        return SLOW, f"still going on after {seen.seconds:.0f} s"
    if seen.seconds > wanted.within_s:
        return SLOW, f"{seen.seconds:.0f} s, the next try or device starts too late"
    if seen.exit_code not in wanted.codes:
        return WRONG, _answer(seen, wanted)
    if seen.password_seen:
        return WRONG, "the password was in the list of processes"
    if wanted.says and not _says_one(seen.stderr, wanted.says):
        return WRONG, "the reason is not named"
    if wanted.is_silent and seen.stderr:
        return WRONG, "it writes to stderr though all is well"
    return OK, ""


def was_off(changes: Sequence[Change], begin: float, end: float) -> bool:
    """Tell whether the node was off at some time from ``begin`` to ``end``."""
    ends = [*(change.at_s for change in changes[1:]), float("inf")]
    spans = zip(changes, ends)
    return any(not c.is_on and c.at_s <= end and until > begin for c, until in spans)


def _danger(seen: Seen) -> str:
    if seen.action not in ("off", "reboot") or seen.exit_code != 0:
        return ""
    if not was_off(seen.changes, seen.began_at, seen.ended_at):
        return "success, it says, and the node has not been off"
    later = [change for change in seen.changes if change.at_s > seen.ended_at]
    if seen.action == "reboot" and any(not change.is_on for change in later):
        return "the node went off again after the end"
    if seen.action == "off" and any(change.is_on for change in later):
        return "the node came on again after the end"
    return ""


def _answer(seen: Seen, wanted: Right) -> str:
    codes = " or ".join(str(code) for code in sorted(wanted.codes))
    return f"exit code {seen.exit_code}, not {codes}"


def _says_one(stderr: str, words: Sequence[str]) -> bool:
    return any(word in stderr.lower() for word in words)
