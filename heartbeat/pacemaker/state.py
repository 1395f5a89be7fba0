"""The status section of a CIB, written: which nodes are up and what runs where.

Pure. For predictions: ``crm_simulate`` is given a configuration together with a state
that nobody has to build first. Every resource has its probe's answer on every node, as
in a cluster that has been up for a while. Source: Pacemaker Explained, "Status", and
include/crm/common/xml_names (node_state, lrm_resource, lrm_rsc_op).
"""

from __future__ import annotations

from lxml import etree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FEATURES = "3.0.14"
UP = {"in_ccm": "true", "crmd": "online", "join": "member", "expected": "member"}
DOWN = {"in_ccm": "false", "crmd": "offline", "join": "down", "expected": "down"}
OK, NOT_RUNNING = "0", "7"
DEFAULT_TIMEOUT_MS = 20_000  # of an operation that names none
_TIMEOUT = "CRM_meta_timeout"
_NOBODY = "00000000-0000-0000-0000-000000000000"


def with_state(
    cib: etree._Element, running: Mapping[str, str], has_quorum: bool = True
) -> etree._Element:
    """Return the CIB as of a cluster that is whole, with these resources running.

    ``running`` maps ids of resources to names of nodes; the others are stopped. Fence
    devices that it does not name run on the first node.
    """
    import copy

    whole = copy.deepcopy(cib)
    nodes = [
        (str(n.get("id")), str(n.get("uname")))
        for n in whole.iterfind("configuration/nodes/node")
    ]
    primitives = list(whole.iterfind("configuration/resources/primitive"))
    places = dict(running)
    for primitive in primitives:
        if primitive.get("class") == "stonith" and nodes:
            places.setdefault(str(primitive.get("id")), nodes[0][1])
    for status in whole.findall("status"):
        whole.remove(status)
    status = etree.SubElement(whole, "status")
    for ident, name in nodes:
        _node_state(status, ident, name, primitives, places)
    whole.set("have-quorum", "1" if has_quorum else "0")
    if nodes:
        whole.set("dc-uuid", nodes[0][0])
    return whole


def rewritten(
    cib: etree._Element, places: Mapping[str, str | None], gone: Iterable[str] = ()
) -> etree._Element:
    """Return the CIB with these resources where they are said to be: None is nowhere.

    Nodes that are ``gone`` are down, as after they were fenced. What else its status
    says stays. Only what stands in no group or clone is written.
    """
    import copy

    whole = copy.deepcopy(cib)
    primitives = [
        one
        for one in whole.iterfind("configuration/resources/primitive")
        if one.get("id") in places
    ]
    down = set(gone)
    for told in whole.iterfind("status/node_state"):
        if told.get("uname") in down:
            told[:] = []
            for key, value in DOWN.items():
                told.set(key, value)
        held = told.find("lrm/lrm_resources")
        if held is None:
            continue
        for history in held.findall("lrm_resource"):
            if history.get("id") in places:
                held.remove(history)
        name = str(told.get("uname"))
        for primitive in primitives:
            is_here = places[str(primitive.get("id"))] == name
            _history(held, primitive, is_here, name)
    return whole


def _node_state(
    status: etree._Element,
    ident: str,
    name: str,
    primitives: list[etree._Element],
    places: Mapping[str, str],
) -> None:
    state = etree.SubElement(status, "node_state", id=ident, uname=name)
    for key, value in UP.items():
        state.set(key, value)
    lrm = etree.SubElement(state, "lrm", id=ident)
    held = etree.SubElement(lrm, "lrm_resources")
    for primitive in primitives:
        _history(held, primitive, places.get(str(primitive.get("id"))) == name, name)


def _history(
    held: etree._Element, primitive: etree._Element, is_here: bool, node: str
) -> None:
    ident = str(primitive.get("id"))
    resource = etree.SubElement(held, "lrm_resource", id=ident)
    for key in ("type", "class", "provider"):
        if primitive.get(key):
            resource.set(key, str(primitive.get(key)))
    if not is_here:
        _done(resource, ident, "monitor", NOT_RUNNING, node, 1)
        return
    start = _done(resource, ident, "start", OK, node, 2)
    start.set("op-digest", _digest(primitive, {}))
    for number, op in enumerate(primitive.iterfind("operations/op[@name='monitor']")):
        interval_ms = _milliseconds(str(op.get("interval", "")))
        if interval_ms:
            done = _done(resource, ident, "monitor", OK, node, 3 + number, interval_ms)
            timeout_ms = _milliseconds(str(op.get("timeout", ""))) or DEFAULT_TIMEOUT_MS
            done.set("op-digest", _digest(primitive, {_TIMEOUT: str(timeout_ms)}))


def _digest(primitive: etree._Element, more: Mapping[str, str]) -> str:
    """Return the digest by which Pacemaker sees that parameters have changed.

    Without it every resource would count as changed and be restarted. Source:
    calculate_operation_digest in lib/common/digest.c.
    """
    import hashlib

    pairs = dict(more)
    for pair in primitive.iterfind("instance_attributes/nvpair"):
        pairs[str(pair.get("name"))] = str(pair.get("value") or "")
    parameters = etree.Element("parameters")
    for name in sorted(pairs):
        parameters.set(name, pairs[name])
    text = f" {etree.tostring(parameters, encoding='unicode')}\n"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _milliseconds(text: str) -> int:
    seconds = text.removesuffix("s")
    return int(seconds) * 1000 if seconds.isdigit() else 0


def _done(
    resource: etree._Element,
    ident: str,
    action: str,
    code: str,
    node: str,
    call: int,
    interval_ms: int = 0,
) -> etree._Element:
    is_probe = action == "monitor" and not interval_ms
    key = f"{ident}_last_0" if not interval_ms else f"{ident}_monitor_{interval_ms}"
    operation = etree.SubElement(resource, "lrm_rsc_op", id=key)
    words = {
        "operation_key": f"{ident}_{action}_{interval_ms}",
        "operation": action,
        "crm-debug-origin": "vmha",
        "crm_feature_set": FEATURES,
        "transition-key": f"{call}:1:{7 if is_probe else 0}:{_NOBODY}",
        "transition-magic": f"0:{code};{call}:1:{7 if is_probe else 0}:{_NOBODY}",
        "on_node": node,
        "call-id": str(call),
        "rc-code": code,
        "op-status": "0",
        "interval": str(interval_ms),
    }
    for name, value in words.items():
        operation.set(name, value)
    return operation
