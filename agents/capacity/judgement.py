"""From a look at a guest to its "can host" attribute. Pure, tested as a table.

The invariants: an attribute never becomes 0 where the guest runs or may run; what is
not known keeps what was known, until it has not been known three times in a row.
"""

from __future__ import annotations

import enum

YES, NO = "1", "0"
LOOKS = 3


class Finding(enum.Enum):
    """What one look at a guest from this node has shown."""

    HERE = "it runs here, or is on its way"
    POSSIBLE = "it does not run here and could"
    IMPOSSIBLE = "it does not run here and could not"
    UNANSWERED = "it does not run here, and what it needs gave no answer"
    UNDECIDED = "it cannot be told whether it runs here, or nothing was looked at"


def judge(finding: Finding, unanswered: int) -> tuple[str | None, int]:
    """Return the attribute's new value and the count of looks without an answer.

    ``unanswered`` is that count before this look; None leaves the attribute as it is,
    also where there is none yet: no attribute excludes no node.
    """
    if finding in (Finding.HERE, Finding.POSSIBLE):
        return YES, 0
    if finding is Finding.IMPOSSIBLE:
        return NO, 0
    if finding is Finding.UNDECIDED:
        return None, 0
    return (NO if unanswered + 1 >= LOOKS else None), unanswered + 1
