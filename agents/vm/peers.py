"""Asks the other online nodes whether a guest lives there, before it is started here.

Called by a start that would create the guest. Pacemaker starts a guest once; a person
with ``virsh migrate`` or ``virsh create`` is not Pacemaker. All nodes are asked at the
same time, each within one bound, so that a failover waits for the slowest answer and
never longer than that bound. Nothing is changed anywhere.
"""

from __future__ import annotations

import _thread
import os

from vmha.agents import pacemaker
from vmha.agents.hypervisor import connection as connections
from vmha.agents.hypervisor import domains
from vmha.agents.hypervisor import uri as uris
from vmha.agents.protocol import children
from vmha.agents.protocol.errors import AgentError, Refused, Unreachable
from vmha.agents.vm.states import Presence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Callable

    from vmha.agents.protocol.agent import Operation
    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.protocol.parameters import Values
    from vmha.agents.vm.identity import Identity

PACEMAKER_ANSWERS_S = 2.0
PEERS_ANSWER_S = 1.0
TEST = "test"  # libvirt's mock driver: its guests live in the asking process


class Answer:
    """What one node says of the guest; ``told`` is its state, or why it is unknown."""

    __slots__ = ("node", "presence", "told")

    def __init__(self, node: str, presence: Presence, told: str) -> None:
        self.node = node
        self.presence = presence
        self.told = told


def refuse_second_copy(operation: Operation, guest: Identity, uuid: str) -> None:
    """Raise Refused where the guest lives on another online node.

    ``uuid`` is the one libvirt has it under here, "" where it does not know it. Offline
    nodes were fenced and are not asked. The race left: two starts at once on two nodes
    do not see each other. Pacemaker never orders that; a person beside it can, and then
    only locks on the disks help.
    """
    nodes = _others(operation, guest)
    strict = operation.values.text("peer_unknown") == "fail"
    if nodes is None:
        if strict:
            raise Refused(
                f"{guest} is not started: Pacemaker does not say which nodes to ask "
                "for a second copy, and peer_unknown=fail"
            )
        return

    def question(node: str, bound: Deadline) -> Answer:
        address = _address(operation.values, guest.uri, node)
        return _ask(node, address, _keys(guest, uuid), bound)

    bound = operation.deadline.part(PEERS_ANSWER_S)
    answers = at_once(nodes, question, bound)
    for answer in answers:
        if answer.presence is Presence.UNKNOWN:
            operation.log.warning(
                f"node {answer.node} cannot say whether {guest} runs there: "
                f"{answer.told}"
            )
    refusal = objection(str(guest), answers, strict)
    if refusal:
        raise Refused(refusal)
    if nodes:
        operation.log.debug(f"{guest} does not run on {', '.join(nodes)}, as they say")


def objection(guest: str, answers: Sequence[Answer], strict: bool) -> str:
    """Return why a start must not be done, "" where it may.

    An unknown peer does not keep the guest down unless ``strict``: the one written
    exception to "unknown never becomes not running" (docs/decisions/0014).
    """
    living = [a for a in answers if a.presence is Presence.RUNNING]
    if living:
        where = ", ".join(f"{a.node} ({a.told})" for a in living)
        return (
            f"{guest} lives on {where}; nothing was started. It was moved or started "
            "beside the cluster: Pacemaker finds it there when it starts or probes it "
            "on that node"
        )
    unknown = [a for a in answers if a.presence is Presence.UNKNOWN]
    if unknown and strict:
        where = "; ".join(f"{a.node}: {a.told}" for a in unknown)
        return (
            f"{guest} is not started, because it is unknown whether it runs elsewhere "
            f"and peer_unknown=fail ({where})"
        )
    return ""


def at_once(
    nodes: Sequence[str], question: Callable[[str, Deadline], Answer], bound: Deadline
) -> list[Answer]:
    """Ask every node in a thread of its own; those who are late are unknown.

    Programs that libvirt ran for an answer that did not come (ssh) are ended.
    """
    before = children.pids()
    asked = [_Asked(node, question, bound) for node in nodes]
    answers = [one.answer(bound) for one in asked]
    children.end(children.pids() - before)
    return answers


class _Asked:
    """One node, being asked."""

    __slots__ = ("_answer", "_ended", "_node")

    def __init__(
        self, node: str, question: Callable[[str, Deadline], Answer], bound: Deadline
    ) -> None:
        self._node = node
        self._answer: Answer | None = None
        self._ended = _thread.allocate_lock()
        self._ended.acquire()
        _thread.start_new_thread(self._work, (question, bound))

    def answer(self, bound: Deadline) -> Answer:
        """Return its answer, once it is there or the time is over."""
        self._ended.acquire(timeout=bound.remaining_s())
        late = f"it gave no answer within {bound.timeout_s:.1f} s"
        return self._answer or Answer(self._node, Presence.UNKNOWN, late)

    def _work(
        self, question: Callable[[str, Deadline], Answer], bound: Deadline
    ) -> None:
        try:
            self._answer = question(self._node, bound)
        except AgentError as error:
            self._answer = Answer(self._node, Presence.UNKNOWN, str(error))
        finally:
            self._ended.release()


def _ask(
    node: str, address: str, keys: list[tuple[str, str]], bound: Deadline
) -> Answer:
    """Ask one node's libvirt for the guest by each of its keys (name, UUID)."""
    connection = connections.connect(address, bound)
    found = Answer(node, Presence.NOT_RUNNING, "")
    for name, uuid in keys:
        sight = domains.look(connection, bound, name, uuid)
        if sight.state.is_active:  # also paused, or arriving by a migration
            found = Answer(node, Presence.RUNNING, sight.state.value)
    connection.close(bound)
    return found


def _keys(guest: Identity, uuid: str) -> list[tuple[str, str]]:
    """Return the names and UUIDs under which the guest counts as living.

    Where the parameters give no UUID the name is the guest, whatever UUID another node
    has given it; the UUID that it has here counts as well, under any name.
    """
    if guest.uuid:
        return [("", guest.uuid)]
    return [(guest.name, ""), *([("", uuid)] if uuid else [])]


def _others(operation: Operation, guest: Identity) -> list[str] | None:
    """Return the other online nodes, None where Pacemaker does not tell."""
    if not uris.is_local(guest.uri) or uris.driver(guest.uri) == TEST:
        return []
    own = operation.node or os.uname().nodename
    try:
        online = pacemaker.online_nodes(operation.deadline.part(PACEMAKER_ANSWERS_S))
        if not online:  # not even this one: the tool has reached no cluster
            raise Unreachable("Pacemaker does not run here")
    except AgentError as error:
        operation.log.warning(f"no node is asked for a second copy of {guest}: {error}")
        return None
    return [node for node in online if node != own]


def _address(values: Values, uri: str, node: str) -> str:
    """Return the URI of a node's libvirt: the one that a migration would use."""
    address = uris.control(
        uri,
        node,
        values.text("migration_transport"),
        values.text("migration_network_suffix"),
        values.text("remoteuri"),
        values.text("migration_user"),
    )
    return uris.unattended(address)
