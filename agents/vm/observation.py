"""Observation: libvirt and the process table, asked about a guest within a bound.

Called by every action, before and after it acts. libvirt is given a few seconds; a
daemon that is dead, hung or refusing is "silent" here, with its reason, and the process
table speaks alone.
"""

from __future__ import annotations

import os

from vmha.agents.hypervisor import connection as connections
from vmha.agents.hypervisor import domains
from vmha.agents.hypervisor import uri as uris
from vmha.agents.hypervisor.connection import Connection
from vmha.agents.hypervisor.domains import Sight
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError, Unreachable
from vmha.agents.vm.emulator import LXC, QEMU, Emulator, ProcessTable
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.record import Record, RecordStore
from vmha.agents.vm.states import Presence, Process, presence

LIBVIRT_ANSWERS_S = 2.5


class Observation:
    """What both witnesses say of one guest.

    ``silence`` is the reason why libvirt said nothing, "" when it answered.
    """

    __slots__ = ("connection", "emulator", "identity", "process", "sight", "silence")

    def __init__(
        self,
        identity: Identity,
        sight: Sight,
        process: Process,
        emulator: Emulator | None,
        connection: Connection | None,
        silence: str,
    ) -> None:
        self.identity = identity
        self.sight = sight
        self.process = process
        self.emulator = emulator
        self.connection = connection
        self.silence = silence

    @property
    def state(self) -> State:
        """Return libvirt's state of the guest."""
        return self.sight.state

    @property
    def presence(self) -> Presence:
        """Return the three-valued answer."""
        return presence(self.state, self.process)

    def __str__(self) -> str:
        """Describe what was seen, as the end of a sentence about the guest."""
        reason = f" {self.sight.reason}" if self.sight.reason else ""
        text = f"libvirt's state is {self.state.value}{reason}"
        if self.silence:
            text = self.silence
        return f"{text}; {self.process.value}"


class Observer:
    """Looks at guests of this node; keeps one connection between looks."""

    __slots__ = ("_connection", "_table")

    def __init__(self, table: ProcessTable | None = None) -> None:
        self._table = table or ProcessTable()
        self._connection: Connection | None = None

    def connect(self, uri: str, deadline: Deadline) -> Connection:
        """Return a connection to a local ``uri``; raises where there is none."""
        if self._connection is None or self._connection.uri != uri:
            if not uri:
                raise Unreachable("no usable hypervisor URI is known")
            self._connection = connections.connect(uri, deadline)
        return self._connection

    def look(
        self, identity: Identity, deadline: Deadline, with_processes: bool = True
    ) -> Observation:
        """Look at a guest; never raises over a silent libvirt.

        ``with_processes=False`` leaves the process table out where libvirt says that
        the guest is active: the short way of a recurring monitor.
        """
        bound = deadline.part(LIBVIRT_ANSWERS_S)
        sight, silence = Sight(State.SILENT), ""
        try:
            connection = self.connect(identity.uri, bound)
            sight = domains.look(connection, bound, identity.name, identity.uuid)
        except AgentError as error:
            silence = str(error)
            self._connection = None
        if sight.state.is_active and not with_processes:
            return self._observation(identity, sight, Process.UNASKED, None, silence)
        process, emulator = self._emulator_of(identity, sight)
        return self._observation(identity, sight, process, emulator, silence)

    def arrived(
        self,
        uri: str,
        name: str,
        store: RecordStore,
        instance: str,
        deadline: Deadline,
    ) -> list[Sight]:
        """Return the guests that came by migration and no other record accounts for.

        ``name`` is what the parameters call the guest, "" where they do not tell. It
        may be long ago that they came: see ``newcomer``.
        """
        bound = deadline.part(LIBVIRT_ANSWERS_S)
        records = store.others(instance)
        found = domains.arrivals(self.connect(uri, bound), bound, name)
        return [s for s in found if not any(_accounts(r, s) for r in records)]

    def ages_s(self, uri: str) -> dict[str, float]:
        """Return for how long emulators have run, by UUID; none where nobody knows.

        Of two processes of one guest the older counts.
        """
        found: dict[str, float] = {}
        for emulator in self._emulators(uri) or ():
            age_s = self._table.age_s(emulator.pid)
            if age_s is not None:
                found[emulator.uuid] = max(age_s, found.get(emulator.uuid, 0.0))
        return found

    def unaccounted(
        self, uri: str, store: RecordStore, instance: str, deadline: Deadline
    ) -> list[str] | None:
        """Return what runs here and no other resource's record accounts for.

        Names or UUIDs; None when a witness that is needed does not answer. Used when
        nobody knows who the guest is.
        """
        emulators = self._emulators(uri)
        active = self._active(uri, deadline)
        is_local = uri == "" or uris.is_local(uri)
        if is_local and emulators is None:
            return None
        if active is None and not (is_local and uris.driver(uri) in ("", QEMU, LXC)):
            return None
        running = (active or set()) | {e.label for e in emulators or ()}
        records = store.others(instance)
        accounted = {r.uuid for r in records} | {r.name for r in records}
        return sorted(running - accounted)

    def _emulators(self, uri: str) -> list[Emulator] | None:
        """Ask the process table; a session's guests may run as any person."""
        return self._table.emulators(uri == "" or uris.is_session(uri))

    def _active(self, uri: str, deadline: Deadline) -> set[str] | None:
        """Return the UUIDs of libvirt's active guests, None where it is silent."""
        bound = deadline.part(LIBVIRT_ANSWERS_S)
        try:
            return domains.active_uuids(self.connect(uri, bound), bound)
        except AgentError:
            return None

    def _emulator_of(
        self, identity: Identity, sight: Sight
    ) -> tuple[Process, Emulator | None]:
        from vmha.agents.hypervisor.capabilities import has_process

        is_local = uris.is_local(identity.uri) or identity.uri == ""
        emulators = self._emulators(identity.uri) if is_local else []
        if emulators is None:
            return Process.UNREADABLE, None
        emulator = _its_own(emulators, identity, sight)
        if emulator:
            return Process.PRESENT, emulator
        if any(_may_be(emulator, identity) for emulator in emulators):
            return Process.UNREADABLE, None
        if not (is_local and has_process(identity.driver)):
            return Process.INAPPLICABLE, None
        return (Process.BEGUN if identity.pending else Process.NONE), None

    def _observation(
        self,
        identity: Identity,
        sight: Sight,
        process: Process,
        emulator: Emulator | None,
        silence: str,
    ) -> Observation:
        return Observation(
            identity, sight, process, emulator, self._connection, silence
        )


def _accounts(record: Record, sight: Sight) -> bool:
    """Tell whether a record is of this guest; one may have no UUID yet."""
    if record.uuid:
        return record.uuid == sight.uuid
    return record.name == sight.name


def _its_own(
    emulators: list[Emulator], identity: Identity, sight: Sight
) -> Emulator | None:
    """Return the guest's emulator.

    Where no UUID is declared the name is the guest, whatever UUID libvirt has for it
    now: it may have forgotten the running one and been told of it anew.
    """
    uuid = identity.uuid or sight.uuid
    for emulator in emulators:
        if uuid and emulator.uuid == uuid:
            return emulator
    if identity.uuid:
        return None
    drivers = (identity.driver, "") if identity.driver else (QEMU, LXC)
    named = (e for e in emulators if e.name == identity.name and e.driver in drivers)
    return next(named, None)


def _may_be(emulator: Emulator, identity: Identity) -> bool:
    """Tell a container that nobody can name, or can only name: it may be the guest."""
    if emulator.driver != LXC or emulator.uuid:
        return False
    return identity.driver == LXC and emulator.name in ("", identity.name)


def running_one(
    observer: Observer, known: list[Identity], deadline: Deadline
) -> Identity:
    """Return the guest that is meant: of several, the one that runs here."""
    if len(known) > 1:
        for guest in known:
            if observer.look(guest, deadline).presence is Presence.RUNNING:
                return guest
    return known[0]


def host_name() -> str:
    """Return this node's name for messages."""
    return os.uname().nodename
