"""A cluster file's content as YAML that reads back to the same content.

Called by import. What a default supplies is left out; entries are in the order of their
names, short ones on one line, as a person would write them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vmha.heartbeat.clusterfile import flow, rules
from vmha.heartbeat.clusterfile.content import (
    ClusterFile,
    Device,
    GuestEntry,
    NodeEntry,
    Policy,
)
from vmha.heartbeat.clusterfile.entries import DEVICE_KEYS
from vmha.heartbeat.clusterfile.flow import Value
from vmha.heartbeat.clusterfile.secrets import OWN_AGENTS

Fields = dict[str, Value]


def text_of(file: ClusterFile) -> str:
    """Return the text of a cluster file."""
    return "\n".join(_lines(file)) + "\n"


def _lines(file: ClusterFile) -> Iterator[str]:
    cluster: Fields = {"name": file.name}
    if file.token_ms is not None:
        cluster["token_ms"] = file.token_ms
    yield from flow.block("cluster", cluster, 0)
    quorum = _quorum(file)
    if quorum:
        yield from flow.block("quorum", quorum, 0)
    yield "nodes:"
    for node in file.nodes:
        yield f"  {flow.scalar(node.name)}:"
        yield from _node(node)
    yield from _section("guests", {one.name: _guest(one, file) for one in file.guests})
    classes = {name: {"priority": given} for name, given in file.classes.items()}
    yield from _section("classes", classes)
    if file.rules:
        yield "rules:"
        yield from (f"  - {flow.text(rules.fields(rule))}" for rule in file.rules)
    policy = _policy(file.policy)
    if policy:
        yield from flow.block("policy", policy, 0)


def guest_lines(file: ClusterFile, names: Iterable[str]) -> dict[str, str]:
    """Return the entries of some guests, each on one line."""
    guests = {guest.name: guest for guest in file.guests}
    return {name: flow.text({name: _guest(guests[name], file)})[1:-1] for name in names}


def _section(name: str, entries: Mapping[str, Mapping[str, Value]]) -> Iterator[str]:
    if entries:
        yield f"{name}:"
    for key, fields in entries.items():
        yield from flow.block(key, fields, 2)


def _quorum(file: ClusterFile) -> Fields:
    found: Fields = {}
    if file.two_node != (len(file.nodes) == 2 and file.qdevice is None):
        found["two_node"] = file.two_node
    if file.qdevice is not None:
        found["qdevice"] = _without_defaults(
            {"host": file.qdevice.host, "algorithm": file.qdevice.algorithm},
            {"algorithm": "ffsplit"},
        )
    return found


def _node(node: NodeEntry) -> Iterator[str]:
    if node.addresses:
        yield from flow.block("addresses", list(node.addresses), 4)
    capacity: Fields = {"cpu": node.cpu, "memory_mib": node.memory_mib}
    yield from flow.block("capacity", capacity, 4)
    reserve = _without_defaults(
        {"cpu": node.reserve_cpu, "memory_mib": node.reserve_memory_mib},
        {"cpu": 0, "memory_mib": 0},
    )
    if reserve:
        yield from flow.block("reserve", reserve, 4)
    if node.cpu_ratio != 1.0:
        yield from flow.block("cpu_ratio", node.cpu_ratio, 4)
    if node.rack is not None:
        yield from flow.block("rack", node.rack, 4)
    if node.fencing:
        yield "    fencing:"
    for level in node.fencing:
        marks = ["      - -", *["        -"] * (len(level) - 1)]
        yield from (
            f"{mark} {flow.text(_device(device))}" for mark, device in zip(marks, level)
        )


def _device(device: Device) -> Fields:
    found: Fields = {"agent": device.agent}
    keys = [key for key in DEVICE_KEYS if key in device.options]
    if not device.agent.startswith(OWN_AGENTS) and "password_file" in keys:
        keys.remove("password_file")  # to another's agent it is one more parameter
    found |= {key: device.options[key] for key in keys}
    if device.plug:
        found["plug"] = device.plug
    if device.cib_secret:
        found["cib_secret"] = True
    others = {k: v for k, v in device.options.items() if k not in keys}
    if others:
        found["options"] = others
    return found


def _guest(guest: GuestEntry, file: ClusterFile) -> Fields:
    of_class = 0 if guest.guest_class is None else file.classes[guest.guest_class]
    found = _given(
        config=guest.config,
        domain=guest.domain,
        hypervisor=guest.hypervisor,
    )
    if guest.guest_class is not None:
        found["class"] = guest.guest_class
    if guest.priority != of_class:
        found["priority"] = guest.priority
    found |= {"cpu": guest.cpu, "memory_mib": guest.memory_mib}
    if not guest.ha:
        found["ha"] = False
    found |= _given(
        runs_on=guest.runs_on,
        prefer=list(guest.prefer) or None,
        after=list(guest.after) or None,
        start=_given(order=guest.start_order, delay_s=guest.start_delay_s or None)
        or None,
        options=guest.options or None,
    )
    return found


def _policy(policy: Policy) -> Fields:
    given = _given(
        tolerate=policy.tolerate,
        preemption=policy.preemption,
        migration_limit=policy.migration_limit,
        guest_overhead_mib=policy.guest_overhead_mib,
    )
    default = Policy()
    return {k: v for k, v in given.items() if v != getattr(default, k)}


def _given(**fields: Value | None) -> Fields:
    return {key: value for key, value in fields.items() if value is not None}


def _without_defaults(fields: Fields, defaults: Fields) -> Fields:
    return {k: v for k, v in fields.items() if v != defaults.get(k)}
