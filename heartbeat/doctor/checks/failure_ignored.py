"""A failed operation of a guest that counts as done, or that blocks the guest.

Source: Pacemaker Explained, "Resource Operations" (on-fail) and "Rules". What counts
over what, and that a stop after which Pacemaker was told to ignore the failure is
followed by a start elsewhere, was seen with crm_simulate of 2.1.5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from lxml import etree

from vmha.heartbeat.doctor.check import (
    CIB,
    Answer,
    Check,
    Finding,
    Severity,
    Unknown,
)
from vmha.heartbeat.doctor.cib import Cib, Resource, seconds
from vmha.heartbeat.doctor.evidence import Evidence
from vmha.heartbeat.pacemaker.inventory import is_true

ON_FAIL = "on-fail"
IGNORE, BLOCK = "ignore", "block"
MOST_NAMED = 3

Operation = Mapping[str, str]

_BLOCKED = "a failed {} blocks it, and nothing recovers it until somebody cleans up"
_UNSEEN = "a failed {} counts as done, so it is taken for running and not restarted"
_FOLLOWS = {
    ("stop", IGNORE): (
        Severity.ERROR,
        "a failed stop counts as done, and it is started elsewhere while it may still "
        "run: two copies on one disk",
    ),
    ("stop", BLOCK): (Severity.INFO, _BLOCKED.format("stop")),
    ("start", IGNORE): (Severity.WARNING, _UNSEEN.format("start")),
    ("start", BLOCK): (Severity.WARNING, _BLOCKED.format("start")),
    ("monitor", IGNORE): (Severity.WARNING, _UNSEEN.format("monitor")),
    ("monitor", BLOCK): (Severity.WARNING, _BLOCKED.format("monitor")),
}


def look(evidence: Evidence) -> Iterator[Answer]:
    """Look at each guest's operations, and at the defaults where those say nothing."""
    cib = evidence.cib
    by_default: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for guest in cib.guests:
        for name, operation in _operations(guest):
            own = operation.get(ON_FAIL)
            value = own or _default(cib, guest, name, operation)
            if value is None:
                reason = "a rule of op_defaults decides what a failed operation means"
                yield Unknown(f"guest {guest.id}", reason)
            elif (name, value) in _FOLLOWS and own:
                severity, text = _FOLLOWS[name, value]
                said = f"its {name} has {ON_FAIL}={value}: {text}"
                yield Finding(f"guest {guest.id}", said, severity)
            elif (name, value) in _FOLLOWS:
                by_default[name, value].append(guest.id)
    for (name, value), guests in by_default.items():
        severity, text = _FOLLOWS[name, value]
        said = f"op_defaults set {ON_FAIL}={value} for the {name} of {_some(guests)}"
        yield Finding("the cluster", f"{said}: {text}", severity)


def _operations(guest: Resource) -> Iterator[tuple[str, Operation]]:
    """Yield what is done with every guest, written or not, and its monitors.

    An entry for a start or a stop that has an interval is not the one that counts; one
    that is switched off does (crm_simulate of 2.1.5 ignores the failure by it).
    """
    for name in ("stop", "start"):
        single = [
            op for op in guest.named(name) if not seconds(op.get("interval", "0"))
        ]
        yield name, single[0] if single else {}
    for op in guest.named("monitor"):
        if seconds(op.get("interval", "0")) and _is_enabled(op):
            yield "monitor", op


def _is_enabled(operation: Operation) -> bool:
    return is_true(operation.get("enabled", "true"))


def _default(cib: Cib, guest: Resource, name: str, operation: Operation) -> str | None:
    """Return what op_defaults say, "" where nothing, None where that is not known."""
    for one, pairs in cib.operation_default_sets:
        value = pairs.get(ON_FAIL)
        if value is None:
            continue
        rule = one.find("rule")
        is_met = True if rule is None else _holds(rule, guest, name, operation)
        if is_met is None and value in (IGNORE, BLOCK):
            return None
        if is_met:
            return value
    return ""


def _holds(
    rule: etree._Element, guest: Resource, name: str, operation: Operation
) -> bool | None:
    """Tell whether a rule over agents and operations holds; None for any other."""
    parts: list[bool | None] = []
    for one in rule:
        if one.tag == "rule":
            parts.append(_holds(one, guest, name, operation))
        elif one.tag == "op_expression":
            asked_s, has_s = one.get("interval"), operation.get("interval", "0")
            is_timed = asked_s is None or seconds(asked_s) == seconds(has_s)
            parts.append(is_timed and one.get("name", name) == name)
        elif one.tag == "rsc_expression":
            words = zip(("class", "provider", "type"), guest.agent.split(":"))
            parts.append(all(one.get(word, is_) == is_ for word, is_ in words))
        else:
            parts.append(None)
    is_any = (rule.get("boolean-op") or "and") == "or"
    if is_any in parts:
        return is_any
    return None if None in parts or not parts else not is_any


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else ""
    return ", ".join(names[:MOST_NAMED]) + more


CHECK = Check(
    "failure-ignored",
    "Failed operation of a guest that is ignored",
    Severity.ERROR,
    "A stop that failed proves nothing: the guest may run. With on-fail=ignore "
    "Pacemaker takes it for stopped and starts it elsewhere, and two copies write to "
    "one disk; by default the node is fenced, which is proof. on-fail=block loses no "
    "data, but the guest stays as it is until somebody cleans up.",
    "pcs resource update GUEST op stop timeout=… on-fail=fence (timeout too: pcs "
    "replaces the whole entry), or for defaults pcs resource op defaults update "
    "on-fail=.",
    (CIB,),
    look,
)
