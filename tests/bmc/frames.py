"""The packets of IPMI over LAN as bytes: RMCP, both session headers, IPMB messages.

Pure, for the scripted BMC in ``rmcp``. What cannot be read gives None, as a BMC would
drop it. Tables are those of the IPMI 2.0 specification, revision 1.1.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

RMCP_IPMI = bytes.fromhex("0600ff07")  # table 13-1: version, reserved, sequence, class
RMCP_ASF = bytes.fromhex("0600ff06")
ASF_IANA = bytes.fromhex("000011be")  # table 13-6

PLAIN, PLUS = 0x00, 0x06  # table 13-8, authentication type of the session header
# Table 13-16, payload types.
IPMI, OPEN, OPENED = 0x00, 0x10, 0x11
RAKP1, RAKP2, RAKP3, RAKP4 = 0x12, 0x13, 0x14, 0x15
ENCRYPTED, AUTHENTICATED = 0x80, 0x40

BMC_ADDRESS = 0x20
BLOCK = 16


class Suite(NamedTuple):
    """A cipher suite (table 22-20): its algorithms on the wire, and their sizes."""

    number: int
    authentication: int  # table 13-17
    integrity: int  # table 13-18
    hash: str
    code_bytes: int  # of the integrity code, and of the one in RAKP 4

    def keyed(self, key: bytes, text: bytes) -> bytes:
        """Return the whole keyed hash."""
        return hmac.new(key, text, getattr(hashlib, self.hash)).digest()


SUITES = {3: Suite(3, 1, 1, "sha1", 12), 17: Suite(17, 3, 4, "sha256", 16)}
AES = 1  # table 13-19: AES-CBC-128, the confidentiality of both


class Request(NamedTuple):
    """An IPMB request (figure 13-4 and table 5-1)."""

    responder: int
    netfn: int
    lun: int
    requester: int
    sequence: int  # with the requester's LUN, as it stands in the byte
    command: int
    data: bytes

    def answer(self, code: int, data: bytes = b"") -> bytes:
        """Return the response message."""
        head = bytes((self.requester, (self.netfn + 1) << 2 | self.sequence & 3))
        body = bytes((self.responder, self.sequence & 0xFC | self.lun, self.command))
        body += bytes((code,)) + data
        return head + checksum(head) + body + checksum(body)


class Envelope(NamedTuple):
    """A packet without its RMCP header; ``signed`` and ``code`` are for its check."""

    version: int  # PLAIN or PLUS
    kind: int  # payload type with its two flags
    session: int
    sequence: int
    payload: bytes
    signed: bytes = b""


def checksum(data: bytes) -> bytes:
    """Return the byte that makes the sum zero."""
    return bytes((-sum(data) & 0xFF,))


def read_request(message: bytes) -> Request | None:
    """Read an IPMB request; None where it is short or a checksum is wrong."""
    if len(message) < 7 or sum(message[:3]) & 0xFF or sum(message[3:]) & 0xFF:
        return None
    responder, function, _, requester, sequence, command = message[:6]
    netfn, lun = function >> 2, function & 3
    if netfn & 1:
        return None  # a response
    return Request(responder, netfn, lun, requester, sequence, command, message[6:-1])


def read_envelope(packet: bytes) -> Envelope | None:
    """Read a session header of IPMI 1.5 without authentication, or of RMCP+."""
    if packet[:1] + packet[2:4] != RMCP_IPMI[:1] + RMCP_IPMI[2:4]:
        return None
    if len(packet) < 14:
        return None
    if packet[4] == PLAIN:
        sequence, session, size = struct.unpack("<IIB", packet[5:14])
        payload = packet[14 : 14 + size]
        if len(payload) < size:
            return None
        return Envelope(PLAIN, IPMI, session, sequence, payload)
    if packet[4] != PLUS or len(packet) < 16:
        return None
    kind, session, sequence, size = struct.unpack("<BIIH", packet[5:16])
    payload = packet[16 : 16 + size]
    if len(payload) < size:
        return None
    return Envelope(PLUS, kind, session, sequence, payload, packet[4:])


def plain(payload: bytes, session: int = 0, sequence: int = 0) -> bytes:
    """Return a packet of IPMI 1.5 without authentication (table 13-8, left)."""
    header = struct.pack("<BIIB", PLAIN, sequence, session, len(payload))
    return RMCP_IPMI + header + payload


def bare(kind: int, payload: bytes) -> bytes:
    """Return an RMCP+ packet outside of any session (table 13-8, right)."""
    header = struct.pack("<BBIIH", PLUS, kind, 0, 0, len(payload))
    return RMCP_IPMI + header + payload


def pong(tag: int) -> bytes:
    """Return a presence pong that tells of IPMI (table 13-7)."""
    entities = bytes((0x81, 0))
    body = ASF_IANA + bytes((0x40, tag, 0, 16)) + ASF_IANA + bytes(4) + entities
    return RMCP_ASF + body + bytes(6)


def ping_tag(packet: bytes) -> int | None:
    """Return the tag of a presence ping, None where it is something else."""
    is_ping = packet[3:4] == RMCP_ASF[3:4] and packet[4:9] == ASF_IANA + b"\x80"
    return packet[9] if is_ping and len(packet) >= 12 else None


class Keys:
    """The keys of one session: seal what goes out, open what comes in (13.28, 13.29).

    ``sik`` is the session integrity key (13.31); K1 signs, K2 encrypts (13.32).
    """

    def __init__(self, suite: Suite, sik: bytes) -> None:
        self.suite = suite
        self.signing = suite.keyed(sik, b"\x01" * 20)
        self.aes = suite.keyed(sik, b"\x02" * 20)[:BLOCK]

    def seal(self, session: int, sequence: int, payload: bytes, iv: bytes) -> bytes:
        """Return an encrypted and signed packet with an IPMI payload."""
        filler = bytes(range(1, 1 + -(len(payload) + 1) % BLOCK))
        text = payload + filler + bytes((len(filler),))
        secret = self._cipher(iv).encryptor()
        sealed = iv + secret.update(text) + secret.finalize()
        kind = IPMI | ENCRYPTED | AUTHENTICATED
        head = struct.pack("<BBIIH", PLUS, kind, session, sequence, len(sealed))
        signed = head + sealed
        pad = -(len(signed) + 2) % 4
        signed += b"\xff" * pad + bytes((pad, 0x07))
        return RMCP_IPMI + signed + self._code(signed)

    def open(self, envelope: Envelope) -> bytes | None:
        """Return the payload; None unless it is signed with our key and encrypted."""
        size = self.suite.code_bytes
        signed, code = envelope.signed[:-size], envelope.signed[-size:]
        if not hmac.compare_digest(code, self._code(signed)):
            return None
        if envelope.kind & (ENCRYPTED | AUTHENTICATED) != ENCRYPTED | AUTHENTICATED:
            return None
        iv, secret = envelope.payload[:BLOCK], envelope.payload[BLOCK:]
        if not secret or len(secret) % BLOCK:
            return None
        opener = self._cipher(iv).decryptor()
        text = opener.update(secret) + opener.finalize()
        return text[: -1 - text[-1]]

    def _code(self, signed: bytes) -> bytes:
        return self.suite.keyed(self.signing, signed)[: self.suite.code_bytes]

    def _cipher(self, iv: bytes) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self.aes), modes.CBC(iv))
