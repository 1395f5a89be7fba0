"""The ways to one BMC: its address and its fallback, and the proof that both are it.

A login tries the way that worked last, then the other, each in its share of the time.
RAKP 2 carries the BMC's system GUID, signed with the password (IPMI 2.0, 13.21): a
login that shows another one than before has met another BMC, and is refused.

The gap that is left: an action in which only one BMC ever answers has nothing to
compare with. A monitor asks both. Used by ``power``.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.fence.ipmi import diagnoses
from vmha.fence.ipmi.access import OPERATOR
from vmha.fence.ipmi.session import CLOSE_S, open_session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.deadline import Deadline
    from vmha.fence.ipmi.access import Access
    from vmha.fence.ipmi.network import Network
    from vmha.fence.ipmi.session import Session

NO_GUIDS = (b"", b"\0" * 16, b"\xff" * 16)  # of BMCs that were given none


class Paths:
    """One or two ways to a BMC. ``login_s`` is the time for a login on one of them."""

    def __init__(self, access: Access, login_s: float, network: Network) -> None:
        self._paths = access.paths()
        self._login_s = login_s
        self._network = network
        self._guid = b""

    @property
    def first(self) -> Access:
        """Return the way that is tried first, because it worked last."""
        return self._paths[0]

    def prefer(self, path: Access) -> None:
        """Try this way first from now on."""
        self._paths.sort(key=lambda known: known is not path)

    def avoid(self, path: Access) -> None:
        """Try this way last from now on: it has fallen silent."""
        self._paths.sort(key=lambda known: known is path)

    def log_in(self, deadline: Deadline) -> Session:
        """Log in and return the session; raises the diagnosis that says most."""
        failures: list[AgentError] = []
        for path in tuple(self._paths):
            share_s = deadline.remaining_s() / (len(self._paths) - len(failures))
            try:
                session = self._open(path, deadline.part(min(self._login_s, share_s)))
            except diagnoses.OtherBmc:
                raise
            except AgentError as failure:
                failures.append(failure)
            else:
                self.prefer(path)
                return session
        raise _most_telling(failures)

    def check_other(self, deadline: Deadline) -> str:
        """Log in on the way that is not in use; return "" or what is wrong with it.

        Raises OtherBmc.
        """
        if len(self._paths) == 1:
            return ""
        path = self._paths[1]
        what = f"the second path to the BMC, {path.label}, is of no use now"
        try:
            session = self._open(path, deadline.part(self._login_s))
        except diagnoses.OtherBmc:
            raise
        except AgentError as failure:
            return f"{what}: {failure}"
        session.close(deadline.part(CLOSE_S))
        if session.granted < OPERATOR:
            return f"{what}: it does not grant the privilege operator"
        return ""

    def _open(self, path: Access, deadline: Deadline) -> Session:
        session = open_session(path, deadline, self._network)
        path.suites = (session.suite,)
        if session.guid in NO_GUIDS:
            return session
        if self._guid not in (b"", session.guid):
            session.close(deadline)
            known, other = self._guid.hex(), session.guid.hex()
            raise diagnoses.OtherBmc(path.label, known, other)
        self._guid = session.guid
        return session


def _most_telling(failures: list[AgentError]) -> AgentError:
    """Return the failure to report: an answer, rather than silence.

    An answer of the first way decides: the BMC has spoken. That of the second does
    only if asking again can help; its refusals leave the first one to be tried again.
    """
    first, last = failures[0], failures[-1]
    if first is last or not isinstance(first, Unreachable):
        return first
    return last if isinstance(last, diagnoses.Busy) else diagnoses.NoPath(first, last)
