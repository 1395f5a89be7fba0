"""The network as an effect: names, sockets and the clock that a session waits by.

Given to ``session`` and ``power`` as an argument, so that the same code also runs on a
network and a clock that exist in memory only.
"""

from __future__ import annotations

import select
import socket
import time

from vmha.fence.protocol import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.fence.protocol.names import Address

LARGEST_PACKET = 3000


class Channel:
    """A socket of our own, connected to one address, so that refusals are heard.

    ``is_refused`` tells that the host has answered that nobody listens there.
    """

    def __init__(self, address: Address) -> None:
        """Connect; raises OSError when there is no way to that address."""
        family, kind, protocol, _, peer = address
        self.is_refused = False
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.setblocking(False)
            self._socket.connect(peer)
        except BaseException:
            self._socket.close()
            raise

    def send(self, packet: bytes) -> None:
        """Send a packet; one that cannot be sent now is like one that is lost."""
        try:
            self._socket.send(packet)
        except ConnectionRefusedError:
            self.is_refused = True
        except OSError:
            return

    def receive(self, wait_s: float) -> bytes:
        """Return the next packet, or nothing after ``wait_s`` or a refusal."""
        if wait_s > 0 and not select.select([self._socket], (), (), wait_s)[0]:
            return b""
        try:
            return bytes(self._socket.recv(LARGEST_PACKET))
        except ConnectionRefusedError:
            self.is_refused = True
        except OSError:
            pass  # nothing there, or no route now: like a lost packet
        return b""

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


class Network:
    """The real network, and monotonic time."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int], list[Address]] = {}

    def resolve(self, host: str, port: int, wait_s: float) -> list[Address]:
        """Return the addresses of a name; raises OSError or UnicodeError.

        Asked once: a name that was known at the start of an action stays known when
        the name server goes down with the node. IPv6 literals may stand in brackets.
        """
        if (host, port) not in self._found:
            bare = host[1:-1] if host[:1] + host[-1:] == "[]" else host
            found = names.resolve(bare, port, socket.SOCK_DGRAM, wait_s)
            self._found[host, port] = found
        return self._found[host, port]

    def connect(self, address: Address) -> Channel:
        """Return a channel to an address; raises OSError when there is no way."""
        return Channel(address)

    def clock(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()
