"""The cluster's guests, each looked at from this node: what would a start miss here?

It asks what ``ocf:vmha:NodeCapacity`` asks (``agents.capacity.guest``), and tells all
that is missing, by kind, instead of the first. A definition goes out as a digest only.
"""

from __future__ import annotations

from collections.abc import Iterator

from vmha.agents.domainxml import comparison, document, identity, needs
from vmha.agents.domainxml.devices import disks
from vmha.agents.domainxml.document import Document
from vmha.agents.domainxml.features import Features
from vmha.agents.domainxml.needs import Needs
from vmha.agents.hypervisor import domains, hosting, suitability
from vmha.agents.hypervisor.connection import Connection, connect
from vmha.agents.protocol import parameters, process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import (
    AgentError,
    BadOnThisNode,
    NotInstalled,
    Unreachable,
)
from vmha.agents.vm import identity as identities
from vmha.agents.vm.parameters import PARAMETERS
from vmha.agents.vm.storage import SHARED
from vmha.heartbeat.doctor.cib import Cib, Resource
from vmha.heartbeat.doctor.node.hypervisor import USUAL

STAT = "/usr/bin/stat"
NET = "/sys/class/net/"
TELLING_S = 1.0
KINDS = ("definition", "disks", "pools", "networks", "machine", "cpu")


class Libvirts:
    """The connections that guests need, each opened once."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._found: dict[str, Connection | AgentError] = {}

    def of(self, uri: str) -> Connection:
        """Return the connection; raises why there is none, without asking twice."""
        if uri not in self._found:
            try:
                self._found[uri] = connect(uri, self._deadline)
            except AgentError as error:
                self._found[uri] = error
        found = self._found[uri]
        if isinstance(found, AgentError):
            raise found
        return found


def tell(cib: Cib, deadline: Deadline) -> dict[str, object]:
    """Return what each guest of the cluster would find on this node."""
    # What was looked at is to be told, and not lost with the guest that comes too late.
    deadline = deadline.part(max(0.0, deadline.remaining_s() - TELLING_S))
    libvirts = Libvirts(deadline)
    return {
        "guests": {
            guest.id: _untold()
            if deadline.expired()
            else look(guest, libvirts, deadline)
            for guest in cib.guests
        }
    }


def _untold() -> dict[str, object]:
    reasons = [f"{kind}: no time was left to look at it" for kind in KINDS]
    return {"missing": {}, "unanswered": reasons}


def uris(cib: Cib) -> list[str]:
    """Return the local hypervisors' URIs that guests name."""
    return sorted({g.parameters.get("hypervisor") or USUAL for g in cib.guests})


def look(guest: Resource, libvirts: Libvirts, deadline: Deadline) -> dict[str, object]:
    """Look at one guest; what cannot be asked is under "unanswered", by its kind."""
    missing: dict[str, list[str]] = {kind: [] for kind in KINDS}
    told: dict[str, object] = {"missing": missing, "unanswered": []}
    unanswered: list[str] = []
    uri = guest.parameters.get("hypervisor") or USUAL
    try:
        text = _definition(guest, uri, libvirts, deadline)
        parsed = document.parse(text, guest.id)
    except (NotInstalled, BadOnThisNode) as problem:
        missing["definition"].append(str(problem))
        return told
    except AgentError as silence:
        return {**told, "unanswered": [f"{kind}: {silence}" for kind in KINDS]}
    told.update(_described(text, parsed))
    wanted = needs.of(parsed)
    for kind, lack in _absent(wanted, guest, uri, libvirts, parsed, deadline):
        if isinstance(lack, AgentError):
            unanswered.append(f"{kind}: {lack}")
        elif lack:
            missing[kind].append(lack)
    return {**told, "unanswered": unanswered, "shared_disks": _shared(parsed, deadline)}


def _definition(
    guest: Resource, uri: str, libvirts: Libvirts, deadline: Deadline
) -> str:
    values = parameters.read(PARAMETERS, dict(guest.parameters))
    who = identities.source_of(values)
    if values.given("config"):
        return identities.read_definition(values, deadline)
    connection = libvirts.of(uri)
    uuid = identity.canonical_uuid(who)
    sight = domains.look(connection, deadline, "" if uuid else who, uuid)
    if sight.domain is None:
        raise NotInstalled(f"domain {who} is not defined here")
    return hosting.definition(connection, deadline, sight.domain)


def _described(text: str, parsed: Document) -> dict[str, object]:
    return {
        "hash": comparison.fingerprint(text),
        "name": parsed.child("name"),
        "uuid": identity.canonical_uuid(parsed.child("uuid").strip()),
        "memory_mib": Features(parsed).memory_kib // 1024,
        "has_host_cpu": Features(parsed).is_host_cpu,
        "machine": needs.of(parsed).machine[2],
    }


def _absent(
    wanted: Needs,
    guest: Resource,
    uri: str,
    libvirts: Libvirts,
    parsed: Document,
    deadline: Deadline,
) -> Iterator[tuple[str, str | AgentError]]:
    """Yield each kind of need and the sentence that says what of it is missing."""
    devices = [path for path in wanted.paths if path.startswith(NET)]
    paths = [path for path in wanted.paths if not path.startswith(NET)]
    for path, problem in _missing_paths(paths, deadline):
        yield (
            "disks",
            problem if isinstance(problem, AgentError) else f"{path} {problem}",
        )
    for path, problem in _missing_paths(devices, deadline):
        name = path[len(NET) :]
        text = f"there is no bridge or device {name}"
        yield "networks", problem if isinstance(problem, AgentError) else text
    try:
        connection = libvirts.of(uri)
        yield from _of_libvirt(wanted, guest, connection, parsed, deadline)
    except AgentError as silence:
        for kind in ("pools", "networks", "machine", "cpu"):
            yield kind, silence


def _of_libvirt(
    wanted: Needs,
    guest: Resource,
    connection: Connection,
    parsed: Document,
    deadline: Deadline,
) -> Iterator[tuple[str, str]]:
    must_run = guest.parameters.get("start_resources", "").lower() not in parameters.YES
    for network in wanted.networks:
        yield (
            "networks",
            hosting.missing_network(connection, deadline, [network], must_run),
        )
    for pool in wanted.pools:
        yield "pools", hosting.missing_pool(connection, deadline, [pool], must_run)
    yield "pools", hosting.missing_volume(connection, deadline, wanted.volumes)
    ask = hosting.impossible_machine
    yield "machine", ask(connection, deadline, wanted.machine)
    cpu = Features(parsed).cpu
    doubt = suitability.processor_doubt
    yield "cpu", doubt(connection, deadline, wanted.machine, cpu)


def _missing_paths(
    paths: list[str], deadline: Deadline
) -> Iterator[tuple[str, str | AgentError]]:
    """Look for files through a child that a dead mount may keep."""
    if not paths:
        return
    words = [STAT, "-L", "--printf", r"%n\0", "--", *paths]
    try:
        result = process.run(words, deadline.part(3.0))
    except AgentError as silence:
        yield paths[0], Unreachable(f"a file system does not answer: {silence}")
        return
    there = set(result.stdout.split("\0"))
    for path in (path for path in paths if path not in there):
        yield path, "is not there"


def _shared(parsed: Document, deadline: Deadline) -> list[str]:
    """Return the written disks whose file system several nodes can have mounted."""
    written = [d.path for d in disks(parsed) if d.path and d.is_written]
    if not written:
        return []
    words = [STAT, "--file-system", "--printf", r"%n\0%T\0", "--", *written]
    try:
        said = process.run(words, deadline.part(3.0)).stdout.split("\0")
    except AgentError:
        return []
    return [path for path, kind in zip(said[::2], said[1::2]) if kind in SHARED]
