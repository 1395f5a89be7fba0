"""What of a corosync.conf a cluster file would not bring back, as sentences.

Pure. Called by ``importing``. What was read is compared with what would be rendered of
the imported file, so that what a file can say is declared in one place.
"""

from __future__ import annotations

from vmha.heartbeat.clusterfile.content import QDevice
from vmha.heartbeat.corosync import conf as writing
from vmha.heartbeat.corosync import reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from vmha.heartbeat.clusterfile.content import ClusterFile

ALGORITHMS = ("ffsplit", "lms")
_OWN = ("logging", "nodelist")
"""Logging does nothing to guests; nodes are entries, and their ids are Corosync's."""


def qdevice(conf: reading.Section) -> QDevice | None:
    """Return the arbiter with its algorithm, None without one."""
    host = reading.qdevice_host(conf)
    if host is None:
        return None
    given = conf.first("quorum", "device", "net").words.get("algorithm", "")
    return QDevice(host, given) if given in ALGORITHMS else QDevice(host)


def told(conf: reading.Section, file: ClusterFile) -> list[str]:
    """Return the settings of a file that was read which a rendered one would lack."""
    if not conf.inner:  # none was given
        return []
    ours = set(_settings(reading.parse(writing.text(file)), ""))
    return [
        f"corosync.conf: {name} is {value}, which vmha render would not write"
        for name, value in _settings(conf, "")
        if (name, value) not in ours
    ]


def _settings(section: reading.Section, path: str) -> Iterator[tuple[str, str]]:
    for name, value in sorted(section.words.items()):
        yield path + name, value
    for name, inner in sorted(section.inner.items()):
        if path or name not in _OWN:
            for one in inner:
                yield from _settings(one, f"{path}{name}.")
