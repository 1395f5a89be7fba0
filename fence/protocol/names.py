"""Names to addresses, within a time.

The C library waits up to half a minute for dead name servers, and nothing ends that.
Called by the devices; it imports the socket module, which metadata does not pay.
"""

from __future__ import annotations

import _thread
import errno
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # As getaddrinfo gives it: family, type, protocol, name, address.
    Address = tuple[Any, ...]


def resolve(host: str, port: int, kind: int, wait_s: float) -> list[Address]:
    """Return addresses for sockets of this kind; raises OSError or UnicodeError.

    An address is taken as it is; a name is asked for in a thread, which is left behind
    when no server answers.
    """
    try:
        return _ask(host, port, kind, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return _ask_name_server(host, port, kind, wait_s)


def _ask(host: str, port: int, kind: int, flags: int) -> list[Address]:
    return list(socket.getaddrinfo(host, port, 0, kind, 0, flags))


def _ask_name_server(host: str, port: int, kind: int, wait_s: float) -> list[Address]:
    found: list[Address] = []
    failures: list[Exception] = []
    is_done = _thread.allocate_lock()
    is_done.acquire()

    def ask() -> None:
        try:
            found.extend(_ask(host, port, kind, 0))
        except (OSError, UnicodeError) as failure:
            failures.append(failure)
        finally:
            is_done.release()

    _thread.start_new_thread(ask, ())
    if not is_done.acquire(timeout=wait_s):
        raise OSError(errno.EAGAIN, "no name server answers")
    if failures:
        raise failures[0]
    return found
