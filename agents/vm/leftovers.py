"""What libvirt keeps of a guest on this node, and what is done about it.

A mark that starts the guest at boot beside the cluster, a persistent definition of a
guest that is given by ``config``, a memory image from ``virsh managedsave``. Called by
start, by migration for the target, by stop after its proof, and by validation. Nothing
is removed but what a parameter names; what cannot be read or done is logged where the
guest's life does not depend on it.
"""

from __future__ import annotations

from vmha.agents.hypervisor import definitions
from vmha.agents.hypervisor.definitions import Definition
from vmha.agents.protocol import process
from vmha.agents.protocol.errors import AgentError, BadParameter, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.hypervisor.connection import Connection
    from vmha.agents.protocol.agent import Operation
    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.vm.identity import Identity
    from vmha.agents.vm.observation import Observer

ANSWERS_S = 2.5
RESOLVES_S = 1.0
LIBVIRTS_OWN = "/etc/libvirt/"
READLINK = "/usr/bin/readlink"


def before_start(
    operation: Operation, connection: Connection, guest: Identity, node: str
) -> None:
    """Raise Refused where a leftover forbids the start; settle and log the rest.

    ``node`` is the one that ``connection`` leads to; a migration asks for its target.
    """
    found = definitions.find(connection, operation.deadline, guest.name, guest.uuid)
    why = clash(operation, found, guest)
    if why:
        raise Refused(f"{guest} is not started on {node}: {why}")
    for definition in found:
        settle_autostart(operation, connection, definition, node)
        if definition.has_image:
            operation.log.warning(_image(operation, definition, node))


def clash(operation: Operation, found: list[Definition], guest: Identity) -> str:
    """Return which definition stands in the way of a guest from ``config``.

    libvirt keeps one guest per name and one per UUID, running or not.
    """
    if not operation.values.given("config"):
        return ""
    for definition in found:
        if guest.uuid and definition.uuid != guest.uuid:
            return (
                f"libvirt has another guest defined as {definition.name}, with UUID "
                f"{definition.uuid}; undefine or rename that one"
            )
        if definition.name != guest.name:
            return (
                f"libvirt has its UUID defined under the name {definition.name}; "
                "undefine that one, or correct the file"
            )
        if not guest.uuid and not definition.is_active:
            return (
                f"libvirt has a guest defined as {definition.name}, with UUID "
                f"{definition.uuid}, and the file gives no UUID; undefine that one, or "
                "put its UUID into the file"
            )
    return ""


def settle_autostart(
    operation: Operation, connection: Connection, definition: Definition, node: str
) -> None:
    """Clear the mark, or raise Refused, as the parameter ``autostart`` says."""
    if not definition.autostart:
        return
    told = f"{definition.name} is marked autostart on {node}"
    choice = _chosen(operation, "autostart")
    if choice == "refuse":
        raise Refused(
            f"{told}: libvirt would start it beside the cluster when the node boots; "
            f"run virsh autostart --disable {definition.name} there, or set "
            "autostart=clear"
        )
    if choice == "clear":
        bound = operation.deadline.part(ANSWERS_S)
        definitions.clear_autostart(connection, bound, definition.domain)
        told += "; the mark was taken away (autostart=clear)"
    operation.log.warning(told)


def notice(
    operation: Operation, connection: Connection, guest: Identity, node: str
) -> None:
    """Log a mark that was found on a guest that runs; change nothing, never fail."""
    bound = operation.deadline.part(ANSWERS_S)
    try:
        found = definitions.find(connection, bound, guest.name, guest.uuid)
    except AgentError as error:
        operation.log.warning(f"{guest}: its definition cannot be read: {error}")
        return
    for definition in found:
        if definition.autostart:
            operation.log.warning(
                f"{definition.name} is marked autostart on {node}: libvirt would start "
                "it beside the cluster when the node boots"
            )


def after_stop(operation: Operation, observer: Observer, guest: Identity) -> None:
    """Undefine what is left of a guest that is proven stopped, if that is wanted.

    A failure is logged: the guest is gone, and that is what a stop is asked for.
    """
    values = operation.values
    wanted = _chosen(operation, "leftover_definition") == "undefine"
    if not (wanted and values.given("config") and guest.uri):
        return
    bound = operation.deadline.part(ANSWERS_S)
    try:
        connection = observer.connect(guest.uri, bound)
        for definition in definitions.find(connection, bound, guest.name, guest.uuid):
            _undefine(operation, connection, definition, guest, bound)
    except AgentError as error:
        operation.log.warning(
            f"{guest} is stopped; what libvirt has defined of it is left: {error}"
        )


def _undefine(
    operation: Operation,
    connection: Connection,
    definition: Definition,
    guest: Identity,
    bound: Deadline,
) -> None:
    """Undefine one definition, unless it is another guest's or the config itself."""
    if definition.name != guest.name or definition.uuid != (guest.uuid or ""):
        raise Refused(
            f"{definition.name} with UUID {definition.uuid} is not known to be it"
        )
    path = _resolved(operation.values.text("config"), bound)
    if path.startswith(LIBVIRTS_OWN):
        raise Refused(
            f"config lies in libvirt's own folder as {path}, and undefining would "
            "delete it; move the file"
        )
    remove_nvram = _chosen(operation, "nvram") == "remove"
    remove_tpm = _chosen(operation, "tpm_state") == "remove"
    definitions.undefine(
        connection, bound, definition.domain, guest.driver, remove_nvram, remove_tpm
    )
    told = [
        f"UEFI variables {'removed' if remove_nvram else 'kept'}",
        f"TPM state {'removed' if remove_tpm else 'kept'}",
    ]
    operation.log.info(f"undefined {guest} ({', '.join(told)})")


def _resolved(path: str, bound: Deadline) -> str:
    """Return a path without symbolic links; in a child, which a hung mount may hold."""
    limit = bound.part(RESOLVES_S)
    answer = process.run([READLINK, "--canonicalize-missing", "--", path], limit)
    if answer.exit_code:
        raise Refused(f"{path} cannot be resolved: {answer.stderr}")
    return answer.stdout.strip()


def _chosen(operation: Operation, name: str) -> str:
    """Return a choice; nonsense removes nothing: a typo is no order."""
    try:
        return operation.values.text(name)
    except BadParameter as problem:
        operation.log.warning(f"{problem}; nothing is removed")
        return "keep"


def _image(operation: Operation, definition: Definition, node: str) -> str:
    """Return the sentence about a memory image that is never resumed.

    The guest may have run elsewhere since: its disks are ahead of the image. libvirt
    drops the image when it boots the persistent guest afresh, and leaves it alone when
    a guest of that name is created from a file.
    """
    fate = "is dropped by this start"
    if operation.values.given("config"):
        fate = f"stays; remove it with virsh managedsave-remove {definition.name}"
    return (
        f"{definition.name} has a saved memory image on {node}, which is not resumed "
        f"since the guest may have run elsewhere; it {fate}"
    )
