"""A guest that executes on a node where Pacemaker has it as stopped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vmha.heartbeat.doctor import hosting
from vmha.heartbeat.doctor.check import CIB, FACTS, STATUS, Check, Finding, Severity
from vmha.heartbeat.doctor.evidence import Evidence

_Operation = Mapping[str, str]
_MOVES = ("start", "stop", "migrate_to", "migrate_from", "monitor")


def look(evidence: Evidence) -> Iterator[Finding]:
    """Compare what executes with the last thing that each node did with the guest.

    A guest that is being started, stopped or moved is passed over: what libvirt shows
    is then ahead of what is recorded.
    """
    uuids = {
        one.text("uuid"): guest
        for guest, _, one in hosting.guests(evidence)
        if one.text("uuid")
    }
    last = {guest: _last(evidence, guest) for guest in set(uuids.values())}
    for node, libvirt in evidence.parts("libvirt"):
        for domain in libvirt.objects("domains"):
            guest = uuids.get(domain.text("uuid"), "")
            if not guest or not domain.flag("running"):
                continue
            done = last[guest]
            if not any(map(_is_under_way, done.values())) and _is_gone(done.get(node)):
                yield Finding(
                    f"guest {guest}",
                    f"it runs on {node}, where the cluster has it as stopped",
                )


def _last(evidence: Evidence, guest: str) -> dict[str, _Operation]:
    """Return by node the newest action that tells whether the guest is there."""
    newest: dict[str, _Operation] = {}
    for node, operation in evidence.cib.history(guest):
        name = operation.get("operation")
        is_recurring = operation.get("interval", "0") != "0"
        if name not in _MOVES or is_recurring:
            continue
        if node not in newest or _call(operation) > _call(newest[node]):
            newest[node] = operation
    return newest


def _call(operation: _Operation) -> float:
    """Return the executor's number of a call; one under way has none yet (-1)."""
    text = operation.get("call-id", "0")
    return float("inf") if text == "-1" else float(text)


def _is_under_way(operation: _Operation) -> bool:
    """Tell whether it has not ended, or is a migration that has yet to arrive."""
    is_pending = operation.get("op-status") == "-1"
    return is_pending or operation.get("operation") == "migrate_to"


def _is_gone(operation: _Operation | None) -> bool:
    """Tell whether Pacemaker takes the guest for stopped on that node."""
    if operation is None:
        return True
    code, name = operation.get("rc-code"), operation.get("operation")
    return (name == "stop" and code == "0") or (name == "monitor" and code == "7")


CHECK = Check(
    "running-unnoticed",
    "Guest that runs where the cluster has it as stopped",
    Severity.ERROR,
    "Nothing watches or stops such a guest, and whoever takes it for stopped may use "
    "its disks. It was started or moved by hand; or its migration was interrupted by a "
    "change of the configuration after it had been on that node once before: Pacemaker "
    "2.1.5 then takes the old arrival for the new one and forgets it. "
    "ocf:vmha:VirtualMachine starts no second copy meanwhile.",
    "crm_resource --refresh --resource GUEST: Pacemaker looks again and finds it.",
    (CIB, STATUS, FACTS + "libvirt", FACTS + "guests"),
    look,
)
