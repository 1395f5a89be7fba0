"""What a check is, and what it may answer.

Every module of ``checks`` holds one Check; ``catalogue`` lists them; ``examination``
runs them. A check has three answers, as every observation in vmha: nothing found, a
Finding, and an Unknown. What could not be asked is never "fine".
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, NamedTuple, Union

if TYPE_CHECKING:
    from vmha.heartbeat.doctor.evidence import Evidence

CIB = "cib"
STATUS = "status"
FILE = "file"
FACTS = "facts."


class Severity(enum.Enum):
    """What a finding means for the guests."""

    ERROR = "error"
    """A failure that the cluster is built for would not be survived."""
    WARNING = "warning"
    """It works today, and will not under conditions that do occur."""
    INFO = "info"
    """Something to gain; nothing is lost by leaving it."""


class Finding(NamedTuple):
    """What is wrong with one subject, such as "node n1" or "guest web1".

    ``severity`` replaces the check's where this finding is a lighter or graver case.
    """

    subject: str
    text: str
    severity: Severity | None = None


class Unknown(NamedTuple):
    """What a check could not tell about one subject, and why."""

    subject: str
    reason: str


Answer = Union[Finding, Unknown]
Look = Callable[["Evidence"], Iterable[Answer]]


@dataclass(frozen=True)
class Check:
    """One fault that the doctor looks for.

    ``needs`` is the evidence without which there is nothing to look at: CIB, STATUS (a
    CIB of a cluster that runs), FILE, or FACTS and a part, such as "facts.libvirt".
    Nodes that did not tell that part are made Unknown by ``examination``.
    """

    id: str
    title: str
    severity: Severity
    explanation: str
    remedy: str
    needs: tuple[str, ...]
    look: Look
