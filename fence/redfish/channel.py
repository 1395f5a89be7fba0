"""HTTP over one connection, where every request has one end in time.

A socket's own limit counts for each read, and a server that sends a byte a second
never meets it. Here each read gets what is left of the request's deadline. Used by
``client``; knows nothing of Redfish but its sentences.
"""

from __future__ import annotations

import http.client
import io
import select
import socket
import ssl

from vmha.agents.protocol.errors import AgentError
from vmha.fence.protocol import names
from vmha.fence.redfish import diagnoses
from vmha.fence.redfish.access import PLAIN, UNVERIFIED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.protocol.names import Address
    from vmha.fence.redfish.access import Access

MOST_BYTES = 1024 * 1024
PARTIAL_CHAIN = 0x80000  # X509_V_FLAG_PARTIAL_CHAIN; named in ssl from 3.10 on


class Answer:
    """What came back: a status, headers (lower case, printable) and a body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Channel:
    """A connection to the service, opened when it is needed."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._context: ssl.SSLContext | None = None
        self._socket: socket.socket | None = None
        self._found: list[Address] = []

    def is_ready(self) -> bool:
        """Tell whether there is a connection on which nothing has come unasked.

        What would be read there is the end of it, or an answer to nothing, which must
        not be taken for that of the next request. The service may still have left.
        """
        if self._socket is None:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def open(self, deadline: Deadline) -> None:
        """Connect; raises the diagnosis of what is in the way."""
        self.close()
        failure: AgentError = diagnoses.NoAnswer(self._access.label)
        found = self._addresses(deadline)
        for position, address in enumerate(found):
            part = deadline.part(deadline.remaining_s() / (len(found) - position))
            try:
                self._socket = self._connected(address, part)
                return
            except AgentError as error:
                failure = error
        raise failure

    def close(self) -> None:
        """Leave the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
    ) -> Answer:
        """Send a request over the open connection and return its answer.

        Raises FellSilent when no whole answer came: it may have been carried out.
        """
        what = f"{method} {path}"
        try:
            return self._exchange(method, path, headers, body, deadline)
        except (OSError, http.client.IncompleteRead) as error:
            self.close()
            raise diagnoses.FellSilent(self._access.label, what) from error
        except http.client.HTTPException as error:
            self.close()
            kind = f"no HTTP to {what}"
            raise diagnoses.Unintelligible(self._access.label, kind) from error

    def _exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
    ) -> Answer:
        connection = http.client.HTTPConnection(self._access.host, self._access.port)
        connection.sock = _Bounded(self._socket, deadline)
        connection.auto_open = 0
        together = {"Host": self._access.authority, **headers}
        connection.request(method, path, body or None, together)
        reply = connection.getresponse()
        read = reply.read(MOST_BYTES + 1)
        if len(read) > MOST_BYTES:
            self.close()
            what = f"more than {MOST_BYTES} bytes to {method} {path}"
            raise diagnoses.Unintelligible(self._access.label, what)
        if reply.length:  # of the Content-Length that was promised
            raise http.client.IncompleteRead(read, reply.length)
        if reply.will_close:
            self.close()
        return Answer(reply.status, _printable(reply.getheaders()), read)

    def _addresses(self, deadline: Deadline) -> list[Address]:
        """Resolve the name once: a name server may go away in mid-fencing."""
        host, port = self._access.host, self._access.port
        if not self._found:
            wait_s = deadline.remaining_s()
            try:
                self._found = names.resolve(host, port, socket.SOCK_STREAM, wait_s)
            except (OSError, UnicodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not a valid name"
                raise diagnoses.NameUnresolved(host, str(reason).lower()) from error
        return self._found

    def _connected(self, address: Address, deadline: Deadline) -> socket.socket:
        family, kind, protocol, _, peer = address
        label = self._access.label
        try:
            own = socket.socket(family, kind, protocol)
        except OSError as error:  # this kernel has no IPv6, say
            raise diagnoses.NoAnswer(label) from error
        try:
            own.settimeout(max(0.001, deadline.remaining_s()))
            own.connect(peer)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own.settimeout(max(0.001, deadline.remaining_s()))
            return own if self._access.security == PLAIN else self._secured(own)
        except ConnectionRefusedError as error:
            own.close()
            raise diagnoses.PortClosed(label) from error
        except OSError as error:
            own.close()
            raise diagnoses.NoAnswer(label) from error
        except BaseException:
            own.close()
            raise

    def _secured(self, own: socket.socket) -> socket.socket:
        """Shake hands; nothing was asked before that is done."""
        label = self._access.label
        if self._context is None:
            self._context = _context(self._access)
        name = self._access.host.partition("%")[0]  # a scope is nobody's name
        try:
            return self._context.wrap_socket(own, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            raise diagnoses.Untrusted(label, error.verify_message) from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError) as error:
            raise diagnoses.NoHandshake(label) from error
        except ssl.SSLError as error:
            reason = str(error.reason or "no handshake").lower().replace("_", " ")
            raise diagnoses.NotTls(label, reason) from error
        except OSError as error:  # socket.timeout, under a name of its own in 3.9
            raise diagnoses.NoHandshake(label) from error


def _context(access: Access) -> ssl.SSLContext:
    """Return how certificates are looked at; raises BadTrust."""
    try:
        context = ssl.create_default_context(cafile=access.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or "it holds no certificate in PEM form"
        raise diagnoses.BadTrust(access.ca_file, reason) from error
    # ca_file may hold the BMC's own alone. What BMCs sign for themselves is seldom to
    # the letter of RFC 5280, which Python demands from 3.13 on.
    context.verify_flags |= PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if access.security == UNVERIFIED:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _printable(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return those that can be sent back as they are, a token or an ETag."""
    return {n.lower(): v for n, v in headers if v.isascii() and v.isprintable()}


class _Bounded:
    """A socket for http.client in which everything ends at one deadline."""

    def __init__(self, own: Any, deadline: Deadline) -> None:
        self._own = own
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Send all of it (a request fits into what the kernel takes at once)."""
        self._own.settimeout(_left_s(self._deadline))
        self._own.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what is read from."""
        return io.BufferedReader(_Reader(self._own, self._deadline))

    def close(self) -> None:
        """Leave the connection to the Channel."""


class _Reader(io.RawIOBase):
    def __init__(self, own: Any, deadline: Deadline) -> None:
        self._own = own
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._own.settimeout(_left_s(self._deadline))
        return int(self._own.recv_into(buffer))


def _left_s(deadline: Deadline) -> float:
    left_s = deadline.remaining_s()
    if not left_s:
        raise TimeoutError
    return left_s
