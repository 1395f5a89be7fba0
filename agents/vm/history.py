"""What monitors of check level 10 keep of a guest, from one to the next.

Called by ``checkup``. One small file per resource instance beside the identity record,
on a tmpfs, root-only, written atomically. It is a hint about health and nothing else:
one that is damaged or lost makes the next monitor begin anew, and no other action reads
it.
"""

from __future__ import annotations

import os

from vmha.agents.protocol import files
from vmha.agents.vm.health import History
from vmha.agents.vm.record import HEALTH, RecordStore

_TIMES = ("seen_s", "alive_s", "answered_s", "counted_s", "job_s")
_NUMBERS = ("silences", "disk", "net")
_YES = "yes"


class HistoryStore:
    """The histories beside the records of this node."""

    __slots__ = ("_records",)

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    def read(self, instance: str) -> History | None:
        """Return what was kept; None where it is missing, damaged or not root's."""
        try:
            with open(self._path(instance), encoding="utf-8") as file:
                status = os.fstat(file.fileno())
                if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                    return None
                return _parsed(file.read())
        except (OSError, ValueError, KeyError):
            return None

    def write(self, instance: str, history: History) -> None:
        """Keep a history; raises OSError."""
        path = self._path(instance)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        files.write_atomically(path, _text(history))

    def _path(self, instance: str) -> str:
        return self._records.beside(instance, HEALTH)


def _text(history: History) -> str:
    values = {field: getattr(history, field) for field in (*_TIMES, *_NUMBERS)}
    values["trusted"] = _YES if history.trusted else "no"
    values["cpu_ns"] = ",".join(str(ns) for ns in history.cpu_ns)
    values |= {"epoch": history.epoch, "job": history.job}
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _parsed(text: str) -> History:
    """Read a history; raises ValueError or KeyError for what is none."""
    pairs = dict(line.split("=", 1) for line in text.splitlines())
    seen_s, alive_s, answered_s, counted_s, job_s = (float(pairs[n]) for n in _TIMES)
    return History(
        pairs["epoch"],
        seen_s,
        alive_s,
        answered_s,
        counted_s,
        job_s,
        int(pairs["silences"]),
        pairs["trusted"] == _YES,
        tuple(int(ns) for ns in pairs["cpu_ns"].split(",") if ns),
        int(pairs["disk"]),
        int(pairs["net"]),
        pairs["job"],
    )
