"""The target of a migration: how it is reached, and whether it can take the guest.

Called by ``migrate`` before the guest is touched. What is certain is refused here, with
what to do about it. What is only likely is a doubt: it is logged, and told again if the
migration fails, but libvirt's own check decides, since a failed migrate_to makes
Pacemaker stop and start the guest.
"""

from __future__ import annotations

from collections.abc import Callable

from vmha.agents.domainxml.features import Features
from vmha.agents.domainxml.needs import Needs
from vmha.agents.hypervisor import connection as connections
from vmha.agents.hypervisor import (
    definitions,
    domains,
    hosting,
    migration,
    resources,
    suitability,
)
from vmha.agents.hypervisor import uri as uris
from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.domains import Sight
from vmha.agents.hypervisor.migration import TUNNELLED, Transfer
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol.agent import Operation
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, BadParameter, Refused
from vmha.agents.vm import leftovers, storage
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.observation import Observation, host_name
from vmha.agents.vm.states import Presence

TARGET_ANSWERS_S = 5.0


class Target:
    """The other node, as its libvirt shows it; reconnects when it was lost."""

    def __init__(self, operation: Operation, guest: Identity) -> None:
        self._values = operation.values
        self._deadline = operation.deadline
        self._guest = guest
        self._connection: Connection | None = None
        self.node = operation.migrate_target

    def limit(self) -> Deadline:
        """Return the bound of one question to it."""
        return self._deadline.part(TARGET_ANSWERS_S)

    def connect(self) -> Connection:
        """Return the connection, made anew where there is none."""
        if self._connection is None:
            uri = uris.control(
                self._guest.uri,
                self.node,
                self._values.text("migration_transport"),
                self._values.text("migration_network_suffix"),
                self._values.text("remoteuri"),
                self._values.text("migration_user"),
            )
            address = uris.unattended(uri)
            self._connection = connections.connect(address, self.limit())
        return self._connection

    def look(self) -> Sight:
        """Look at the guest there; silent when the target does not answer."""
        try:
            guest, limit = self._guest, self.limit()
            return domains.look(self.connect(), limit, guest.name, guest.uuid)
        except AgentError as error:
            self._connection = None
            return Sight(State.SILENT, str(error))

    def untouched(self, why: str) -> Refused:
        """Return the refusal of a target; the guest has not been touched."""
        return Refused(
            f"{self._guest} stays on {host_name()}, untouched: {self.node} cannot take "
            f"it: {why}"
        )


class Preflight:
    """The checks of one target; ``doubts`` are what was found and is not certain."""

    def __init__(self, operation: Operation, target: Target, guest: Identity) -> None:
        self._operation = operation
        self._values = operation.values
        self._target = target
        self._guest = guest
        self.doubts: list[str] = []

    def check(self, seen: Observation, patience: Deadline) -> None:
        """Make sure that the target can be asked, and may have the guest.

        A target whose libvirt is just restarting is given a few seconds. Raises Refused
        for a target that must not or can never have it.
        """
        there = self._await_target(patience)
        if there.stranger:
            raise self._target.untouched(
                f"another guest of that name runs there, with UUID {there.stranger}"
            )
        if there.state.is_active and seen.presence is not Presence.NOT_RUNNING:
            raise self._target.untouched(
                f"its libvirt has that guest {there.state.value}; stop the resource to "
                "clear that up"
            )
        self._check_definition(there)
        self._settle_autostart(there)

    def check_needs(
        self, seen: Observation, transfer: Transfer, is_unsafe: bool
    ) -> None:
        """Make sure that what the guest needs is there; complete ``transfer.disks``.

        Raises Refused. Not checked: what is behind a block device or a network
        protocol, bridges, the contents of a disk, host devices.
        """
        from vmha.agents.domainxml import document, needs

        self._check_encryption(transfer)
        text = self._definition_of(seen)
        if text is None:
            return
        parsed = document.parse(text, f"the definition of {self._guest}")
        needed = needs.of(parsed)
        self._start_resources(needed)
        problem = self._unless_silent(
            lambda: storage.Storage(
                parsed, self._target.connect(), self._operation.deadline
            ).problem(transfer, is_unsafe)
        )
        if problem:
            raise self._target.untouched(problem)
        self._compare(Features(parsed), needed.machine)

    def _await_target(self, patience: Deadline) -> Sight:
        while True:
            there = self._target.look()
            if there.state is not State.SILENT:
                return there
            if patience.expired():
                raise self._target.untouched(there.reason)
            patience.sleep(1.0)

    def _check_definition(self, there: Sight) -> None:
        """Refuse a target on which the guest could never be started again."""
        if not self._values.given("config"):
            if there.domain is None:
                raise self._target.untouched(
                    "the guest is not defined there: virsh define it"
                )
            return
        path = self._values.text("config")
        try:
            limit = self._target.limit()
            reason = migration.missing_file(self._target.connect(), limit, path)
        except AgentError as error:
            raise self._target.untouched(str(error)) from error
        if reason:
            raise self._target.untouched(
                f"config {path} cannot be read there: {reason}; copy it there"
            )

    def _check_encryption(self, transfer: Transfer) -> None:
        """Refuse what libvirt cannot encrypt; in the clear it must not go instead."""
        if transfer.mode == TUNNELLED and "tls" in transfer.flags:
            raise self._target.untouched(
                "migration_tls has no effect on a tunnelled migration; use "
                "migration_mode=p2p or direct, or a tunnel through libvirt's own "
                "encryption (migration_transport=tls or ssh) without migration_tls"
            )

    def _settle_autostart(self, there: Sight) -> None:
        """Take away, or refuse, the mark by which libvirt starts it there at boot."""
        name, uuid = there.name or self._guest.name, self._guest.uuid
        try:
            limit, connection = self._target.limit(), self._target.connect()
            for definition in definitions.find(connection, limit, name, uuid):
                leftovers.settle_autostart(
                    self._operation, connection, definition, self._target.node
                )
        except AgentError as error:
            raise self._target.untouched(str(error)) from error

    def _definition_of(self, seen: Observation) -> str | None:
        """Return the running guest's XML; without it nothing more can be checked."""
        if seen.connection is None or seen.sight.domain is None:
            return None
        try:
            limit = self._operation.deadline.part(TARGET_ANSWERS_S)
            return domains.running_definition(seen.connection, limit, seen.sight.domain)
        except AgentError as error:
            self._doubt(str(error))
            return None

    def _starts_resources(self) -> bool:
        """Return start_resources; nonsense means no, and costs no migration."""
        try:
            return self._values.flag("start_resources")
        except BadParameter as problem:
            self._operation.log.error(f"{problem}; nothing is started for it there")
            return False

    def _start_resources(self, needed: Needs) -> None:
        """Start the guest's networks and pools there, or see that they are active."""
        connection, limit = self._target.connect(), self._operation.deadline
        networks, pools = needed.networks, needed.pools
        if self._starts_resources():
            try:
                resources.start_networks(connection, limit, networks)
                resources.start_pools(connection, limit, pools)
            except AgentError as error:
                raise self._target.untouched(str(error)) from error
            return
        problem = self._unless_silent(
            lambda: (
                hosting.missing_network(connection, limit, networks, True)
                or hosting.missing_pool(connection, limit, pools, True)
            )
        )
        if problem:
            raise self._target.untouched(
                f"its {problem} there; start it, or set start_resources=true"
            )

    def _compare(self, wanted: Features, machine: tuple[str, str, str, str]) -> None:
        """Compare machine, processor and memory with what the target has.

        libvirt refuses a machine type or processor that it has not, before the guest is
        touched; a refusal here that was wrong would cost a restart.
        """
        there, limit = self._target.connect(), self._target.limit()
        for ask in (
            lambda: hosting.impossible_machine(there, limit, machine),
            lambda: suitability.processor_doubt(there, limit, machine, wanted.cpu),
            lambda: suitability.memory_doubt(there, limit, wanted.memory_kib),
        ):
            problem = self._unless_silent(ask)
            if problem:
                self._doubt(problem)
        if wanted.is_host_cpu:
            self._doubt("it uses its host's processor model, which must be the same")

    def _unless_silent(self, ask: Callable[[], str]) -> str:
        """Return an answer; none is a doubt, and "" is returned."""
        try:
            return ask()
        except AgentError as error:
            self._doubt(str(error))
            return ""

    def _doubt(self, problem: str) -> None:
        if problem not in self.doubts:
            self.doubts.append(problem)
            self._operation.log.warning(
                f"{self._guest} to {self._target.node}: {problem}; going on, libvirt "
                "decides"
            )
