"""What Pacemaker itself would do: ``crm_simulate`` run on a CIB.

Called by diff and apply, by the planner's confirmation and by tests. Nothing of the
cluster is touched: the CIB is a file of its own. One transition from the state given,
all lost nodes failed together.
"""

from __future__ import annotations

import os
import tempfile
from typing import NamedTuple

from lxml import etree

from vmha.agents.protocol import process
from vmha.agents.protocol.errors import Refused
from vmha.heartbeat.pacemaker import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmha.agents.protocol.deadline import Deadline

ENDLESS = ("Transition failed", "An invalid transition was produced")
REVISED = "revised_cluster_status"
ALLOCATION = {"GLIBC_TUNABLES": "glibc.malloc.mxfast=0"}
"""crm_simulate copies the CIB for each step, and glibc then walks all small free blocks
each time; without a list of those it takes 40 % less (measured, 100 and 300 guests)."""
STARTED = ("Started", "Promoted", "Unpromoted", "Master", "Slave")


NO_QUORUM = "the cluster has no quorum"


class Unfinished(Refused):
    """Pacemaker's own transition comes to no end; who was to start stays down.

    ``stopped`` is who ran before and does not when the transition is stuck.
    """

    def __init__(self, stopped: frozenset[str] = frozenset(), reason: str = "") -> None:
        self.stopped = stopped
        why = reason or "what it does waits for one another"
        super().__init__(
            f"Pacemaker's transition comes to no end, because {why}; guests stay down"
        )


class Action(NamedTuple):
    """What Pacemaker would do with a resource: start, stop, move, migrate, restart.

    ``source`` and ``target`` are nodes, "" where there is none.
    """

    kind: str
    resource: str
    source: str
    target: str
    reason: str


class Present(NamedTuple):
    """What runs where; members that are not online, on standby, or in maintenance."""

    running: dict[str, str]
    gone: tuple[str, ...]
    standby: tuple[str, ...]
    frozen: tuple[str, ...]


class Outcome(NamedTuple):
    """Where every resource ran before and runs after; and what was done between.

    A resource that runs nowhere is in neither mapping. Clones' instances appear as
    Pacemaker names them; one that runs on several nodes stands with the first. Nodes
    that are ``gone``, in ``standby`` or ``frozen`` (in maintenance) are so afterwards.
    """

    before: dict[str, str]
    after: dict[str, str]
    actions: tuple[Action, ...]
    gone: tuple[str, ...] = ()
    standby: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()


def simulate(
    cib: etree._Element, deadline: Deadline, lost: Sequence[str] = ()
) -> Outcome:
    """Return the outcome of one transition after the loss of these nodes.

    Raises NotInstalled without Pacemaker's tools, Refused for a CIB that they refuse,
    Unreachable when they take longer than the deadline. Pacemaker 3.0.0 leaves the
    actions and the result out of its XML where a node was to fail; what is true in the
    CIB that it writes is the same result, then without the actions.
    """
    words = ["--simulate", *(f"--node-fail={name}" for name in lost)]
    text = _answer(cib, deadline, words)
    if lost and etree.fromstring(text.encode()).find(REVISED) is None:
        before = present(cib, deadline).running
        after = present(saved(cib, deadline, lost), deadline)
        return Outcome(before, after.running, (), *after[1:])
    return outcome(text)


def saved(
    cib: etree._Element, deadline: Deadline, lost: Sequence[str] = ()
) -> etree._Element:
    """Return the CIB as it is after that transition; raises as simulate does."""
    return _played(cib, deadline, lost)[1]


def played(cib: etree._Element, deadline: Deadline) -> tuple[Outcome, etree._Element]:
    """Return the outcome of one transition and the CIB after it, in one run."""
    text, after = _played(cib, deadline, ())
    return outcome(text), after


def decided(cib: etree._Element, deadline: Deadline) -> Outcome:
    """Return what Pacemaker decides to do, without playing it through.

    That is a matter of seconds, however much there is to do. Whether the steps come to
    an end is not seen. What is blocked counts as not running afterwards, and so does a
    node that is to be fenced.
    """
    return decision(_answer(cib, deadline, ["--run"]))


def decision(text: str) -> Outcome:
    """Read what crm_simulate would do (``--run``), in its XML."""
    root = etree.fromstring(text.encode())
    status = root.find("cluster_status")
    before = _running(status)
    gone, standby, frozen = _absent(status)
    unclean = {
        str(node.get("name"))
        for node in root.iterfind("cluster_status/nodes/node")
        if node.get("unclean") == "true"
    }
    after = {name: node for name, node in before.items() if node not in unclean}
    actions = []
    for element in root.iterfind("actions/rsc_action"):
        action = _action(element)
        actions.append(action)
        after.pop(action.resource, None)
        if action.target and element.get("blocked") != "true":
            after[action.resource] = action.target
    gone = tuple(sorted({*gone, *unclean}))
    left = [tuple(n for n in names if n not in unclean) for names in (standby, frozen)]
    return Outcome(before, after, tuple(actions), gone, *left)


def _played(
    cib: etree._Element, deadline: Deadline, lost: Sequence[str]
) -> tuple[str, etree._Element]:
    with tempfile.TemporaryDirectory(prefix="vmha-") as folder:
        path = os.path.join(folder, "after.xml")
        words = [f"--node-fail={name}" for name in lost]
        words = ["--simulate", *words, f"--save-output={path}"]
        text = _answer(cib, deadline, words)
        try:
            return text, etree.parse(path).getroot()
        except (OSError, etree.XMLSyntaxError) as error:
            raise Refused(f"crm_simulate has written no CIB: {error}") from error


def current(cib: etree._Element, deadline: Deadline) -> dict[str, str]:
    """Return where every resource runs by the CIB's status; raises as simulate does."""
    return present(cib, deadline).running


def present(cib: etree._Element, deadline: Deadline) -> Present:
    """Return what is true by the CIB's status; raises as simulate does."""
    root = etree.fromstring(_answer(cib, deadline, []).encode())
    status = root.find("cluster_status")
    return Present(_running(status), *_absent(status))


def _answer(cib: etree._Element, deadline: Deadline, words: Sequence[str]) -> str:
    """Run crm_simulate on a copy of the CIB that goes again afterwards."""
    with tempfile.TemporaryDirectory(prefix="vmha-") as folder:
        path = os.path.join(folder, "cib.xml")
        etree.ElementTree(cib).write(path)
        argv = ["crm_simulate", "--xml-file", path, "--output-as=xml", *words]
        answer = process.run(argv, deadline, {"CIB_shadow_dir": folder, **ALLOCATION})
    if answer.exit_code != 0:
        if any(sign in answer.stdout + answer.stderr for sign in ENDLESS):
            raise _unfinished(cib, answer.stdout)
        raise Refused(f"crm_simulate did not answer: {answers.said(answer)}")
    return answer.stdout


def _unfinished(cib: etree._Element, text: str) -> Unfinished:
    """Read how far a transition came that is stuck, as far as it was written."""
    reason = NO_QUORUM if cib.get("have-quorum") == "0" else ""
    try:
        stuck = outcome(text)
    except (etree.XMLSyntaxError, Refused):
        return Unfinished(reason=reason)
    return Unfinished(frozenset(stuck.before.keys() - stuck.after.keys()), reason)


def outcome(text: str) -> Outcome:
    """Read crm_simulate's XML; raises Refused where it tells no result."""
    root = etree.fromstring(text.encode())
    revised = root.find(REVISED)
    if revised is None:
        raise Refused("crm_simulate tells no result of its transition")
    actions = tuple(map(_action, root.iterfind("actions/rsc_action")))
    before = _running(root.find("cluster_status"))
    return Outcome(before, _running(revised), actions, *_absent(revised))


def _action(one: etree._Element) -> Action:
    return Action(
        str(one.get("action")),
        str(one.get("resource")),
        str(one.get("source") or (one.get("node") if _ends(one) else "") or ""),
        str(one.get("dest") or ("" if _ends(one) else one.get("node")) or ""),
        str(one.get("reason") or ""),
    )


def _ends(action: etree._Element) -> bool:
    return str(action.get("action")).startswith("stop")


def _absent(
    status: etree._Element | None,
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the members that are not online, on standby, and in maintenance.

    Maintenance is stronger than standby: what is there stays.
    """
    gone, standby, frozen = [], [], []
    for node in status.iterfind("nodes/node") if status is not None else ():
        if node.get("type", "member") != "member":
            continue
        if node.get("online") != "true" or node.get("pending") == "true":
            gone.append(str(node.get("name")))
        elif node.get("maintenance") == "true":
            frozen.append(str(node.get("name")))
        elif node.get("standby") == "true":
            standby.append(str(node.get("name")))
    return tuple(sorted(gone)), tuple(sorted(standby)), tuple(sorted(frozen))


def _running(status: etree._Element | None) -> dict[str, str]:
    found: dict[str, str] = {}
    if status is None:
        return found
    for resource in status.iterfind("resources//resource"):
        node = resource.find("node")
        if resource.get("role") in STARTED and node is not None:
            found.setdefault(str(resource.get("id")), str(node.get("name")))
    return found
