"""The BMC as a power device: what ``fence.protocol.sequence`` reads and orders.

Raw Get Chassis Status and Chassis Control (IPMI 2.0, 28.2 and 28.3), so that the bytes
themselves are the evidence. Logs in when a session is needed, and again when a session
fell silent. Decides nothing about the node.
"""

from __future__ import annotations

from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Unreachable
from vmha.fence.ipmi import diagnoses
from vmha.fence.ipmi.session import CLOSE_S, open_session
from vmha.fence.protocol.sequence import (
    CYCLE,
    DIAG,
    OFF,
    ON,
    UNKNOWN,
    Reading,
    Receipt,
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
ORDERS = {OFF: 0x00, ON: 0x01, CYCLE: 0x02, DIAG: 0x04}
POWER_IS_ON = 0x01

# Completion codes, IPMI 2.0, table 5-2.
NODE_BUSY = 0xC0
INVALID_COMMAND = 0xC1
TIMED_OUT_INSIDE = 0xC3
NO_PRIVILEGE = 0xD4
NOT_IN_THIS_STATE = 0xD5


class Bmc:
    """One BMC, with at most one open session.

    ``login_s`` is the time for one login, ``answer_s`` for one answer, ``rest_s`` the
    time a BMC is left alone after it took an order.
    """

    def __init__(
        self, access: Access, login_s: float, answer_s: float, rest_s: float
    ) -> None:
        self._access = access
        self._login_s = login_s
        self._answer_s = answer_s
        self._rest_s = rest_s
        self._session: Session | None = None
        self._carried_off = False
        self._not_closed: list[int] = []  # sessions in which an off may still arrive

    def power(self, deadline: Deadline) -> Reading:
        """Read the node's power; a refused login raises, silence is UNKNOWN."""
        had_session = self._session is not None
        try:
            code, data = self._ask(GET_STATUS, (), deadline)
        except diagnoses.FellSilent as silence:
            # A session can end while its BMC is well; a fresh one tells.
            if had_session and not deadline.expired():
                return self.power(deadline)
            return Reading(UNKNOWN, failure=silence)
        except (Unreachable, diagnoses.Busy) as reason:
            return Reading(UNKNOWN, failure=reason)
        if code:
            return Reading(UNKNOWN, failure=self._refusal("to tell the power", code))
        if len(data) < 3:
            what = f"chassis status with {len(data)} bytes instead of 3"
            failure = diagnoses.Unintelligible(self._access.label, what)
            return Reading(UNKNOWN, failure=failure)
        state = ON if data[0] & POWER_IS_ON else OFF
        return Reading(state, f"(chassis status {data.hex(' ')})")

    def order(self, goal: str, deadline: Deadline) -> Receipt:
        """Send power on or off once; the answer may be lost though it is done."""
        try:
            code, _ = self._ask(CONTROL, (ORDERS[goal],), deadline, off=goal == OFF)
        except diagnoses.FellSilent as silence:
            return Receipt(True, silence)
        except (Unreachable, diagnoses.Busy) as reason:
            return Receipt(False, reason)
        if code:
            failure = self._refusal(f"power {goal}", code)
            return Receipt(code == TIMED_OUT_INSIDE, failure)
        deadline.sleep(self._rest_s)
        return Receipt(True)

    def renew(self, deadline: Deadline) -> bool:
        """Begin a fresh session; tell whether every off that was sent is past.

        A session that the BMC has ended cannot carry a late packet any more. Where the
        answer to that was lost, it is asked for in the fresh session.
        """
        self.close(deadline)
        for number in tuple(self._not_closed):
            part = deadline.part(self._answer_s)
            if self._opened(deadline).close_other(number, part):
                self._not_closed.remove(number)
        return not self._not_closed

    def prove(self, deadline: Deadline) -> str:
        """Raise a diagnosis if this BMC could not fence now."""
        self._opened(deadline)
        return ""

    def close(self, deadline: Deadline) -> None:
        """Close the session if there is one; takes a second at most."""
        session, self._session = self._session, None
        if session is not None:
            confirmed = session.close(deadline.part(CLOSE_S))
            if self._carried_off and not confirmed:
                self._not_closed.append(session.number)
        self._carried_off = False

    def _ask(
        self, command: int, data: Sequence[int], deadline: Deadline, off: bool = False
    ) -> tuple[int, bytes]:
        session = self._opened(deadline)
        self._carried_off = self._carried_off or off
        part = deadline.part(self._answer_s)
        try:
            return session.command(CHASSIS, command, data, part)
        except diagnoses.FellSilent:
            self.close(deadline)
            raise

    def _opened(self, deadline: Deadline) -> Session:
        """Return the session; log in if there is none, with the suite that worked."""
        if self._session is None:
            self._session = open_session(self._access, deadline.part(self._login_s))
            self._access.suites = (self._session.suite,)
        return self._session

    def _refusal(self, what: str, code: int) -> AgentError:
        """Name a completion code; raises it when asking again cannot help."""
        label, user = self._access.label, self._access.user
        if code == NO_PRIVILEGE:
            raise diagnoses.PrivilegeTooLow(label, user, f"the right for {what}")
        if code == INVALID_COMMAND:
            raise diagnoses.CommandRefused(label, what, code)
        if code in (NODE_BUSY, TIMED_OUT_INSIDE):
            return diagnoses.Busy(label, f"completion code 0x{code:02x}")
        if code == NOT_IN_THIS_STATE:
            return diagnoses.Busy(label, f"it refuses {what} in its present state")
        return diagnoses.CommandRefused(label, what, code)
