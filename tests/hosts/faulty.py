"""A disk that fails: an NBD server whose writes end with EIO.

Source: the NBD protocol (doc/proto.md), fixed newstyle negotiation and simple replies.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import threading

SIZE = 1 << 20
_OPTION, _REPLY = 0x49484156454F5054, 0x3E889045565A9
_REQUEST, _ANSWER = 0x25609513, 0x67446698
_EXPORT_NAME, _ABORT, _GO = 1, 2, 7
_ACK, _INFO, _UNSUPPORTED = 1, 3, (1 << 31) + 1
_READ, _WRITE, _END = 0, 1, 2
_FLAGS = 1 | 4  # has flags, takes a flush


class FaultyDisk:
    """Serves one export on a Unix socket until it is closed."""

    def __init__(self, path: str) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(path)
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=_serve, args=(client,), daemon=True).start()


def _serve(client: socket.socket) -> None:
    with client, contextlib.suppress(OSError, EOFError):
        if _negotiated(client):
            _transmit(client)


def _negotiated(client: socket.socket) -> bool:
    client.sendall(b"NBDMAGIC" + struct.pack(">QH", _OPTION, 3))
    _read(client, 4)
    while True:
        _, option, length = struct.unpack(">QII", _read(client, 16))
        _read(client, length)
        if option == _EXPORT_NAME:
            client.sendall(struct.pack(">QH", SIZE, _FLAGS))
            return True
        if option == _GO:
            export = struct.pack(">HQH", 0, SIZE, _FLAGS)
            client.sendall(_reply(option, _INFO, export) + _reply(option, _ACK))
            return True
        if option == _ABORT:
            return False
        client.sendall(_reply(option, _UNSUPPORTED))


def _transmit(client: socket.socket) -> None:
    while True:
        head = struct.unpack(">IHHQQI", _read(client, 28))
        _, _, kind, handle, _, length = head
        if kind == _END:
            return
        error, data = 0, b""
        if kind == _WRITE:
            _read(client, length)
            error = errno.EIO
        elif kind == _READ:
            data = bytes(length)
        client.sendall(struct.pack(">IIQ", _ANSWER, error, handle) + data)


def _reply(option: int, kind: int, data: bytes = b"") -> bytes:
    return struct.pack(">QIII", _REPLY, option, kind, len(data)) + data


def _read(client: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        chunk = client.recv(length - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data
