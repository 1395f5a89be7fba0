"""The other end of a scripted BMC: a console without a socket, in virtual time."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from bmc import frames
from bmc.rmcp import Server
from bmc.simulator import PASSWORD

if TYPE_CHECKING:
    from bmc.plan import Plan

NUMBER = 0x1234
RANDOM = bytes(range(16))


class Console:
    """One session with a server, packet by packet; ``now`` is the time."""

    def __init__(self, plan: Plan) -> None:
        self.now = 100.0
        self.server = Server(plan, lambda: self.now)
        self.session = 0
        self.keys = frames.Keys(frames.SUITES[3], b"")
        self.sequence = 0

    def send(self, packet: bytes) -> list[bytes]:
        return self.server.receive(packet, "console")

    def log_in(self, privilege: int = 4, name: bytes = b"admin") -> None:
        """Log in with suite 3; every status must be 0."""
        suite = frames.SUITES[3]
        opened = self.exchange(frames.OPEN, self.proposal(privilege))
        (self.session,) = struct.unpack("<I", opened[8:12])
        identity = bytes((privilege, len(name))) + name
        rakp1 = struct.pack("<BxxxI", 2, self.session) + RANDOM + identity[:1]
        rakp1 += b"\0\0" + identity[1:]
        rakp2 = self.exchange(frames.RAKP1, rakp1)
        secret, theirs = PASSWORD.encode(), rakp2[8:24]
        code = suite.keyed(secret, theirs + struct.pack("<I", NUMBER) + identity)
        rakp3 = struct.pack("<BxxxI", 3, self.session) + code
        self.exchange(frames.RAKP3, rakp3)
        sik = suite.keyed(secret, RANDOM + theirs + identity)
        self.keys = frames.Keys(suite, sik)
        self.sequence = 0

    def proposal(self, privilege: int = 4) -> bytes:
        algorithms = b"".join(bytes((kind, 0, 0, 8, 1, 0, 0, 0)) for kind in range(3))
        return struct.pack("<BBxxI", 1, privilege, NUMBER) + algorithms

    def exchange(self, kind: int, payload: bytes) -> bytes:
        """Return the payload of the one answer to a message of login."""
        (answer,) = self.send(frames.bare(kind, payload))
        envelope = frames.read_envelope(answer)
        assert envelope is not None
        assert envelope.payload[1] == 0, envelope
        return envelope.payload

    def packet(self, netfn: int, command: int, *data: int) -> bytes:
        """Return the next packet of the session."""
        self.sequence += 1
        head = bytes((frames.BMC_ADDRESS, netfn << 2))
        body = bytes((0x81, self.sequence % 64 << 2, command, *data))
        message = head + frames.checksum(head) + body + frames.checksum(body)
        return self.keys.seal(self.session, self.sequence, message, bytes(16))

    def ask(self, netfn: int, command: int, *data: int) -> tuple[int, bytes] | None:
        """Return completion code and data of the first answer, None for silence."""
        answers = self.send(self.packet(netfn, command, *data))
        return self.read(answers[0]) if answers else None

    def read(self, packet: bytes) -> tuple[int, bytes]:
        """Return completion code and data of an answer."""
        envelope = frames.read_envelope(packet)
        assert envelope is not None
        assert envelope.session == NUMBER
        message = self.keys.open(envelope)
        assert message is not None
        return message[6], message[7:-1]
