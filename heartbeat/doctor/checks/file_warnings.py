"""What reading the cluster file warned of."""

from __future__ import annotations

from collections.abc import Iterator

from vmha.heartbeat.doctor.check import FILE, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence


def look(evidence: Evidence) -> Iterator[Finding]:
    """Pass the warnings on."""
    if evidence.file is not None:
        for warning in evidence.file.warnings:
            yield Finding("the cluster file", warning)


CHECK = Check(
    "file-warnings",
    "Warnings of the cluster file",
    Severity.WARNING,
    "The file can be used, and something in it will not do what it seems to say, such "
    "as a spread of more guests than there are nodes.",
    "Correct the entry that the warning names.",
    (FILE,),
    look,
)
