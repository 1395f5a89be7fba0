"""A scripted BMC: an RMCP+ (IPMI 2.0) server of our own, as a pure state machine.

For what ipmi_sim cannot do: suite 17, privileges and completion codes, sessions that
run out, answers of a wrong length, silence in the middle. It has no socket and no time
of its own: packets go in and come out, the clock is given. ``plan.Plan`` says how it
behaves, ``node.Node`` is the power of the node behind it. Tests in virtual time use it
as it is, ``listener`` puts it on a real socket.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from bmc import commands, frames
from bmc.commands import Controller, Session
from bmc.login import Login, Logins
from bmc.node import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from bmc.frames import Envelope, Keys, Request
    from bmc.plan import Plan

SEND_MESSAGE = 0x34
NOT_ON_BUS = 0x83  # 22.7: the other controller did not acknowledge
WINDOW_AHEAD, WINDOW_BEHIND = 15, 16  # 6.12.13


class Server:
    """A BMC. ``node`` may be shared by the two paths to it; ``bridged`` is behind IPMB.

    ``logins`` and ``closed`` count what its sessions did; ``received`` and ``sent``
    count packets.
    """

    def __init__(
        self, plan: Plan, clock: Callable[[], float], node: Node | None = None
    ) -> None:
        self.plan = plan
        self.node = node or Node(plan, clock)
        self.bridged = Node(plan, clock)
        self.sessions: dict[int, Session] = {}
        self.received = self.sent = self.logins = 0
        self._clock = clock
        self._begin = clock()
        self._random = Random(plan.seed)
        self._open: dict[int, Channel] = {}
        self._under_way = Logins(plan, self._random)
        self._controller = Controller(plan, self.node, self.sessions)
        self._other = Controller(plan, self.bridged, self.sessions)
        self._restarts = sorted(plan.restarts)
        self._deaf_until = self._begin
        self._answers = 0
        self._fated = 0

    def receive(self, packet: bytes, _peer: Hashable) -> list[bytes]:
        """Take a packet; return the packets to send back, in order."""
        self.received += 1
        self._pass_time()
        is_silent = self._is_silent()
        if self._clock() < self._deaf_until or (is_silent and self.plan.is_deaf):
            return []
        answers = self._answer(packet)
        if is_silent:
            return []
        sent = [fated for answer in answers for fated in self._fate(answer)]
        self.sent += len(sent)
        return sent

    def restart(self) -> None:
        """Lose all sessions, and be deaf for as long as the plan says."""
        self.sessions.clear()
        self._open.clear()
        self._under_way.waiting.clear()
        self._deaf_until = self._clock() + self.plan.restart_s

    # Time.

    def _elapsed_s(self) -> float:
        return self._clock() - self._begin

    def _pass_time(self) -> None:
        """Restart when it is due, and end the sessions that were idle too long."""
        while self._restarts and self._elapsed_s() >= self._restarts[0]:
            del self._restarts[0]
            self.restart()
        for number, session in tuple(self.sessions.items()):
            if self._clock() - session.used_at >= self.plan.idle_s:
                del self.sessions[number]

    def _is_silent(self) -> bool:
        now, most = self._elapsed_s(), self.plan.answers
        ended = most is not None and self._answers >= most
        return ended or any(begin <= now < end for begin, end in self.plan.silences)

    # Messages.

    def _answer(self, packet: bytes) -> list[bytes]:
        tag = frames.ping_tag(packet)
        if tag is not None:
            return [frames.pong(tag)]
        envelope = frames.read_envelope(packet)
        if envelope is None:
            return []
        if envelope.version == frames.PLAIN:
            answer = self._outside(envelope)
        elif envelope.session:
            return self._inside(envelope)
        elif self.plan.only_1_5:
            return []
        else:
            answer = self._log_in(envelope)
        return [] if answer is None else [answer]

    def _outside(self, envelope: Envelope) -> bytes | None:
        """Answer the two commands that need no session (13.27.1)."""
        request = frames.read_request(envelope.payload)
        if request is None or envelope.session:
            return None
        if (request.netfn, request.command) == (commands.APPLICATION, 0x38):
            code, data = commands.capabilities(self.plan, request.data)
        elif (request.netfn, request.command) == (commands.APPLICATION, 0x54):
            code, data = commands.cipher_suites(self.plan, request.data)
        else:
            code, data = commands.NO_PRIVILEGE, b""
        return frames.plain(request.answer(code, data))

    def _log_in(self, envelope: Envelope) -> bytes | None:
        kind, payload = envelope.kind, envelope.payload
        if kind == frames.OPEN:
            is_full = len(self.sessions) >= self.plan.sessions
            return self._under_way.open(payload, is_full)
        if kind == frames.RAKP1:
            return self._under_way.rakp1(payload)
        if kind == frames.RAKP3:
            login, answer = self._under_way.rakp3(payload)
            if login is not None and login.number not in self._open:
                self._begin_session(login)
            return answer
        return None

    def _begin_session(self, login: Login) -> None:
        assert login.user is not None
        assert login.keys is not None
        asked = login.role & 0x0F
        limits_order = self.plan.too_low_at == "order"
        most = asked if limits_order else min(asked, login.user.privilege)
        session = Session(login.number, login.user, most, self._clock())
        self.sessions[login.number] = session
        self._open[login.number] = Channel(login.console, login.keys)
        self.logins += 1

    def _inside(self, envelope: Envelope) -> list[bytes]:
        """Carry out a command in a session, and answer it."""
        session = self.sessions.get(envelope.session)
        channel = self._open.get(envelope.session)
        if session is None or channel is None:
            return []
        payload = channel.keys.open(envelope)
        request = None if payload is None else frames.read_request(payload)
        if request is None:
            return []
        if not channel.accepts(envelope.sequence, self.plan.executes_duplicates):
            return []
        most = self.plan.session_answers
        is_over = most is not None and session.answers >= most
        if is_over and self.plan.is_deaf:
            return []
        session.used_at = self._clock()
        session.answers += 1
        self._answers += 1
        answers = self._carry_out(session, request)
        if is_over:
            return []
        iv = self._random.randbytes
        return [channel.seal(answer, iv(frames.BLOCK)) for answer in answers]

    def _carry_out(self, session: Session, request: Request) -> list[bytes]:
        is_bridge = (request.netfn, request.command) == (
            commands.APPLICATION,
            SEND_MESSAGE,
        )
        if is_bridge and self.plan.bridge is not None:
            return self._bridge(session, request)
        return [request.answer(*self._controller.answer(session, request))]

    def _bridge(self, session: Session, request: Request) -> list[bytes]:
        """Pass a request on to the other controller (22.7 and figure 6-8).

        Its answer comes as a second packet, under the sequence number of the request.
        """
        inner = frames.read_request(request.data[1:])
        if inner is None or inner.responder != self.plan.bridge:
            return [request.answer(NOT_ON_BUS)]
        code, data = self._other.answer(session, inner)
        if self.plan.embeds_bridged:
            return [request.answer(commands.OK, inner.answer(code, data))]
        forwarded = inner._replace(
            requester=request.requester, sequence=request.sequence
        )
        return [request.answer(commands.OK), forwarded.answer(code, data)]

    def _fate(self, packet: bytes) -> list[bytes]:
        """Do to a packet what the plan has for it."""
        number, self._fated = self._fated, self._fated + 1
        fate = self.plan.fates[number] if number < len(self.plan.fates) else ""
        if not fate:
            return [packet]
        if fate == "lost":
            return []
        if fate == "twice":
            return [packet, packet]
        if fate == "garbage":
            return [self._random.randbytes(len(packet))]
        verb, _, size = fate.partition(" ")
        assert verb == "cut", fate
        return [packet[: int(size)]]


class Channel:
    """The wire's side of a session: its keys and its sequence numbers."""

    def __init__(self, console: int, keys: Keys) -> None:
        self.keys = keys
        self._console = console
        self._sent = 0
        self._highest = 0
        self._seen: set[int] = set()

    def seal(self, answer: bytes, iv: bytes) -> bytes:
        """Return an answer as a packet of this session."""
        self._sent += 1
        return self.keys.seal(self._console, self._sent, answer, iv)

    def accepts(self, sequence: int, executes_duplicates: bool) -> bool:
        """Tell whether a packet of this number is to be carried out (6.12.13)."""
        if executes_duplicates:
            return True
        ahead = sequence - self._highest
        if sequence in self._seen or not -WINDOW_BEHIND <= ahead <= WINDOW_AHEAD:
            return False
        self._seen.add(sequence)
        self._highest = max(self._highest, sequence)
        return True
