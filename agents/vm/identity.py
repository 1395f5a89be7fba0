"""Who the guest is: from the parameters, else the record, else nobody knows.

Called before every action that touches or judges a guest. A guest is a name *and* a
UUID: another one with the same name is a stranger. When the parameters name one guest
and the record another, or the same through another hypervisor, both are ours until
proven gone, unless another resource's record accounts for the recorded one.
"""

from __future__ import annotations

from vmha.agents.hypervisor import uri as uris
from vmha.agents.protocol import files
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import (
    AgentError,
    BadParameter,
    MissingParameter,
    NotInstalled,
    Refused,
)
from vmha.agents.protocol.parameters import Values
from vmha.agents.vm.record import Record, RecordStore

FILE_ANSWERS_S = 3.0


class Identity:
    """A guest: ``name`` or ``uuid`` may be "" where it is not known (never both).

    ``uri`` is "" where the hypervisor parameter is nonsense and no record helps.
    ``pending`` tells that libvirt was asked to start it and was not seen to be done.
    """

    __slots__ = ("driver", "name", "pending", "source", "uri", "uuid")

    def __init__(
        self,
        name: str,
        uuid: str,
        driver: str,
        uri: str,
        source: str,
        pending: bool = False,
    ) -> None:
        self.name = name
        self.uuid = uuid
        self.driver = driver
        self.uri = uri
        self.source = source
        self.pending = pending

    def __str__(self) -> str:
        return f"guest {self.name or self.uuid}"

    def is_same(self, other: Record | Identity) -> bool:
        """Tell whether a record, or another identity, speaks of this guest."""
        if self.uuid and other.uuid:
            return self.uuid == other.uuid
        return self.name == other.name


class Known:
    """What is known of a resource's guest.

    ``identities`` holds the one the parameters mean first; ``problem`` is the reason
    why the parameters do not tell, None where they do.
    """

    __slots__ = ("identities", "problem")

    def __init__(self, identities: list[Identity], problem: AgentError | None) -> None:
        self.identities = identities
        self.problem = problem


def resolve(
    values: Values, store: RecordStore, instance: str, deadline: Deadline
) -> Known:
    """Return every guest that this resource may be responsible for.

    Where the parameters mean another guest than the record, and another resource has
    recorded that one too, the record is stale: that resource answers for the guest, and
    nothing is done to it here. Without readable parameters the record always counts.
    """
    record = store.read(instance)
    try:
        declared = from_parameters(values, deadline)
    except AgentError as problem:
        return Known([_from_record(record)] if record else [], problem)
    if record is None:
        return Known([declared], None)
    if declared.is_same(record) and declared.uri in ("", record.uri):
        return Known([_merged(declared, record)], None)
    others = store.others(instance)
    stale = any(_is_of_one_guest(record, other) for other in others)
    if not declared.is_same(record) and stale:
        return Known([declared], None)
    return Known([declared, _from_record(record)], None)


def meant(
    values: Values, store: RecordStore, instance: str, deadline: Deadline
) -> list[Identity]:
    """Return the guest that the parameters mean, then the recorded one if it differs.

    Without readable parameters the recorded one stands alone; raises the reason where
    there is none either.
    """
    known = resolve(values, store, instance, deadline)
    if not known.identities:
        raise known.problem or Refused("nobody knows which guest is meant")
    return known.identities


def recorded(values: Values, store: RecordStore, instance: str) -> Identity | None:
    """Return the recorded identity if it was made from these very parameters.

    The recurring monitor's short way: no file is read but the record.
    """
    record = store.read(instance)
    if record is None:
        return None
    try:
        source, uri = source_of(values), values.text("hypervisor")
    except AgentError:
        return None
    same = (record.source, record.uri) == (source, uri)
    return _from_record(record) if same else None


def from_parameters(values: Values, deadline: Deadline) -> Identity:
    """Return the identity that the parameters mean.

    Raises MissingParameter or BadParameter (6), NotInstalled for an unreadable file
    (5), BadOnThisNode for a broken one (2), Unreachable for a hung mount (1).
    """
    source = source_of(values)
    try:
        uri = values.text("hypervisor")
    except BadParameter:
        uri = ""
    if values.given("domain"):
        return _from_domain_parameter(source, uri)
    return _from_definition(read_definition(values, deadline), uri, source)


def read_definition(values: Values, deadline: Deadline) -> str:
    """Return the text of the ``config`` file.

    Raises NotInstalled (5): the file may be there on another node.
    """
    path = values.text("config")
    try:
        return files.read_text(path, deadline.part(FILE_ANSWERS_S))
    except files.Unreadable as error:
        raise NotInstalled(
            f"config {path} cannot be read on this node: {error.reason}; put the "
            "guest's definition there, or correct the parameter"
        ) from error


def source_of(values: Values) -> str:
    """Return the value of ``config`` or ``domain``; exactly one must be given."""
    if values.given("config") and values.given("domain"):
        raise BadParameter("domain", values.text("domain"), "config is given as well")
    if not values.given("config") and not values.given("domain"):
        raise MissingParameter(
            "config", "give the path of the guest's XML, or domain for a defined guest"
        )
    return values.text("domain" if values.given("domain") else "config")


def _from_domain_parameter(text: str, uri: str) -> Identity:
    from vmha.agents.domainxml.identity import canonical_uuid

    uuid = canonical_uuid(text)
    return Identity("" if uuid else text, uuid, uris.driver(uri), uri, text)


def _from_definition(text: str, uri: str, source: str) -> Identity:
    # lxml costs 22 ms; a monitor that finds its record never comes here.
    from vmha.agents.domainxml import document, identity

    parsed = document.parse(text, source)
    name = identity.declared_name(parsed)
    uuid = identity.declared_uuid(parsed)
    declared = {"kvm": "qemu"}.get(parsed.attribute("type"), parsed.attribute("type"))
    return Identity(name, uuid, uris.driver(uri) or declared, uri, source)


def _is_of_one_guest(one: Record, other: Record) -> bool:
    """Tell whether two resources' records speak of the same guest.

    A start that has not ended may have no UUID yet; the same libvirt then has one guest
    of a name.
    """
    if one.uuid and other.uuid:
        return one.uuid == other.uuid
    return (one.name, one.uri) == (other.name, other.uri)


def _from_record(record: Record) -> Identity:
    return Identity(
        record.name,
        record.uuid,
        record.driver,
        record.uri,
        record.source,
        record.pending,
    )


def _merged(declared: Identity, record: Record) -> Identity:
    """Fill what the parameters leave open from the record of the same guest.

    Not the UUID: a definition without one means its name, and whoever created the
    guest anew from it has given it another UUID.
    """
    return Identity(
        declared.name or record.name,
        declared.uuid,
        declared.driver or record.driver,
        declared.uri or record.uri,
        declared.source,
        record.pending,
    )
