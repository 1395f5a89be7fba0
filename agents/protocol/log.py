"""Messages to syslog, in the words an administrator greps for.

One message per action at info, repeated monitors at debug. Secrets never come here.
The ``syslog`` module costs 1 ms where ``logging`` costs 13. A log daemon that hangs is
waited for once, and shortly: no message is worth an operation.
"""

from __future__ import annotations

import _thread
import syslog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_FACILITIES = {"none": None, "daemon": syslog.LOG_DAEMON, "user": syslog.LOG_USER} | {
    f"local{n}": getattr(syslog, f"LOG_LOCAL{n}") for n in range(8)
}
_TRACED = ("HA_debug", "OCF_TRACE_RA", "OCF_RESKEY_trace_ra")
_NO = ("", "0", "no", "off", "false")

PATIENCE_S = 0.3


class Log:
    """Writes one line per message: ``TAG: sentence``.

    ``environ`` is read for Pacemaker's ``HA_LOGFACILITY`` and ``HA_debug``, and for
    what asks the agents of resource-agents for a trace: ``OCF_TRACE_RA``, or the
    parameter ``trace_ra`` that crm sets.
    """

    __slots__ = ("_debug", "_facility", "_hangs", "_tag")

    def __init__(self, tag: str, environ: Mapping[str, str]) -> None:
        self._tag = tag
        self._hangs = False
        name = environ.get("HA_LOGFACILITY", "daemon").lower()
        self._facility = _FACILITIES.get(name, syslog.LOG_DAEMON)
        self._debug = any(environ.get(name, "").lower() not in _NO for name in _TRACED)

    def rename(self, tag: str) -> None:
        """Write under another tag from here on.

        Not by a second Log: while one call hangs inside the C library, every other one
        waits for its lock, with the interpreter's own lock held.
        """
        self._tag = tag

    def error(self, sentence: str) -> None:
        """Say what failed."""
        self._write(syslog.LOG_ERR, sentence)

    def warning(self, sentence: str) -> None:
        """Say what is odd and was survived."""
        self._write(syslog.LOG_WARNING, sentence)

    def info(self, sentence: str) -> None:
        """Say what an action did."""
        self._write(syslog.LOG_INFO, sentence)

    def debug(self, sentence: str) -> None:
        """Say what only a developer wants; silent unless asked for."""
        if self._debug:
            self._write(syslog.LOG_DEBUG, sentence)

    def _write(self, priority: int, sentence: str) -> None:
        if self._facility is None or self._hangs:
            return
        done = _thread.allocate_lock()
        done.acquire()
        _thread.start_new_thread(self._send, (priority, sentence, done))
        self._hangs = not done.acquire(timeout=PATIENCE_S)

    def _send(self, priority: int, sentence: str, done: _thread.LockType) -> None:
        """Hand the lines to the log daemon; blocks while its socket is full."""
        try:
            facility = self._facility or syslog.LOG_DAEMON
            syslog.openlog(_printable(self._tag), syslog.LOG_PID, facility)
            for line in sentence.splitlines():
                syslog.syslog(priority, _printable(line))
        finally:
            done.release()


def _printable(text: str) -> str:
    """Return what the C library takes: no NUL, and nothing that is no UTF-8."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?")
