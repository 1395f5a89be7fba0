"""The BMC as a power device: what ``fence.protocol.sequence`` reads and orders.

Raw Get Chassis Status and Chassis Control (IPMI 2.0, 28.2 and 28.3), so that the bytes
themselves are the evidence. Logs in when a session is needed, and again when a session
fell silent. Decides nothing about the node, with one exception: a power on does not
leave while an off or cycle that was sent could still arrive after it.
"""

from __future__ import annotations

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Unreachable
from vmha.fence.ipmi import diagnoses, rights
from vmha.fence.ipmi.network import Network
from vmha.fence.ipmi.paths import Paths
from vmha.fence.ipmi.session import CLOSE_S
from vmha.fence.protocol.sequence import (
    CYCLE,
    DIAG,
    OFF,
    ON,
    UNKNOWN,
    Reading,
    Receipt,
    rest_s,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmha.agents.protocol.errors import AgentError
    from vmha.fence.ipmi.access import Access
    from vmha.fence.ipmi.session import Session

CHASSIS = 0x00
GET_STATUS = 0x01
CONTROL = 0x02
ORDERS = {OFF: 0x00, ON: 0x01, CYCLE: 0x02, DIAG: 0x04}  # IPMI 2.0, table 28-4
SENT_ONCE = (CYCLE, DIAG)  # a second one would do it a second time
POWER_IS_ON = 0x01

# Completion codes, IPMI 2.0, table 5-2. Those from C0h to FEh say that the command was
# not carried out; below are the chassis' own codes, FFh says nothing.
NODE_BUSY = 0xC0
INVALID_COMMAND = 0xC1
TIMED_OUT_INSIDE = 0xC3
NO_PRIVILEGE = 0xD4
NOT_IN_THIS_STATE = 0xD5
UNSPECIFIED = 0xFF

AGAIN_S = 0.5  # between two tries to end a session
FAREWELL_S = 0.3  # for each session that is ended on the way out


class Bmc:
    """One BMC, with at most one open session.

    ``login_s`` is the time for one login, ``answer_s`` for one answer, ``rest_s`` the
    time a BMC is left alone after it took an order.
    """

    def __init__(
        self,
        access: Access,
        login_s: float,
        answer_s: float,
        rest_s: float,
        network: Network | None = None,
    ) -> None:
        self._paths = Paths(access, login_s, network or Network())
        self._target = access.target
        self._answer_s = answer_s
        self._rest_s = rest_s
        self._session: Session | None = None
        self._has_carried = False  # an order that must not arrive after an on
        self._not_ended: list[Session] = []  # those in which one may still arrive

    def power(self, deadline: Deadline) -> Reading:
        """Read the node's power; a refused login raises, silence is UNKNOWN."""
        try:
            code, data = self._status(deadline)
        except (Unreachable, diagnoses.Busy, diagnoses.TargetSilent) as reason:
            return Reading(UNKNOWN, failure=reason)
        if code:
            return Reading(UNKNOWN, failure=self._refusal("to tell the power", code))
        if len(data) < 3:
            what = f"chassis status with {len(data)} bytes instead of 3"
            failure = diagnoses.Unintelligible(self._label, what)
            return Reading(UNKNOWN, failure=failure)
        state = ON if data[0] & POWER_IS_ON else OFF
        return Reading(state, f"(chassis status {data.hex(' ')})")

    def _status(self, deadline: Deadline) -> tuple[int, bytes]:
        """Read the chassis status. A session can end while its BMC is well, and a
        request can be lost three times: a fresh session tells.
        """
        try:
            return self._chassis(GET_STATUS, (), deadline)
        except diagnoses.FellSilent:
            if deadline.expired():
                raise
            return self._chassis(GET_STATUS, (), deadline)

    def order(self, goal: str, deadline: Deadline) -> Receipt:
        """Send an order; the answer may be lost though it is done.

        Power on and off are sent again in their session while no answer comes, cycle
        and diag never. Raises OffMayArrive instead of a power on that an earlier order
        could undo.
        """
        if goal == ON and not self._is_past() and not self.renew(deadline):
            raise diagnoses.OffMayArrive(self._label)
        try:
            code, _ = self._chassis(CONTROL, (ORDERS[goal],), deadline, goal)
        except (diagnoses.FellSilent, diagnoses.TargetSilent) as silence:
            return Receipt(True, silence)
        except (Unreachable, diagnoses.Busy) as reason:
            return Receipt(False, reason)
        if code:
            is_open = code < NODE_BUSY or code in (TIMED_OUT_INSIDE, UNSPECIFIED)
            what = "a diagnostic interrupt" if goal == DIAG else f"power {goal}"
            return Receipt(is_open, self._refusal(what, code))
        deadline.sleep(rest_s(self._rest_s, deadline))
        return Receipt(True)

    def renew(self, deadline: Deadline) -> bool:
        """Begin a fresh session; tell whether every off and cycle sent is past.

        A session that the BMC has ended cannot carry a late packet any more; one that
        merely fell silent can. Where the BMC's answer to Close Session was lost, it is
        asked again in a fresh session, on the same path if that works.
        """
        self.close(deadline)
        while self._not_ended:
            try:
                if not self._end(self._not_ended[0], deadline):
                    return False
            except (Unreachable, diagnoses.Busy):
                if deadline.expired():
                    return False
                deadline.sleep(AGAIN_S)
        return True

    def prove(self, deadline: Deadline) -> str:
        """Find out whether this BMC would fence now; return "" or what is to be known.

        Raises the diagnosis of what is in the way. A path that is dead while the other
        one works is told only.
        """
        session = self._opened(deadline)
        path = session.path
        rights.check_granted(path, session.granted)
        silent = 0

        def ask(netfn: int, command: int, data: Sequence[int]) -> bytes:
            nonlocal silent
            target = self._target if command == rights.GET_DEVICE_ID else None
            try:
                code, told = self._ask(netfn, command, data, deadline, target)
            except diagnoses.FellSilent:
                silent += 1  # there are BMCs that ignore what they do not know
                return b""
            return b"" if code else told

        rights.check_state(path, ask)
        notes = [rights.check_limits(path, ask)]
        if self._target is None:
            notes.append(rights.check_firewall(path, ask))
        reading = self.power(deadline) if silent else None
        if reading and reading.failure:
            raise reading.failure
        notes.append(self._paths.check_other(deadline))
        return "; ".join(note for note in notes if note)

    def close(self, deadline: Deadline) -> None:
        """Close the session if there is one; takes a second at most.

        It is used before to end those in which an order may still arrive.
        """
        session, self._session = self._session, None
        if session is None:
            return
        part = deadline.part(CLOSE_S)
        if not session.is_silent:
            self._bid_farewell(session, part)
        if not session.close(part) and self._has_carried:
            self._not_ended.append(session)
        self._has_carried = False

    def _bid_farewell(self, session: Session, deadline: Deadline) -> None:
        for other in tuple(self._not_ended):
            is_same_path = other.peer == session.peer
            part = deadline.part(FAREWELL_S)
            try:
                if session.close_other(other.number, is_same_path, part):
                    self._not_ended.remove(other)
            except (diagnoses.FellSilent, diagnoses.Busy):
                return

    def _end(self, ended: Session, deadline: Deadline) -> bool:
        """Have the BMC confirm the end of a session that is not in use any more."""
        if self._session is None:
            self._paths.prefer(ended.path)
        session = self._opened(deadline)
        part = deadline.part(self._answer_s)
        is_same_path = ended.peer == session.peer
        try:
            confirmed = session.close_other(ended.number, is_same_path, part)
        except diagnoses.FellSilent:
            self._fall_silent(deadline)
            raise
        if confirmed:
            self._not_ended.remove(ended)
        return confirmed

    def _is_past(self) -> bool:
        return not (self._has_carried or self._not_ended)

    def _chassis(
        self, command: int, data: Sequence[int], deadline: Deadline, goal: str = ""
    ) -> tuple[int, bytes]:
        """Ask the controller that has the node's power."""
        once, late = goal in SENT_ONCE, goal not in ("", ON)
        return self._ask(CHASSIS, command, data, deadline, self._target, once, late)

    def _ask(
        self,
        netfn: int,
        command: int,
        data: Sequence[int],
        deadline: Deadline,
        target: int | None = None,
        once: bool = False,
        must_not_be_late: bool = False,
    ) -> tuple[int, bytes]:
        session = self._opened(deadline)
        self._has_carried = self._has_carried or must_not_be_late
        part = deadline.part(self._answer_s)
        try:
            return session.command(netfn, command, data, part, once, target)
        except diagnoses.FellSilent:
            self._fall_silent(deadline)
            raise

    def _fall_silent(self, deadline: Deadline) -> None:
        """Leave a session that does not answer, and take the other path if any."""
        if self._session is not None:
            self._paths.avoid(self._session.path)
        self.close(deadline)

    def _opened(self, deadline: Deadline) -> Session:
        """Return the session; log in if there is none, with the suite that worked."""
        if self._session is None:
            self._session = self._paths.log_in(deadline)
        return self._session

    @property
    def _label(self) -> str:
        return self._paths.first.label

    def _refusal(self, what: str, code: int) -> AgentError:
        """Name a completion code; raises it when asking again cannot help."""
        if code == NO_PRIVILEGE:
            user = self._paths.first.user
            raise diagnoses.PrivilegeTooLow(self._label, user, f"the right for {what}")
        if code == INVALID_COMMAND:
            raise diagnoses.CommandRefused(self._label, what, code)
        if code in (NODE_BUSY, TIMED_OUT_INSIDE):
            return diagnoses.Busy(self._label, f"completion code 0x{code:02x}")
        if code == NOT_IN_THIS_STATE:
            return diagnoses.NotInThisState(self._label, what)
        return diagnoses.CommandRefused(self._label, what, code)
