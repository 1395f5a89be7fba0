"""A scripted BMC on a real UDP socket, for tests with real agents.

A ``Listener`` has the same face as ``simulator.Simulator`` where ``calls.Caller`` looks
at it: address and port. It runs in a thread of the test's process, so that a test can
look at the server and its node while an agent talks to it. A BMC can have two
addresses, with the same port, and each of them can fall silent.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import TYPE_CHECKING

from bmc.plan import Plan
from bmc.rmcp import Server

if TYPE_CHECKING:
    from types import TracebackType

    from bmc.node import Node

LOOK_S = 0.2  # how often the thread looks whether it is to end


class Listener:
    """A scripted BMC that answers at ``host`` and ``port`` while its context lasts.

    ``others`` are further addresses of it. ``silent`` are those of its addresses at
    which nothing is heard: put them in at any time. ``node`` is one that another
    listener has made, for a BMC whose addresses have sessions of their own.
    """

    def __init__(
        self,
        plan: Plan | None = None,
        host: str = "127.0.0.1",
        others: tuple[str, ...] = (),
        port: int = 0,
        node: Node | None = None,
    ) -> None:
        self.server = Server(plan or Plan(), time.monotonic, node)
        self.host = host
        self.port = port
        self.silent: set[str] = set()
        self._sockets: dict[socket.socket, str] = {}
        for each in (host, *others):
            family = socket.AF_INET6 if ":" in each else socket.AF_INET
            bound = socket.socket(family, socket.SOCK_DGRAM)
            bound.bind((each, self.port))
            self.port = bound.getsockname()[1]
            self._sockets[bound] = each
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        for each in self._sockets:
            each.close()

    @property
    def node(self) -> Node:
        """Return the node behind the BMC."""
        return self.server.node

    def _serve(self) -> None:
        while not self._is_over.is_set():
            for ready in select.select(list(self._sockets), (), (), LOOK_S)[0]:
                packet, peer = ready.recvfrom(4096)
                if self._sockets[ready] in self.silent:
                    continue
                for answer in self.server.receive(packet, peer):
                    ready.sendto(answer, peer)
