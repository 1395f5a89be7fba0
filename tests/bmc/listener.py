"""A scripted BMC on a real UDP socket, for tests with real agents.

A ``Listener`` has the same face as ``simulator.Simulator`` where ``calls.Caller`` looks
at it: address and port. It runs in a thread of the test's process, so that a test can
look at the server and its node while an agent talks to it.
"""

from __future__ import annotations

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
    """A scripted BMC that answers at ``host`` and ``port`` while its context lasts."""

    def __init__(
        self,
        plan: Plan | None = None,
        host: str = "127.0.0.1",
        node: Node | None = None,
        port: int = 0,
    ) -> None:
        self.server = Server(plan or Plan(), time.monotonic, node)
        self.host = host
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(LOOK_S)
        self._socket.bind((host, port))
        self.port: int = self._socket.getsockname()[1]
        self._lock = threading.Lock()
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
        self._socket.close()

    @property
    def node(self) -> Node:
        """Return the node behind the BMC."""
        return self.server.node

    def _serve(self) -> None:
        while not self._is_over.is_set():
            try:
                packet, peer = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            with self._lock:
                answers = self.server.receive(packet, peer)
            for answer in answers:
                self._socket.sendto(answer, peer)
