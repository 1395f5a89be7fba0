"""One round over the guests: look at each, and keep its "can host" attribute.

Called by start, monitor and reload-agent. A round has a bound; guests that it does not
reach come first in the next one. Attributes of guests that are no longer named are
removed. Only what differs from the cluster's configuration is written.
"""

from __future__ import annotations

import time

from vmha.agents.capacity.guest import Guest, Look, Site, look
from vmha.agents.capacity.judgement import NO, YES, Finding, judge
from vmha.agents.protocol import parameters
from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.agents.vm.emulator import Emulator, ProcessTable
from vmha.agents.vm.observation import Observer
from vmha.agents.vm.parameters import NAME, PARAMETERS
from vmha.agents.vm.record import RecordStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.agents.cib import Configuration
    from vmha.agents.hypervisor.connection import Connection
    from vmha.agents.pacemaker import Cluster
    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.protocol.log import Log

PROVIDER = "vmha"
ALL = "all"
CAN, WHY_NOT = "vmha-can-host-", "vmha-why-not-"
LONGEST_REASON = 200
STALE_S = 0.5


class Round:
    """One round on ``node``; ``noted`` is what the last one left, and is updated."""

    __slots__ = ("_attributes", "_cluster", "_configuration", "_log", "noted")

    def __init__(
        self,
        cluster: Cluster,
        configuration: Configuration,
        node: str,
        noted: Mapping[str, str],
        log: Log,
    ) -> None:
        self._cluster = cluster
        self._configuration = configuration
        self._attributes = configuration.attributes(node)
        self._log = log
        self.noted = dict(noted)

    def keep(self, names: str, store: RecordStore, deadline: Deadline) -> None:
        """Keep the attributes of the guests named; raises what the cluster refuses."""
        resources = self._in_turn(named(self._configuration, names))
        self._drop_others(resources, deadline)
        if not resources:
            return
        table = _Table()
        site = Site(_RoundObserver(table), store, table.renew)
        for resource in resources:
            if deadline.expired():
                self.noted["first"] = resource
                self._log.warning(
                    f"no time was left to look at {resource} and those behind it"
                )
                return
            guest = self._guest(resource)
            if guest is not None:
                self._keep_one(guest, look(guest, site, deadline), deadline)
        self.noted.pop("first", None)

    def _guest(self, resource: str) -> Guest | None:
        given = self._configuration.parameters(resource)
        if given is None:  # rules choose the parameters, and only Pacemaker knows
            return None
        values = parameters.read(PARAMETERS, given)
        return Guest(resource, values, self._configuration.has_bringers(resource))

    def _keep_one(self, guest: Guest, seen: Look, deadline: Deadline) -> None:
        count, said = f"unanswered.{guest.resource}", f"said.{guest.resource}"
        before = self.noted.get(count, "")
        value, unanswered = judge(seen.finding, int(before) if before.isdigit() else 0)
        self.noted[count] = str(unanswered)
        if not unanswered:
            del self.noted[count]
        reason = _short(seen.reason)
        if reason and reason != self.noted.get(said):
            self._log.warning(_sentence(guest.resource, seen.finding, value, reason))
        self.noted[said] = reason
        if not reason:
            del self.noted[said]
        if value is not None:
            why = reason if value == NO else ""
            self._set(CAN + guest.resource, value, deadline)
            self._set(WHY_NOT + guest.resource, why, deadline)

    def _set(self, name: str, value: str, deadline: Deadline) -> None:
        """Set an attribute, "" removes it; what is so already is not touched."""
        if self._attributes.get(name, "") == value:
            return
        if value:
            self._cluster.set_attribute(name, value, deadline)
        else:
            self._cluster.remove_attribute(name, deadline)
        if name.startswith(CAN):
            can = {YES: "can", NO: "cannot"}.get(value, "does not tell whether it can")
            self._log.info(f"this node {can} host {name.removeprefix(CAN)}")

    def _drop_others(self, resources: list[str], deadline: Deadline) -> None:
        for name in self._attributes:
            for prefix in (CAN, WHY_NOT):
                if name.startswith(prefix) and name[len(prefix) :] not in resources:
                    self._set(name, "", deadline)

    def _in_turn(self, resources: list[str]) -> list[str]:
        """Put first the one at which the last round ended."""
        first = self.noted.get("first")
        at = resources.index(first) if first in resources else 0
        return resources[at:] + resources[:at]


def named(configuration: Configuration, names: str) -> list[str]:
    """Return the guests that ``can_host`` means and the cluster has."""
    guests = configuration.guests(PROVIDER, NAME)
    return guests if names == ALL else [g for g in names.split() if g in guests]


def unknown(configuration: Configuration, names: str) -> list[str]:
    """Return what ``can_host`` names and is no VirtualMachine resource."""
    guests = configuration.guests(PROVIDER, NAME)
    return [] if names == ALL else [g for g in names.split() if g not in guests]


class _RoundObserver(Observer):
    """An observer that asks a libvirt that was silent once no more in this round."""

    __slots__ = ("_silent",)

    def __init__(self, table: ProcessTable) -> None:
        super().__init__(table)
        self._silent: dict[str, str] = {}

    def connect(self, uri: str, deadline: Deadline) -> Connection:
        if uri in self._silent:
            raise Unreachable(self._silent[uri])
        try:
            return super().connect(uri, deadline)
        except AgentError as error:
            self._silent[uri] = str(error)
            raise


class _Table(ProcessTable):
    """The process table, read once for all guests that a round looks at.

    A guest that neither witness sees is looked at again before it is called impossible,
    after ``renew``.
    """

    __slots__ = ("_read", "_read_at_s")

    def __init__(self) -> None:
        super().__init__()
        self._read: dict[bool, list[Emulator] | None] = {}
        self._read_at_s = 0.0

    def emulators(self, of_anybody: bool = False) -> list[Emulator] | None:
        if not self._read_at_s:
            self._read = {}
            self._read_at_s = time.monotonic()
        if of_anybody not in self._read:
            self._read[of_anybody] = super().emulators(of_anybody)
        return self._read[of_anybody]

    def renew(self) -> None:
        """Read anew at the next question, unless it was read just now."""
        if time.monotonic() - self._read_at_s > STALE_S:
            self._read_at_s = 0.0


def _sentence(resource: str, finding: Finding, value: str | None, reason: str) -> str:
    if finding is Finding.HERE:
        return f"{resource} runs here, but could not be started here now: {reason}"
    if value == NO:
        return f"this node cannot host {resource}: {reason}"
    return f"whether this node can host {resource} is left as it was: {reason}"


def _short(reason: str) -> str:
    """Make a reason fit to be a node attribute: one line, not long."""
    line = " ".join(reason.split())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 3] + "..."
