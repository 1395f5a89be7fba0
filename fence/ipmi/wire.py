"""The messages of IPMI 2.0 on one channel: the only place that imports pyghmi.

pyghmi knows the messages, the login handshake and the cryptography. Its own input and
output is not used: it hands replies from a thread to the caller through a queue, and a
reply that comes before the caller has queued its wish to wait is only noticed at the
retry timer, half a second to a second later. Here one thread owns one channel: it
sends, waits for that channel and nothing else, and hands in what arrives. There is no
queue in which a reply could be overlooked, and no thread.

Also mended, by overriding and without touching pyghmi's files: its table of logins in
progress (the second login of a process hung), session numbers that repeat after a
restarted login (a late reply then looked like a wrong password), retries that were too
few and too far apart, and request numbers that an unanswered request left to the next
one of its kind. Works with pyghmi 1.5.34, 1.5.70
and 1.6.19.

Used by ``session`` only.
"""

from __future__ import annotations

import os
import struct

from pyghmi.ipmi.private import session as pyghmi

from vmha.fence.ipmi import diagnoses
from vmha.fence.ipmi.access import level_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.protocol.errors import AgentError
    from vmha.fence.ipmi.access import Access
    from vmha.fence.ipmi.network import Channel, Network
    from vmha.fence.protocol.names import Address

# IPMI 2.0, table 22-20: suites as pyghmi names their hash, and their authentication
# algorithm on the wire (table 13-17). Both authenticate, sign and encrypt with AES.
HASHES = {3: 1, 17: 256}
ALGORITHMS = {3: 1, 17: 3}

FIRST_RESEND_S = 0.3
LAST_RESEND_S = 2.0
KEY_EXCHANGE = ("EXPECTINGRAKP2", "EXPECTINGRAKP4")  # as pyghmi names these states

OPENED_BYTES = 36  # IPMI 2.0, table 13-10
RMCP_PLUS = 0x06  # IPMI 2.0, table 13-8: the authentication type of its packets
APPLICATION = 0x06
SET_PRIVILEGE = 0x3B
CLOSE_SESSION = 0x3C
SEND_MESSAGE = 0x34
IPMB = 0

LATER = (0xC0, 0xC3)  # IPMI 2.0, table 5-2: busy, and no answer inside of the BMC
CAPABILITIES_BYTES = 8  # IPMI 2.0, table 22-15

# IPMI 2.0, table 13-15.
STALE_SESSION = 0x02
WRONG_CODE = 0x0F
MOST_CONFUSED = 5


class Wire(pyghmi.Session):  # type: ignore[misc]
    """pyghmi's protocol on a channel of our own.

    pyghmi builds and understands messages and calls back into the methods below: its
    names are theirs. Attributes not set here belong to it. ``granted`` is the privilege
    level that the BMC has granted, 0 where it does not say; ``guid`` its identity.
    """

    forbidsock = ()
    lastpayload: Any
    seqlun: int

    def __new__(cls, *_args: object) -> Wire:
        """Make a new object: pyghmi would look for one to share."""
        return object.__new__(cls)

    def __init__(
        self, access: Access, privilege: int, address: Address, network: Network
    ) -> None:
        self.suites = list(access.suites)  # the first one is proposed
        self.granted = 0
        self.channel: Channel
        self._access = access
        self._address = address
        self._network = network
        self._failure: AgentError | None = None
        self._answer: tuple[int, bytes] | None = None
        self._asked: tuple[int, int] | None = None
        self._resends = 0
        self._restarts = 0
        self._confused = 0
        self._is_opened = False  # the BMC has answered the proposal of a suite
        self._abandoned: list[int] = []
        self._resend_at = 0.0
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

    @property
    def guid(self) -> bytes:
        """Return the GUID of the managed system, as authenticated by RAKP 2."""
        return bytes(self.remoteguid)

    def log_in(self, deadline: Deadline) -> None:
        """Wait for the login that pyghmi has begun; raises a diagnosis."""
        while not self.logged:
            if self._failure:
                raise self._failure
            if deadline.expired():
                raise self._silence()
            self._turn(deadline)

    def take_privilege(self, deadline: Deadline) -> None:
        """Ask for the privilege that the login was made with (IPMI 2.0, 22.18).

        What is granted may be less than what was asked for.
        """
        answer = self.ask(APPLICATION, SET_PRIVILEGE, [self.privlevel], deadline)
        if answer is None:
            raise self._silence()
        code, data = answer
        if code:
            label, user = self._access.label, self._access.user
            raise diagnoses.PrivilegeTooLow(label, user, self._wanted)
        self.granted = data[0] & 0x0F if data else 0
        for number in self._abandoned:
            if number != self.sessionid:
                self.tell_close(number)

    def ask(
        self,
        netfn: int,
        command: int,
        data: Sequence[int],
        deadline: Deadline,
        once: bool = False,
        target: int | None = None,
    ) -> tuple[int, bytes] | None:
        """Send a request; return its completion code and data, None for no answer.

        It is sent again while no answer comes, unless it may go out ``once`` only.
        With a ``target`` it is for the controller at that address of IPMB; raises
        TargetSilent when the BMC cannot hand it over.
        """
        self._take_next_number()
        self._answer = self._failure = None
        self._asked = (netfn, command)
        self._restarts = 0
        self.lastpayload = None
        self.request_entry.clear()  # a late answer to an earlier request is not ours
        self.ipmicallback = self._answered
        bridge = {"addr": target, "channel": IPMB} if target is not None else None
        self._send_ipmi_net_payload(netfn, command, data, 0, bridge, retry=not once)
        while self._answer is None and not deadline.expired():
            self._turn(deadline)
            if self._failure:
                raise self._failure
        return self._answer

    def tell_close(self, session: int) -> None:
        """Send Close Session once and do not wait."""
        number = struct.pack("<I", session)
        self._take_next_number()
        self.lastpayload = None
        self._send_ipmi_net_payload(APPLICATION, CLOSE_SESSION, number, retry=False)

    def _take_next_number(self) -> None:
        """Give every request a number of its own (rqSeq, IPMI 2.0, figure 13-4).

        pyghmi goes on to the next one only after an answer: the late answer to a
        request that was given up would else be taken for that to the next one.
        """
        self.seqlun = (self.seqlun + 1) & 0x3F

    # One turn of the loop: at most one packet, or one resend.

    def _turn(self, deadline: Deadline) -> None:
        wait_s = deadline.remaining_s()
        if self.lastpayload:
            wait_s = min(wait_s, self._resend_at - self._network.clock())
        packet = self.channel.receive(max(0.0, wait_s))
        if packet:
            self._hand_in(packet)
        if self.lastpayload and self._network.clock() >= self._resend_at:
            self._send_again()

    def _hand_in(self, packet: bytes) -> None:
        """Let pyghmi read a packet; what it cannot read counts as not received."""
        if packet[:1] != b"\x06" or packet[2:4] != b"\xff\x07":
            return
        if self.ipmiversion == 2.0 and packet[4:5] != bytes((RMCP_PLUS,)):
            return  # a late answer of before login, or a forged one: not authenticated
        try:
            self._handle_ipmi_packet(bytearray(packet), qent=(None, None, None))
        except (IndexError, KeyError, TypeError, ValueError, struct.error):
            return

    def _send_again(self) -> None:
        """Repeat what was not answered.

        The two messages of key exchange are repeated once: some BMCs make other keys of
        a second one. Then login starts anew, under a new session number, so that a late
        reply to the old one is not mistaken.
        """
        again = self._resends + 1
        if again > 1 and self.sessioncontext in KEY_EXCHANGE:
            self._start_anew()
            return
        if again > 2 and self.sessioncontext == "OPENSESSION":
            # There are BMCs that do not refuse a suite but say nothing.
            self.suites.append(self.suites.pop(0))
            self._propose()
        else:
            self.hasretried = 1
            self.send_payload()
        self._resends = again
        self._wait_longer()

    def _start_anew(self) -> None:
        """Log in again; the BMC may hold a session open whose RAKP 4 was lost."""
        if self.sessioncontext == "EXPECTINGRAKP4":
            self._abandoned.append(self.pendingsessionid)
        self._restarts += 1
        self._initsession()
        self.ipmiversion = 2.0  # as the BMC has said already
        self._propose()

    def _propose(self) -> None:
        self.attemptedhash = HASHES[self.suites[0]]
        self._open_rmcpplus_request()

    def _wait_longer(self) -> None:
        """Wait 0.3 s for an answer, half as long again each time, 2 s at most.

        There are BMCs that need a second for their part of a key exchange.
        """
        growth = 2.0 if self.sessioncontext in KEY_EXCHANGE else 1.5
        wait_s = FIRST_RESEND_S * 1.5**self._restarts * growth**self._resends
        self._resend_at = self._network.clock() + min(wait_s, LAST_RESEND_S)

    def _answered(self, response: dict[str, Any]) -> None:
        code, data = int(response["code"]), bytes(response["data"])
        if response["command"] != SEND_MESSAGE:
            self._answer = (code, data)
        elif code:
            self._failure = diagnoses.TargetSilent(self._access.label, code)
        elif len(data) > 7 and (data[1] >> 2, data[5]) == self._awaited():
            self._answer = (data[6], data[7:-1])  # the target's whole message, inside

    def _awaited(self) -> tuple[int, int]:
        netfn, command = self._asked or (0, 0)
        return netfn + 1, command

    # What pyghmi calls.

    def _assignsocket(self, **_kwargs: object) -> Channel:
        """Give pyghmi a channel that is connected to the BMC, and no thread."""
        try:
            self.channel = self._network.connect(self._address)
        except OSError as error:
            raise diagnoses.NoAnswer(self._access.label) from error
        return self.channel

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
        self.channel.send(bytes(self.netpacket))

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
        code, data, label = response["code"], response["data"], self._access.label
        if code in LATER:
            self._failure = diagnoses.Busy(label, f"completion code 0x{code:02x}")
        elif not code and len(data) < CAPABILITIES_BYTES:
            what = f"capabilities with {len(data)} bytes instead of 8"
            self._failure = diagnoses.Unintelligible(label, what)
        elif code or not (data[1] & 0x80 and data[3] & 0x02):
            self._failure = diagnoses.OldProtocol(label)
        else:
            super()._got_channel_auth_cap(response)

    def _got_rmcp_response(self, data: bytearray) -> None:
        """Check Open Session Response (IPMI 2.0, table 13-10), and the suite in it."""
        if self.sessioncontext != "OPENSESSION" or self._is_stale(data):
            return
        if data[1] == 0 and len(data) < OPENED_BYTES:
            return
        chosen = data[16] & 0x3F if data[1] == 0 else None
        if data[1] in (0x04, 0x05, 0x10, 0x11) or (
            data[1] == 0 and chosen != ALGORITHMS[self.suites[0]]
        ):
            self._try_next_suite()
        elif data[1]:
            self._failure = self._refusal("the session request", data[1])
        else:
            self._is_opened = True
            super()._got_rmcp_response(data)

    def _try_next_suite(self) -> None:
        if len(self.suites) > 1:
            del self.suites[0]
            self._propose()
            return
        names = " and ".join(str(suite) for suite in self._access.suites)
        self._failure = diagnoses.SuiteRefused(self._access.label, names)

    def _got_rakp2(self, data: bytearray) -> None:
        """Check the status of RAKP 2 (IPMI 2.0, table 13-12)."""
        if self.sessioncontext != "EXPECTINGRAKP2" or self._is_stale(data):
            return
        if data[1] not in (0, STALE_SESSION):
            self._failure = self._refusal("RAKP 2", data[1])
            return
        super()._got_rakp2(data)

    def _got_rakp4(self, data: bytearray) -> None:
        """Check the status of RAKP 4 (IPMI 2.0, table 13-14).

        RAKP 2 has shown that the BMC knows our password. If it then calls our code
        wrong, or knows nothing of this login, a message has reached it twice.
        """
        if self.sessioncontext != "EXPECTINGRAKP4" or self._is_stale(data):
            return
        if data[1] in (STALE_SESSION, WRONG_CODE) and self._confused < MOST_CONFUSED:
            self._confused += 1
            self._start_anew()
        elif data[1]:
            self._failure = self._refusal("RAKP 4", data[1])
        else:
            super()._got_rakp4(data)

    def _is_stale(self, data: bytearray) -> bool:
        """Tell whether a message of login answers another one than our last.

        A refusal may leave out our session number, or have zero there.
        """
        number = int.from_bytes(data[4:8], "little")
        return data[0] != self.rmcptag or number not in (0, self.localsid)

    def _refusal(self, stage: str, status: int) -> AgentError:
        label, user = self._access.label, self._access.user
        return diagnoses.refused_login(label, user, stage, status, self._wanted)

    def _silence(self) -> AgentError:
        """Name a login that was not answered to its end."""
        label, user = self._access.label, self._access.user
        if self._is_opened:
            what = f"the login of user {user!r}"
            return diagnoses.LoginUnanswered(label, what, "username and password")
        if self.ipmiversion == 2.0:
            what = "the proposal of a cipher suite"
            return diagnoses.LoginUnanswered(label, what, "the parameter cipher")
        closed = self.channel.is_refused
        return (diagnoses.PortClosed if closed else diagnoses.NoAnswer)(label)

    @property
    def _wanted(self) -> str:
        return f"the privilege {level_name(self.privlevel)}"


def _ignore(_parameter: object) -> None:
    """Make pyghmi return from its constructor instead of waiting for login."""
