"""A Redfish service in virtual time: implements the Channel, scripted by fate.

Each request takes 0.02 s of the Clock. ``fates`` tells, one per reset, what becomes of
it; the node's true power is ``truth()``. ``journal`` keeps what was asked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from unit.fence.devices import Clock

from vmha.fence.protocol.sequence import OFF, ON
from vmha.fence.redfish.access import Access
from vmha.fence.redfish.channel import Answer, Channel
from vmha.fence.redfish.client import Client
from vmha.fence.redfish.diagnoses import FellSilent, NoAnswer
from vmha.fence.redfish.power import Bmc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.agents.protocol.deadline import Deadline

CALL_S = 0.02
SECRET = "Qz7-secret"
ROOT = "/redfish/v1"
SYSTEM = f"{ROOT}/Systems/1"
TARGET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
SESSIONS = f"{ROOT}/SessionService/Sessions"
TASK = f"{ROOT}/TaskService/Tasks/7"
ROLE = f"{ROOT}/AccountService/Roles/Operator"

# What becomes of a reset: it is answered and done; answered as a task; done without an
# answer; lost without one; done long after the silence; or refused with a status, which
# is no refusal with 500: it is done long after that.
DONE, TASKED, UNHEARD, LOST, LATE = "done", "tasked", "unheard", "lost", "late"
LATE_S = 6.0


class Service(Channel):
    """A BMC behind Redfish, and the node behind it.

    An off shows its effect after ``takes_s``, an on at once. ``shows`` stands for the
    power state in documents.
    """

    def __init__(self, clock: Clock, power: str = ON, takes_s: float = 0.0) -> None:
        self.clock = clock
        self.takes_s = takes_s
        self.fates: list[str | int] = []
        self.refusals: dict[str, list[Answer]] = {}  # by method and path, used up
        self.shows: object = ...
        self.allowed: object = ["On", "ForceOff", "PowerCycle", "Nmi"]
        self.members = [SYSTEM]
        self.privileges: object = ["Login", "ConfigureComponents"]
        self.documents: dict[str, object] = {}
        self.asked_s = CALL_S
        self.away = False
        self.open_sessions: set[str] = set()
        self.journal: list[str] = []
        self.killed = False  # by an off that came after an on
        self._done: list[str] = []
        self._power = power
        self._coming: list[tuple[float, str]] = []
        self._made = 0
        self._open = False

    @property
    def resets(self) -> list[str]:
        """Return the resets that came in, with their types."""
        return [w.split()[1] for w in self.journal if w.startswith("reset ")]

    def truth(self) -> str:
        """Return the true power now."""
        for due, power in sorted(e for e in self._coming if e[0] <= self.clock.now):
            self.killed = self.killed or (power == OFF and "On" in self._done)
            self._done += ["On"] if power == ON else []
            self._power = power
            self._coming.remove((due, power))
        return self._power

    def bmc(self) -> Bmc:
        """Return the device of a fence agent that speaks to this service."""
        access = Access("bmc", 443, "fencer", SECRET)
        return Bmc(Client(access, self, 5.0, 3.0), 0.0)

    # The Channel.

    def is_ready(self) -> bool:
        return self._open

    def open(self, deadline: Deadline) -> None:
        if self.away:
            deadline.sleep(deadline.remaining_s())
            raise NoAnswer("bmc")
        self._open = True

    def close(self) -> None:
        self._open = False

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
    ) -> Answer:
        assert self._open
        self.clock.sleep(min(self.asked_s, deadline.remaining_s()))
        if deadline.expired():
            raise FellSilent("bmc", method)
        self.journal.append(f"{method} {path}")
        refusals = self.refusals.get(f"{method} {path}")
        if refusals:
            return refusals.pop(0)
        if path == ROOT:
            return self._shown(path)
        if (method, path) == ("POST", SESSIONS):
            assert json.loads(body) == {"UserName": "fencer", "Password": SECRET}
            return self._session()
        token = headers.get("X-Auth-Token", "")
        if f"{SESSIONS}/{token}" not in self.open_sessions:
            return Answer(401, {}, b"")
        if method == "DELETE":
            self.open_sessions.remove(path)
            return Answer(204, {}, b"")
        if method == "POST":
            assert path == TARGET
            return self._reset(json.loads(body)["ResetType"], deadline)
        return self._shown(path)

    def _session(self) -> Answer:
        self._made += 1
        where = f"{SESSIONS}/t{self._made}"
        self.open_sessions.add(where)
        headers = {"x-auth-token": f"t{self._made}", "location": f"https://x{where}"}
        return Answer(201, headers, b"")

    def _reset(self, kind: str, deadline: Deadline) -> Answer:
        self.journal.append(f"reset {kind}")
        fate = self.fates.pop(0) if self.fates else DONE
        if fate in (DONE, TASKED, UNHEARD, LATE, 500):
            late_s = LATE_S if fate in (LATE, 500) else 0.0
            self._carry_out(kind, self.clock.now + late_s)
        if isinstance(fate, int):
            return Answer(fate, {}, b"")
        if fate in (UNHEARD, LOST, LATE):
            deadline.sleep(deadline.remaining_s())
            self._open = False
            raise FellSilent("bmc", "POST")
        if fate == TASKED:
            return Answer(202, {"location": TASK}, b"")
        return Answer(204, {}, b"")

    def _carry_out(self, kind: str, at: float) -> None:
        if kind == "On":
            self._coming.append((at, ON))
        elif kind in ("ForceOff", "PowerCycle"):
            self._coming.append((at + self.takes_s, OFF))
        if kind == "PowerCycle":
            self._coming.append((at + self.takes_s + 1.0, ON))

    def _shown(self, path: str) -> Answer:
        document = {**self._documents(), **self.documents}.get(path)
        if document is None:
            return Answer(404, {}, b"")
        return Answer(200, {"etag": '"7"'}, json.dumps(document).encode())

    def _documents(self) -> dict[str, object]:
        truth = {ON: "On", OFF: "Off"}[self.truth()]
        state = truth if self.shows is ... else self.shows
        reset: dict[str, object] = {"target": TARGET}
        if self.allowed is not None:
            reset["ResetType@Redfish.AllowableValues"] = self.allowed
        accounts = f"{ROOT}/AccountService/Accounts"
        pending = any(due > self.clock.now for due, _ in self._coming)
        return {
            ROOT: {
                "RedfishVersion": "1.15.0",
                "Systems": {"@odata.id": f"{ROOT}/Systems"},
                "AccountService": {"@odata.id": f"{ROOT}/AccountService"},
                "Links": {"Sessions": {"@odata.id": SESSIONS}},
            },
            f"{ROOT}/Systems": {"Members": [{"@odata.id": m} for m in self.members]},
            SYSTEM: {
                "PowerState": state,
                "Actions": {"#ComputerSystem.Reset": reset},
            },
            TASK: {"TaskState": "Running" if pending else "Completed"},
            f"{ROOT}/AccountService": {"Accounts": {"@odata.id": accounts}},
            accounts: {"Members": [{"@odata.id": f"{accounts}/2"}]},
            f"{accounts}/2": {
                "UserName": "fencer",
                "RoleId": "Operator",
                "Links": {"Role": {"@odata.id": ROLE}},
            },
            ROLE: {"Id": "Operator", "AssignedPrivileges": self.privileges},
        }
