"""A libvirt connection whose every call is bounded.

Called by the agent's actions. A libvirt call blocks in C for as long as the daemon is
silent (a SIGSTOPped libvirtd accepts the connection and never answers), so each one
runs in a thread; when the limit passes the thread is left behind and the answer is
"unreachable". It never retries and never hides an error.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable
from typing import Any

import libvirt

from vmha.agents.hypervisor.errors import open_failure, translated
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Unreachable


def _keep_quiet(_context: object, _error: object) -> None:
    """Keep libvirt from printing errors; they are raised, and reported once."""


class Connection:
    """One open connection to ``uri``."""

    __slots__ = ("handle", "uri")

    def __init__(self, handle: Any, uri: str) -> None:
        self.handle = handle
        self.uri = uri

    def call(
        self, what: str, deadline: Deadline, function: Callable[..., Any], *args: Any
    ) -> Any:
        """Call a libvirt method; ``what`` completes the sentence "could not …".

        Raises Absent, Refused or PermissionRefused for what libvirt answered, and
        Unreachable when it did not.
        """
        done, outcome = _in_thread(function, args, deadline)
        if not done:
            raise Unreachable(
                f"could not {what}: libvirt at {self.uri} gave no answer within "
                f"{deadline.timeout_s:.1f} s"
            )
        if isinstance(outcome, libvirt.libvirtError):
            raise translated(outcome, f"could not {what}") from outcome
        return outcome

    def close(self, deadline: Deadline) -> None:
        """Close without caring for the answer."""
        _in_thread(self.handle.close, (), deadline)


def connect(uri: str, deadline: Deadline) -> Connection:
    """Open a connection; raises Unreachable, PermissionRefused or NotInstalled."""
    libvirt.registerErrorHandler(_keep_quiet, None)
    done, outcome = _in_thread(libvirt.open, (uri,), deadline)
    if not done:
        raise Unreachable(
            f"libvirt at {uri} gave no answer within {deadline.timeout_s:.1f} s"
        )
    if isinstance(outcome, libvirt.libvirtError):
        raise open_failure(outcome, uri) from outcome
    return Connection(outcome, uri)


class Pending:
    """A call that goes on in a thread while the caller does something else."""

    __slots__ = ("_ended", "_outcome")

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._ended = _thread.allocate_lock()
        self._ended.acquire()
        self._outcome: list[Any] = []
        _thread.start_new_thread(self._work, (function, args))

    def wait(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for the end; tell whether it has ended."""
        if self._outcome:
            return True
        if self._ended.acquire(timeout=max(0.0, seconds)):
            self._ended.release()
            return True
        return False

    def outcome(self) -> Any:
        """Return what the call returned, or the libvirtError that it raised."""
        return self._outcome[0] if self._outcome else None

    def has_outcome(self) -> bool:
        """Tell whether the call returned or was answered by libvirt.

        False also for one that a binding's own error ended: that is no answer.
        """
        return bool(self._outcome)

    def _work(self, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
        try:
            self._outcome.append(function(*args))
        except libvirt.libvirtError as error:
            self._outcome.append(error)
        finally:
            self._ended.release()


def _in_thread(
    function: Callable[..., Any], args: tuple[Any, ...], deadline: Deadline
) -> tuple[bool, Any]:
    pending = Pending(function, args)
    if not pending.wait(deadline.remaining_s()) or not pending.has_outcome():
        return False, None
    return True, pending.outcome()
