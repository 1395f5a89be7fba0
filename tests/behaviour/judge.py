"""From what was seen of one cell to its mark. Pure.

unsafe   data may be lost: two copies, a "not running" or a stopped with a living guest,
         a guest of somebody else ended
slow     Pacemaker had to kill the action at its timeout
wrong    another answer than OCF allows: a needless restart, ban or fencing follows
"""

from __future__ import annotations

from dataclasses import dataclass

OK, WRONG, SLOW, UNSAFE = "", "WRONG", "SLOW", "UNSAFE"

# A probe that answers one of these is read as "not running" (5: "not installed here").
SAYS_ABSENT = (5, 7)


@dataclass(frozen=True)
class Seen:
    """An action's answer and the truth around it, by the process tables.

    ``codes`` are all answers of the action and of what Pacemaker makes of it, -9 for
    one killed at its timeout. Before: whether the guest and a stranger lived here.
    After: how many copies live here and on the other host.
    """

    action: str
    codes: tuple[int, ...]
    lived: bool
    lives_here: int
    lives_there: int
    stranger_lived: bool = False
    stranger_lives: bool = False

    @property
    def code(self) -> int:
        """The answer of the action itself."""
        return self.codes[0]


def mark(seen: Seen, wanted: frozenset[int]) -> tuple[str, str]:
    """Return the mark and, for a bad one, why."""
    danger = _danger(seen)
    if danger:
        return UNSAFE, danger
    if seen.code == -9:
        return SLOW, "killed at its timeout"
    if -9 in seen.codes:
        return SLOW, "what follows it is killed at its timeout"
    if seen.code not in wanted:
        return WRONG, f"{seen.code}, not {_words(wanted)}"
    if any(seen.codes[1:]):
        return WRONG, "what follows it fails: a node is fenced, or the guest stays down"
    return OK, ""


def _danger(seen: Seen) -> str:
    if seen.lives_here + seen.lives_there > 1:
        return "two copies of the guest"
    if seen.stranger_lived and not seen.stranger_lives:
        return "it ended somebody else's guest"
    if seen.action in ("probe", "monitor"):
        lies = seen.code == 7 or (seen.action == "probe" and seen.code in SAYS_ABSENT)
        return "not running, it says of a living guest" if lies and seen.lived else ""
    if seen.action == "stop" and seen.code == 0 and seen.lives_here:
        return "stopped, it says of a living guest"
    if seen.action == "start" and seen.code == 0 and seen.stranger_lives:
        return "it took somebody else's guest for its own"
    if seen.action == "migrate" and seen.lived and set(seen.codes) == {0}:
        return "" if seen.lives_here + seen.lives_there else "the guest is lost"
    return ""


def _words(wanted: frozenset[int]) -> str:
    return " or ".join(str(code) for code in sorted(wanted))
