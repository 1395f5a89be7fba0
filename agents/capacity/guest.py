"""One guest of the cluster, looked at from this node: could it be here?

Called by ``watch``. It asks what a start would need, changes nothing, and is bounded:
files are looked at by a child that can be left behind. A guest that runs here is looked
at too, for the log: what it needs may vanish under it.
"""

from __future__ import annotations

from vmha.agents.capacity.judgement import Finding
from vmha.agents.domainxml import document, needs
from vmha.agents.hypervisor import hosting
from vmha.agents.protocol import process
from vmha.agents.protocol.errors import (
    AgentError,
    BadOnThisNode,
    BadParameter,
    NotInstalled,
    Unreachable,
)
from vmha.agents.vm import identity as identities
from vmha.agents.vm.record import MOVES, STARTS, RecordStore
from vmha.agents.vm.states import Presence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from vmha.agents.domainxml.needs import Needs
    from vmha.agents.hypervisor.connection import Connection
    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.protocol.parameters import Values
    from vmha.agents.vm.identity import Known
    from vmha.agents.vm.observation import Observation, Observer

STAT = "/usr/bin/stat"
FILES_ANSWER_S = 3.0
LIBVIRT_ANSWERS_S = 5.0  # the first question about a machine starts emulators


class Impossible(Exception):
    """The guest could not be here; the text says why."""


class Missing(Impossible):
    """What is missing may be brought by a resource that is started before the guest."""


class Look:
    """What a look has shown: a Finding and the clause that explains it."""

    __slots__ = ("finding", "reason")

    def __init__(self, finding: Finding, reason: str = "") -> None:
        self.finding = finding
        self.reason = reason


class Guest:
    """A VirtualMachine resource as the cluster has it.

    ``has_bringers`` tells that resources are started before it, and where it is: its
    disk may be mounted by one of them, and be missing everywhere else by design.
    """

    __slots__ = ("has_bringers", "resource", "values")

    def __init__(self, resource: str, values: Values, has_bringers: bool) -> None:
        self.resource = resource
        self.values = values
        self.has_bringers = has_bringers


class Site:
    """This node: its witnesses, its records, and what is known of its machines.

    ``renew`` makes the witnesses look afresh.
    """

    __slots__ = ("machines", "observer", "renew", "store")

    def __init__(
        self, observer: Observer, store: RecordStore, renew: Callable[[], None]
    ) -> None:
        self.observer = observer
        self.store = store
        self.renew = renew
        self.machines: dict[tuple[str, ...], str] = {}


def look(guest: Guest, site: Site, deadline: Deadline) -> Look:
    """Look whether a guest runs here, and whether it could.

    The order matters: whether it runs is asked before and after, so that a guest that
    came while its needs were looked at is not called impossible.
    """
    is_here, known, seen = _whereabouts(guest, site, deadline)
    if is_here is None:
        return Look(Finding.UNDECIDED, "it cannot be told whether it runs here")
    finding, reason = _prospect(guest, site, known, seen, deadline)
    if not is_here and finding in (Finding.IMPOSSIBLE, Finding.UNANSWERED):
        site.renew()
        is_here, _, _ = _whereabouts(guest, site, deadline)
    if is_here is None:
        return Look(Finding.UNDECIDED, reason)
    return Look(Finding.HERE if is_here else finding, reason)


def _whereabouts(
    guest: Guest, site: Site, deadline: Deadline
) -> tuple[bool | None, Known, Observation | None]:
    """Tell whether it runs here (None: unknown), who it is, and what was seen."""
    values, instance = guest.values, guest.resource
    observer, store = site.observer, site.store
    known = identities.resolve(values, store, instance, deadline)
    seen = [observer.look(i, deadline) for i in known.identities]
    held = any(store.is_held(instance, action) for action in (STARTS, MOVES))
    if held or any(s.presence is Presence.RUNNING for s in seen):
        return True, known, seen[0] if seen else None
    if any(s.presence is Presence.UNKNOWN for s in seen):
        return None, known, seen[0]
    if not seen and _may_be_unrecorded(guest, site, deadline):
        return None, known, None
    return False, known, seen[0] if seen else None


def _may_be_unrecorded(guest: Guest, site: Site, deadline: Deadline) -> bool:
    """Tell whether something runs here that may be a guest nobody can name."""
    try:
        uri = guest.values.text("hypervisor")
    except BadParameter:
        uri = ""
    unaccounted = site.observer.unaccounted
    return unaccounted(uri, site.store, guest.resource, deadline) != []


def _prospect(
    guest: Guest,
    site: Site,
    known: Known,
    seen: Observation | None,
    deadline: Deadline,
) -> tuple[Finding, str]:
    """Look for all that a start would need, wherever the guest runs."""
    try:
        _demand_all(guest, site, known, seen, deadline)
    except Missing as problem:
        brought = "; a resource that is started before it may bring it"
        if guest.has_bringers:
            return Finding.UNDECIDED, f"{problem}{brought}"
        return Finding.IMPOSSIBLE, str(problem)
    except Impossible as problem:
        return Finding.IMPOSSIBLE, str(problem)
    except BadParameter as problem:  # wrong on every node alike
        return Finding.UNDECIDED, str(problem)
    except AgentError as silence:
        return Finding.UNANSWERED, str(silence)
    return Finding.POSSIBLE, ""


def _demand_all(
    guest: Guest,
    site: Site,
    known: Known,
    seen: Observation | None,
    deadline: Deadline,
) -> None:
    """Raise what is in the way of a start: Impossible, Missing, or an AgentError."""
    try:
        if known.problem is not None:
            raise known.problem
        if seen is not None:
            _demand(guest, site, seen, deadline)
    except NotInstalled as problem:
        raise Missing(str(problem)) from problem
    except BadOnThisNode as problem:
        raise Impossible(str(problem)) from problem


def _demand(guest: Guest, site: Site, seen: Observation, deadline: Deadline) -> None:
    """Raise for the first thing that a start would miss."""
    connection = seen.connection
    if connection is None:
        raise Unreachable(seen.silence)
    if seen.sight.stranger:
        raise Impossible(f"another guest of its name runs here: {seen.sight.stranger}")
    bound = deadline.part(LIBVIRT_ANSWERS_S)
    wanted = needs.of(_definition(guest, seen, connection, bound))
    _demand_of_libvirt(guest, site, wanted, connection, bound)
    _demand_paths(wanted.paths, deadline.part(FILES_ANSWER_S))


def _definition(
    guest: Guest, seen: Observation, connection: Connection, deadline: Deadline
) -> document.Document:
    who, domain, values = seen.identity, seen.sight.domain, guest.values
    if values.given("config"):
        other = hosting.other_of_that_name(connection, deadline, who.name, who.uuid)
        if other:
            raise Impossible(f"another guest of its name is defined here: {other}")
        return document.parse(identities.read_definition(values, deadline), who.source)
    if domain is None:
        raise Missing(f"domain {who.source} is not defined here")
    marked = hosting.is_autostarted(connection, deadline, domain)
    if marked and values.text("autostart") == "refuse":
        raise Impossible("it is marked autostart here, which autostart refuses")
    return document.parse(hosting.definition(connection, deadline, domain), who.source)


def _demand_paths(paths: list[str], deadline: Deadline) -> None:
    """Look for files and devices through a child that a dead mount may keep."""
    if not paths:
        return
    result = process.run([STAT, "-L", "--printf", r"%n\0", "--", *paths], deadline)
    there = set(result.stdout.split("\0"))
    missing = [path for path in paths if path not in there]
    if missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        raise Missing(f"{missing[0]}{more}: {_reason(result.stderr)}")


def _reason(complaints: str) -> str:
    """Return the system's words at the end of stat's first complaint."""
    first = complaints.splitlines()[:1] or [""]
    return first[0].rpartition(": ")[2] or "it is not there"


def _demand_of_libvirt(
    guest: Guest, site: Site, wanted: Needs, connection: Connection, deadline: Deadline
) -> None:
    must_run = not guest.values.flag("start_resources")
    machine = (connection.uri, *wanted.machine)
    if machine not in site.machines:
        ask = hosting.impossible_machine
        site.machines[machine] = ask(connection, deadline, wanted.machine)
    if site.machines[machine]:
        raise Impossible(site.machines[machine])
    missing = (
        hosting.missing_network(connection, deadline, wanted.networks, must_run)
        or hosting.missing_pool(connection, deadline, wanted.pools, must_run)
        or hosting.missing_volume(connection, deadline, wanted.volumes)
    )
    if missing:
        raise Missing(missing)
