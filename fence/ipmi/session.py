"""One IPMI 2.0 session with one BMC, from login to the confirmed end.

``open_session`` logs in at one of the name's addresses; ``Session`` asks, and is
closed. The messages are those of ``wire``. Used by ``power``; never decides what to do
about a node.
"""

from __future__ import annotations

import struct

from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.fence.ipmi import diagnoses
from vmha.fence.ipmi.access import PRIVILEGES
from vmha.fence.ipmi.network import Network
from vmha.fence.ipmi.wire import APPLICATION, CLOSE_SESSION, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.ipmi.access import Access
    from vmha.fence.protocol.names import Address

CLOSE_S = 1.0
NODE_BUSY = 0xC0  # IPMI 2.0, table 5-2
NO_SUCH_SESSION = 0x87  # IPMI 2.0, table 22-24: a closed session is what we want


class Session:
    """An open session; made by ``open_session``, ended by ``close``.

    ``granted`` is the privilege level it has, ``guid`` the identity of the BMC,
    ``path`` and ``peer`` the way and the address it was opened at, ``number`` the BMC's
    name for it.
    """

    def __init__(self, wire: Wire, access: Access, address: Address) -> None:
        self.suite = wire.suites[0]
        self.number = int(wire.sessionid)
        self.granted = wire.granted
        self.guid = wire.guid
        self.peer = address[4]
        self.path = access
        self.is_silent = False
        self._wire = wire

    def command(
        self,
        netfn: int,
        command: int,
        data: Sequence[int],
        deadline: Deadline,
        once: bool = False,
        target: int | None = None,
    ) -> tuple[int, bytes]:
        """Send a command and return its completion code and data.

        The request is sent again while no answer comes, unless it may go out ``once``
        only. Raises FellSilent at the deadline; the session is then of no more use, and
        the command may have been carried out or not.
        """
        answer = self._wire.ask(netfn, command, data, deadline, once, target)
        if answer is None:
            self.is_silent = True
            if target is not None:
                raise diagnoses.TargetUnanswered(self.path.label, target)
            raise diagnoses.FellSilent(self.path.label)
        return answer

    def close(self, deadline: Deadline) -> bool:
        """End the session; tell whether the BMC has confirmed it. Takes 1 s at most.

        An open session occupies a slot of the BMC until its idle timer ends it, and a
        delayed command could still arrive in it. "No such session" is no confirmation
        here: the BMC has just answered in it.
        """
        # One that fell silent is told once and not waited for.
        part = deadline.part(0.0 if self.is_silent else CLOSE_S)
        try:
            return self._end(self.number, part) == 0
        finally:
            self._wire.channel.close()

    def close_other(self, number: int, is_same_path: bool, deadline: Deadline) -> bool:
        """End the session of this number; tell whether the BMC has confirmed it.

        A BMC that has ended a session no longer answers in it, so an answer that was
        lost can only be had again in another session (IPMI 2.0, 22.19). Session numbers
        may be given out by each of the BMC's interfaces on its own: ``is_same_path``
        tells that it was opened at the same address, only then is an unknown number the
        end of that session. Raises FellSilent or Busy.
        """
        if number == self.number:
            # Given out again, so the other is gone; or it is another interface's.
            return is_same_path
        code = self._end(number, deadline)
        if code is None:
            self.is_silent = True
            raise diagnoses.FellSilent(self.path.label)
        if code == NODE_BUSY:
            raise diagnoses.Busy(self.path.label, f"completion code 0x{code:02x}")
        return code == 0 or (is_same_path and code == NO_SUCH_SESSION)

    def _end(self, number: int, deadline: Deadline) -> int | None:
        data = struct.pack("<I", number)
        answer = self._wire.ask(APPLICATION, CLOSE_SESSION, data, deadline)
        return None if answer is None else answer[0]


def open_session(
    access: Access, deadline: Deadline, network: Network | None = None
) -> Session:
    """Log in and return the session.

    Every address of the name gets its share of the time. Raises a diagnosis:
    Unreachable when nobody answered, Busy when all sessions are taken, Refused
    otherwise.
    """
    network = network or Network()
    failure: AgentError = diagnoses.NoAnswer(access.label)
    addresses = _addresses(access, network, deadline)
    for position, address in enumerate(addresses):
        share_s = deadline.remaining_s() / (len(addresses) - position)
        try:
            return _log_in(access, address, deadline.part(share_s), network)
        except Unreachable as error:
            failure = error
    raise failure


def _addresses(access: Access, network: Network, deadline: Deadline) -> list[Address]:
    try:
        return network.resolve(access.host, access.port, deadline.remaining_s())
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a valid name"
        raise diagnoses.NameUnresolved(access.host, str(reason).lower()) from error


def _log_in(
    access: Access, address: Address, deadline: Deadline, network: Network
) -> Session:
    """Log in at one address, as administrator or else as operator."""
    levels = [access.privilege] if access.privilege else ["administrator", "operator"]
    for level in levels:
        wire = Wire(access, PRIVILEGES[level], address, network)
        try:
            wire.log_in(deadline)
            wire.take_privilege(deadline)
        except (diagnoses.WrongUser, diagnoses.PrivilegeTooLow):
            _leave(wire)
            if level == levels[-1]:
                raise
        except BaseException:
            _leave(wire)
            raise
        else:
            return Session(wire, access, address)
    raise AssertionError("every level was tried")


def _leave(wire: Wire) -> None:
    """Give up a login; a session that is open already would occupy a slot."""
    if wire.logged:
        wire.tell_close(wire.sessionid)
    wire.channel.close()
