"""One IPMI 2.0 session with one BMC: the only place that imports pyghmi.

pyghmi knows the messages, the login handshake and the cryptography. Its own input and
output is not used: it hands replies from a thread to the caller through a queue, and a
reply that comes before the caller has queued its wish to wait is only noticed at the
retry timer, half a second to a second later. Here one thread owns one connected socket:
it sends, waits for that socket and nothing else, and hands in what arrives. There is
no queue in which a reply could be overlooked, and no thread.

Also mended, by overriding and without touching pyghmi's files: its table of logins in
progress (the second login of a process hung), session numbers that repeat after a
restarted login (a late reply then looked like a wrong password), and retries that were
too few and too far apart. Works with pyghmi 1.5.34 and 1.5.70.

Used by ``power``; never decides what to do about a node.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import time

from pyghmi.ipmi.private import session as pyghmi

from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.fence.ipmi import diagnoses
from vmha.fence.ipmi.access import PRIVILEGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.ipmi.access import Access

# IPMI 2.0, table 22-20: suites as pyghmi names their hash, and their authentication
# algorithm on the wire (table 13-17). Both authenticate, sign and encrypt with AES.
HASHES = {3: 1, 17: 256}
ALGORITHMS = {3: 1, 17: 3}

FIRST_RESEND_S = 0.3
LAST_RESEND_S = 2.0
CLOSE_S = 1.0

APPLICATION = 0x06
SET_PRIVILEGE = 0x3B
CLOSE_SESSION = 0x3C
NO_SUCH_SESSION = 0x87  # IPMI 2.0, table 22-24: a closed session is what we want


class Session:
    """An open session; made by ``open_session``, ended by ``close``."""

    def __init__(self, wire: _Wire, access: Access) -> None:
        self.suite = wire.suites[0]
        self.number = int(wire.sessionid)
        self._wire = wire
        self._access = access
        self._silent = False

    def command(
        self, netfn: int, command: int, data: Sequence[int], deadline: Deadline
    ) -> tuple[int, bytes]:
        """Send a command and return its completion code and data.

        The request is sent again while no answer comes. Raises FellSilent at the
        deadline; the session is then of no more use, and the command may have been
        carried out or not.
        """
        answer = self._wire.ask(netfn, command, data, deadline)
        if answer is None:
            self._silent = True
            raise diagnoses.FellSilent(self._access.label)
        return answer

    def close(self, deadline: Deadline) -> bool:
        """End the session; tell whether the BMC has confirmed it. Takes 1 s at most.

        An open session occupies a slot of the BMC until its idle timer ends it, and a
        delayed command could still arrive in it.
        """
        # One that fell silent is told once and not waited for.
        part = deadline.part(0.0 if self._silent else CLOSE_S)
        try:
            return self.close_other(self.number, part)
        finally:
            self._wire.socket.close()

    def close_other(self, number: int, deadline: Deadline) -> bool:
        """End the session of this number; tell whether the BMC has confirmed it.

        A BMC that has ended a session no longer answers in it, so an answer that was
        lost can only be had again in another session (IPMI 2.0, 22.19).
        """
        data = struct.pack("<I", number)
        answer = self._wire.ask(APPLICATION, CLOSE_SESSION, data, deadline)
        return answer is not None and answer[0] in (0, NO_SUCH_SESSION)


def open_session(access: Access, deadline: Deadline) -> Session:
    """Log in and return the session.

    Every address of the name gets its share of the time. Raises a diagnosis:
    Unreachable when nobody answered, Busy when all sessions are taken, Refused
    otherwise.
    """
    failure: AgentError = diagnoses.NoAnswer(access.label)
    addresses = _addresses(access)
    for position, address in enumerate(addresses):
        share_s = deadline.remaining_s() / (len(addresses) - position)
        try:
            return _log_in(access, address, deadline.part(share_s))
        except Unreachable as error:
            failure = error
    raise failure


def _addresses(access: Access) -> list[tuple[Any, ...]]:
    try:
        found = socket.getaddrinfo(access.host, access.port, 0, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a valid name"
        raise diagnoses.NameUnresolved(access.host, str(reason).lower()) from error
    return found


def _log_in(access: Access, address: tuple[Any, ...], deadline: Deadline) -> Session:
    """Log in at one address, as administrator or else as operator."""
    levels = [access.privilege] if access.privilege else ["administrator", "operator"]
    for level in levels:
        wire = _Wire(access, PRIVILEGES[level], address)
        try:
            wire.log_in(deadline)
            wire.take_privilege(deadline)
        except (diagnoses.WrongUser, diagnoses.PrivilegeTooLow):
            wire.socket.close()
            if level == levels[-1]:
                raise
        except BaseException:
            wire.socket.close()
            raise
        else:
            return Session(wire, access)
    raise AssertionError("every level was tried")


class _Wire(pyghmi.Session):  # type: ignore[misc]
    """pyghmi's protocol on a socket of our own.

    pyghmi builds and understands messages and calls back into the methods below: its
    names are theirs. Attributes not set here belong to it.
    """

    forbidsock = ()
    lastpayload: Any

    def __new__(cls, *_args: object) -> _Wire:
        """Make a new object: pyghmi would look for one to share."""
        return object.__new__(cls)

    def __init__(
        self, access: Access, privilege: int, address: tuple[Any, ...]
    ) -> None:
        self.suites = list(access.suites)  # the first one is proposed
        self._access = access
        self._address = address
        self._failure: AgentError | None = None
        self._answer: tuple[int, bytes] | None = None
        self._resends = 0
        self._restarts = 0
        self._resend_at = 0.0
        self._port_closed = False
        super().__init__(
            access.host,
            access.username,
            access.password,
            access.port,
            access.key,
            onlogon=_ignore,
            privlevel=privilege,
        )

    # What the module uses.

    def log_in(self, deadline: Deadline) -> None:
        """Wait for the login that pyghmi has begun; raises a diagnosis."""
        while not self.logged:
            if self._failure:
                raise self._failure
            if deadline.expired():
                silent = diagnoses.PortClosed if self._port_closed else None
                raise (silent or diagnoses.NoAnswer)(self._access.label)
            self._turn(deadline)

    def take_privilege(self, deadline: Deadline) -> None:
        """Ask for the privilege that the login was made with (IPMI 2.0, 22.18)."""
        answer = self.ask(APPLICATION, SET_PRIVILEGE, [self.privlevel], deadline)
        if answer is None:
            raise diagnoses.NoAnswer(self._access.label)
        if answer[0]:
            self._tell_close()
            raise self._too_low()

    def ask(
        self, netfn: int, command: int, data: Sequence[int], deadline: Deadline
    ) -> tuple[int, bytes] | None:
        """Send a request; return its completion code and data, None for no answer."""
        self._answer = None
        self._restarts = 0
        self.lastpayload = None
        self.request_entry.clear()  # a late answer to an earlier request is not ours
        self.ipmicallback = self._answered
        self._send_ipmi_net_payload(netfn, command, data, retry=True)
        while self._answer is None and not deadline.expired():
            self._turn(deadline)
        return self._answer

    # One turn of the loop: at most one packet, or one resend.

    def _turn(self, deadline: Deadline) -> None:
        wait_s = min(self._resend_at - time.monotonic(), deadline.remaining_s())
        if wait_s > 0 and not select.select([self.socket], (), (), wait_s)[0]:
            return
        self._hand_in(self._receive())
        if self.lastpayload and time.monotonic() >= self._resend_at:
            self._send_again()

    def _receive(self) -> bytes:
        """Return a packet, or nothing."""
        try:
            return bytes(self.socket.recv(3000))
        except ConnectionRefusedError:
            self._port_closed = True
        except OSError:
            pass  # nothing there, or no route now: like a lost packet
        return b""

    def _hand_in(self, packet: bytes) -> None:
        """Let pyghmi read a packet; what it cannot read counts as not received."""
        if packet[:1] != b"\x06" or packet[2:4] != b"\xff\x07":
            return
        try:
            self._handle_ipmi_packet(bytearray(packet), qent=(None, None, None))
        except (IndexError, KeyError, TypeError, ValueError, struct.error):
            return

    def _send_again(self) -> None:
        """Repeat what was not answered.

        The two messages of key exchange may not be repeated; login starts anew, under
        a new session number, so that a late reply to the old one is not mistaken.
        """
        again = self._resends + 1
        if self.sessioncontext in ("EXPECTINGRAKP2", "EXPECTINGRAKP4"):
            self._restarts += 1
            self.login()
        elif self.sessioncontext == "OPENSESSION":
            if again > 1:  # there are BMCs that do not refuse a suite but say nothing
                self.suites.append(self.suites.pop(0))
            self._propose()
        else:
            self.hasretried = 1
            self.send_payload()
        self._resends = again
        self._wait_longer()

    def _propose(self) -> None:
        self.attemptedhash = HASHES[self.suites[0]]
        self._open_rmcpplus_request()

    def _wait_longer(self) -> None:
        """Wait 0.3 s for an answer, twice as long each time, 2 s at most."""
        wait_s = FIRST_RESEND_S * 2 ** max(self._resends, self._restarts)
        self._resend_at = time.monotonic() + min(wait_s, LAST_RESEND_S)

    def _tell_close(self) -> None:
        """Send Close Session once and do not wait."""
        number = struct.pack("<I", self.sessionid)
        self.lastpayload = None
        self._send_ipmi_net_payload(APPLICATION, CLOSE_SESSION, number, retry=False)

    def _answered(self, response: dict[str, Any]) -> None:
        self._answer = (int(response["code"]), bytes(response["data"]))

    # What pyghmi calls.

    def _assignsocket(self, **_kwargs: object) -> socket.socket:
        """Give pyghmi a socket that is connected to the BMC, and no thread."""
        family, kind, protocol, _, peer = self._address
        try:
            own = socket.socket(family, kind, protocol)
            own.setblocking(False)
            own.connect(peer)
        except OSError as error:
            raise diagnoses.NoAnswer(self._access.label) from error
        return own

    def _initsession(self) -> None:
        super()._initsession()
        self.localsid = int.from_bytes(os.urandom(4), "little") >> 2 | 1
        self.remseqnumber = 0
        self.attemptedhash = HASHES[self.suites[0]]

    def _xmit_packet(self, *_args: object, **_kwargs: object) -> None:
        if self.sequencenumber:
            self.sequencenumber += 1
        self._resends = 0
        self._wait_longer()
        try:
            self.socket.send(self.netpacket)
        except ConnectionRefusedError:
            self._port_closed = True
        except OSError:
            return  # no route now: like a lost packet

    def _req_priv_level(self) -> None:
        """Note that login is complete; the privilege is asked for by take_privilege."""
        self.logged = 1
        self.logging = False

    def onlogon(self, parameter: dict[str, str]) -> None:
        """Note that pyghmi itself found login wrong."""
        if self.sessioncontext == "FAILED":
            user = self._access.user
            self._failure = diagnoses.WrongPassword(self._access.label, user)
        elif self.sessioncontext == "EXPECTINGRAKP4":
            self._failure = diagnoses.WrongKey(self._access.label)
        elif "error" in parameter:
            self._failure = diagnoses.LoginRefused(self._access.label, "login", 0xFF)

    def _got_channel_auth_cap(self, response: dict[str, Any]) -> None:
        """Go on only with IPMI 2.0 (table 22-15): pyghmi cannot speak 1.5."""
        data = response["data"]
        if response["code"] or not (data[1] & 0x80 and data[3] & 0x02):
            self._failure = diagnoses.OldProtocol(self._access.label)
            return
        super()._got_channel_auth_cap(response)

    def _got_rmcp_response(self, data: bytearray) -> None:
        """Check Open Session Response (IPMI 2.0, table 13-10), and the suite in it."""
        if self.sessioncontext != "OPENSESSION" or data[0] != self.rmcptag:
            return
        chosen = data[16] & 0x3F if len(data) > 16 else None
        if data[1] in (0x04, 0x05, 0x10, 0x11) or (
            data[1] == 0 and chosen != ALGORITHMS[self.suites[0]]
        ):
            self._try_next_suite()
        elif data[1]:
            self._failure = self._refusal("the session request", data[1])
        else:
            super()._got_rmcp_response(data)

    def _try_next_suite(self) -> None:
        if len(self.suites) > 1:
            del self.suites[0]
            self._propose()
            return
        names = " and ".join(str(suite) for suite in self._access.suites)
        self._failure = diagnoses.SuiteRefused(self._access.label, names)

    def _got_rakp2(self, data: bytearray) -> None:
        """Check the status of RAKP 2 (IPMI 2.0, table 13-12); 2 is a stale reply."""
        if data[0] == self.rmcptag and data[1] not in (0, 2):
            self._failure = self._refusal("RAKP 2", data[1])
            return
        super()._got_rakp2(data)

    def _got_rakp4(self, data: bytearray) -> None:
        """Check the status of RAKP 4 (IPMI 2.0, table 13-14)."""
        if data[0] == self.rmcptag and data[1] not in (0, 2):
            self._failure = self._refusal("RAKP 4", data[1])
            return
        super()._got_rakp4(data)

    def _refusal(self, stage: str, status: int) -> AgentError:
        """Name a status code of RMCP+ (IPMI 2.0, table 13-15)."""
        label, user = self._access.label, self._access.user
        if status in (0x01, 0x0B):
            return diagnoses.Busy(label, "all its sessions are taken")
        if status in (0x09, 0x0A):
            return self._too_low()
        if status == 0x0D:
            return diagnoses.WrongUser(label, user)
        if status == 0x0F:
            return diagnoses.WrongPassword(label, user)
        return diagnoses.LoginRefused(label, stage, status)

    def _too_low(self) -> AgentError:
        names = {number: name for name, number in PRIVILEGES.items()}
        wanted = f"the privilege {names[self.privlevel]}"
        return diagnoses.PrivilegeTooLow(self._access.label, self._access.user, wanted)


def _ignore(_parameter: object) -> None:
    """Make pyghmi return from its constructor instead of waiting for login."""
