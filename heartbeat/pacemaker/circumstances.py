"""What of a cluster's present state may decide over guests and is not reckoned with.

Pure. Used by ``doubts``. Each is one sentence: earlier failures, quorum that is away
already, nodes about to leave, fencing that nobody can do. Facts from Pacemaker 2.1.5:
a hard error of a probe or a start bans a resource from a node also without a fail
count (unpacking of operations); nothing of a lost node is started before it is fenced.
"""

from __future__ import annotations

from typing import NamedTuple

from lxml import etree

from vmha.agents.cib import number
from vmha.heartbeat.pacemaker.inventory import Inventory, is_true

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator

FAILURES = "fail-count-"
SHUTDOWN = "shutdown"
HARD = {
    "2": "invalid parameters",
    "3": "not implemented",
    "4": "insufficient privileges",
    "5": "not installed",
    "6": "not configured",
}
"""OCF's codes after which Pacemaker does not try again there, or anywhere."""
EVERYWHERE = "6"
"""After this one it tries on no node."""


class Circumstance(NamedTuple):
    """What is not reckoned with, and the node that it is about, "" for all of them."""

    sentence: str
    node: str = ""


def doubts(
    cib: etree._Element,
    held: Inventory,
    near: Container[str],
    banned: Container[tuple[str, str]] = (),
) -> Iterator[Circumstance]:
    """Yield what is not reckoned with; ``near`` is what guests may depend on.

    ``banned`` are resources with nodes on which they are not started anyway.
    """
    options = held.options()
    policy = options.get("no-quorum-policy", "stop")
    if cib.get("have-quorum") == "0" and policy != "ignore":
        said = f"the cluster has no quorum now, and no-quorum-policy is {policy}"
        yield Circumstance(said)
    if is_true(options.get("stonith-enabled", "true")) and not _has_device(held):
        yield Circumstance(
            "stonith-enabled is true and there is no fence device: Pacemaker restarts "
            "nothing of a lost node before that is fenced"
        )
    for state in cib.iterfind("status/node_state"):
        sentences = [*_of_attributes(state, near), *_of_history(state, near, banned)]
        for sentence in sentences:
            yield Circumstance(sentence, str(state.get("uname")))


def _has_device(held: Inventory) -> bool:
    for one in held.primitives.values():
        template = held.template(one)
        source = one if template is None else template
        if source.get("class") == "stonith":
            return True
    return False


def _of_attributes(state: etree._Element, near: Container[str]) -> Iterator[str]:
    """Yield a shutdown asked for, and who has failed before."""
    node = state.get("uname")
    for pair in state.iterfind("transient_attributes/instance_attributes/nvpair"):
        name, value = str(pair.get("name")), str(pair.get("value"))
        if name == SHUTDOWN and value not in ("", "0"):
            yield f"{node} is about to shut down"
        resource = name[len(FAILURES) :].partition("#")[0]
        if name.startswith(FAILURES) and number(value) and resource in near:
            yield (
                f"{resource} has failed on {node} before, and Pacemaker may not "
                "start it there again"
            )


def _of_history(
    state: etree._Element, near: Container[str], banned: Container[tuple[str, str]]
) -> Iterator[str]:
    """Yield operations that ended in a hard error.

    That a probe or a start did where the resource is banned costs nothing more.
    """
    for history in state.iterfind("lrm//lrm_resource"):
        resource = str(history.get("id")).partition(":")[0]
        is_banned = (resource, str(state.get("uname"))) in banned
        for operation in history.iterfind("lrm_rsc_op") if resource in near else ():
            code = str(operation.get("rc-code"))
            why = HARD.get(code)
            is_only_there = is_banned and code != EVERYWHERE and _is_first(operation)
            if why and not is_only_there:
                yield (
                    f"{operation.get('operation')} of {resource} failed on "
                    f"{state.get('uname')} ({why}), and Pacemaker may not start it "
                    "there again"
                )


def _is_first(operation: etree._Element) -> bool:
    """Tell whether it is a start, or a probe before one."""
    if operation.get("operation") == "monitor":
        return not number(str(operation.get("interval", "0")))
    return operation.get("operation") == "start"
