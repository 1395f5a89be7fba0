"""The check of level 10: a look inside a running guest.

Called by a recurring monitor. It asks libvirt's witnesses, each within a bound, puts
them to what earlier monitors have kept and lets ``health`` judge. A libvirt that falls
silent here is no finding: whether the guest runs was answered before.
"""

from __future__ import annotations

import time

from vmha.agents.domainxml import channel, document
from vmha.agents.hypervisor import capabilities, domains
from vmha.agents.hypervisor import health as witnesses
from vmha.agents.hypervisor import uri as uris
from vmha.agents.hypervisor.connection import Connection
from vmha.agents.protocol import exitcodes
from vmha.agents.protocol.agent import Operation
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.agents.vm.health import Agent, Finding, Look, Rules, judge
from vmha.agents.vm.history import HistoryStore
from vmha.agents.vm.observation import Observation
from vmha.agents.vm.policies import HANG_POLICY, chosen, number
from vmha.agents.vm.states import POLICIES

ANSWERS_S = 2.5
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, TypeVar

    _T = TypeVar("_T")


def check_up(
    operation: Operation,
    seen: Observation,
    store: HistoryStore,
    clock: Callable[[], float] = time.monotonic,
) -> list[Finding]:
    """Return what is wrong with a guest that libvirt has running."""
    if seen.connection is None:
        return []
    checkup = _Checkup(operation, seen, seen.connection)
    found = checkup.occupied() + checkup.disk_errors()
    look = checkup.look(clock)
    after, judged = judge(store.read(operation.instance), look, checkup.rules())
    try:
        store.write(operation.instance, after)
    except OSError as error:
        operation.log.warning(f"what was seen of {seen.identity} is not kept: {error}")
    return found + judged


SYNC_S = 6.0  # libvirt first waits 5 s for the agent to be in step (qemu_agent.c)


class _Checkup:
    """One look inside; after the first call that libvirt leaves unanswered, no more."""

    def __init__(
        self, operation: Operation, seen: Observation, connection: Connection
    ) -> None:
        self.operation = operation
        self.seen = seen
        self.connection = connection
        self.domain = seen.sight.domain
        self.driver = uris.driver(connection.uri)
        self.is_silent = False

    def rules(self) -> Rules:
        """Return the parameters that decide."""
        policy = chosen(self.operation, HANG_POLICY, "degraded")
        timeout_s = number(self.operation, "hang_timeout", 120)
        return Rules(timeout_s, POLICIES[policy], self._wants_agent() == "required")

    def disk_errors(self) -> list[Finding]:
        """Find disks whose error the guest runs on with."""
        if not capabilities.able(self.driver, "disk errors"):
            return []
        errors = self._asked(domains.disk_errors) or {}
        return [
            Finding(exitcodes.DEGRADED, f"disk {disk} {'is full' if full else 'fails'}")
            for disk, full in sorted(errors.items())
        ]

    def occupied(self) -> list[Finding]:
        """Find an emulator that owes libvirt an answer for too long."""
        if not capabilities.able(self.driver, "job"):
            return []
        since_s = self._asked(witnesses.occupied_s) or 0.0
        if since_s < self.rules().patience_s:
            return []
        text = f"its emulator has not answered libvirt for {since_s:.0f} s"
        return [Finding(exitcodes.DEGRADED, text)]

    def look(self, clock: Callable[[], float]) -> Look:
        """Ask every witness of a hang, and for the job under way."""
        has_jobs = capabilities.able(self.driver, "job")
        job = self._asked(witnesses.job) if has_jobs else ""
        counters = self._asked(witnesses.counters)
        agent = self._agent()
        look = Look(self._epoch(), clock(), agent, job=job)
        if counters:
            look.cpu_ns, look.disk, look.net = (
                counters.cpu_ns,
                counters.disk,
                counters.net,
            )
        return look

    def _agent(self) -> Agent:
        """Ask the guest's agent, where there is one to be asked."""
        able = capabilities.able(self.driver, "guest agent")
        if not able or self._wants_agent() == "ignore":
            return Agent.NONE
        text = self._asked(witnesses.definition)
        if text is None:
            return Agent.UNKNOWN
        definition = document.parse(text, "the running guest")
        if not channel.has_agent_channel(definition):
            return Agent.NONE
        if not channel.agent_is_connected(definition):
            return Agent.AWAY
        patience_s = number(self.operation, "agent_timeout", 5)
        # The scripts that come after must have their time as well.
        half_s = self.operation.deadline.remaining_s() / 2
        limit = self.operation.deadline.part(min(patience_s + SYNC_S, half_s))
        ping = witnesses.agent_answers
        try:
            answered = ping(self.connection, limit, self.domain, patience_s)
        except AgentError as error:
            self.operation.log.warning(f"{self.seen.identity}: {error}")
            return Agent.UNKNOWN
        return Agent.ANSWERED if answered else Agent.SILENT

    def _wants_agent(self) -> str:
        return chosen(self.operation, "guest_agent", "auto")

    def _epoch(self) -> str:
        """Name the emulator: libvirt's number, its process, when that began."""
        number = str(self.domain.ID())
        emulator = self.seen.emulator
        return f"{number} {emulator.pid} {_began(emulator.pid)}" if emulator else number

    def _asked(
        self, question: Callable[[Connection, Deadline, object], _T]
    ) -> _T | None:
        """Ask libvirt within a bound; None where it tells nothing."""
        if self.is_silent:
            return None
        try:
            limit = self.operation.deadline.part(ANSWERS_S)
            return question(self.connection, limit, self.domain)
        except Unreachable as error:
            self.is_silent = True
            self.operation.log.warning(f"{self.seen.identity}: {error}")
        except AgentError as error:
            self.operation.log.debug(f"{self.seen.identity}: {error}")
        return None


def _began(pid: int) -> str:
    """Return when a process began, in ticks since boot (proc(5), stat, field 22)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
