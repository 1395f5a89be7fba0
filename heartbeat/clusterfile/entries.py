"""The parts of a sound document as the records of ``content``.

Called by ``reading`` after nothing was found wrong with the document; only a guest's
XML may still be missing.
"""

from __future__ import annotations

from typing import Any

from vmha.heartbeat.clusterfile.content import (
    Device,
    GuestEntry,
    NodeEntry,
    Policy,
    QDevice,
)
from vmha.heartbeat.clusterfile.document import Section
from vmha.heartbeat.clusterfile.errors import Problem
from vmha.heartbeat.clusterfile.exclusions import written_options
from vmha.heartbeat.clusterfile.sizes import Configs, NoSize, Size

DEVICE_KEYS = ("ip", "username", "password_file")


def nodes(root: Section) -> tuple[NodeEntry, ...]:
    """Return the nodes, sorted by name."""
    return tuple(_node(name, node) for name, node in _sorted(root.section("nodes")))


def _node(name: str, node: Section) -> NodeEntry:
    capacity, reserve = node.section("capacity"), node.section("reserve")
    return NodeEntry(
        name,
        addresses=tuple(node.get("addresses", ())),
        cpu=capacity["cpu"],
        memory_mib=capacity["memory_mib"],
        reserve_cpu=reserve.get("cpu", 0),
        reserve_memory_mib=reserve.get("memory_mib", 0),
        cpu_ratio=float(node.get("cpu_ratio", 1.0)),
        rack=node.get("rack"),
        fencing=tuple(
            tuple(_device(device) for device in level)
            for level in node.get("fencing", ())
        ),
    )


def _device(device: Section) -> Device:
    own = {key: device[key] for key in DEVICE_KEYS if key in device}
    options = {**own, **written_options(device.section("options"))}
    return Device(
        device["agent"],
        dict(sorted(options.items())),
        cib_secret=device.get("cib_secret", False),
        plug=str(device.get("plug", "")),
    )


def classes(root: Section) -> dict[str, int]:
    """Return the priority of each class, sorted by name."""
    return {name: one["priority"] for name, one in _sorted(root.section("classes"))}


def guests(root: Section) -> tuple[tuple[GuestEntry, ...], list[Problem]]:
    """Return the guests, sorted by name, and those whose size is not to be had."""
    priorities = classes(root)
    found: list[GuestEntry] = []
    problems: list[Problem] = []
    configs = Configs()
    for name, guest in _sorted(root.section("guests")):
        try:
            size = _size(guest, configs)
        except NoSize as error:
            problems.append(_no_size(name, guest, error))
            continue
        found.append(_guest(name, guest, size, priorities))
    return tuple(found), problems


def sizes_missing(root: Section) -> list[Problem]:
    """Return the guests whose size is not to be had, in a document with errors."""
    problems = []
    configs = Configs()
    for name, guest in root.section("guests").items():
        if not isinstance(guest, Section):
            continue
        try:
            _size(guest, configs)
        except NoSize as error:
            problems.append(_no_size(name, guest, error))
    return problems


def _size(guest: Section, configs: Configs) -> Size:
    cpu, memory_mib = guest.get("cpu"), guest.get("memory_mib")
    if cpu is not None and memory_mib is not None:
        return Size(cpu, memory_mib)
    config = guest.get("config")
    if not isinstance(config, str):
        raise NoSize("there is no config to read it from")
    size = configs.size(config)
    return Size(
        size.cpu if cpu is None else cpu,
        size.memory_mib if memory_mib is None else memory_mib,
    )


def _no_size(name: str, guest: Section, error: NoSize) -> Problem:
    missing = [key for key in ("cpu", "memory_mib") if guest.get(key) is None]
    what = " and ".join(missing)
    verb = "is" if len(missing) == 1 else "are"
    advice = f"give {what}, or config as the path of the XML"
    sentence = f"{what} {verb} missing: {error}; {advice}"
    return Problem(guest.line, f"guests.{name}.{missing[0]}", sentence)


def _guest(
    name: str, guest: Section, size: Size, priorities: dict[str, int]
) -> GuestEntry:
    start = guest.section("start")
    guest_class = guest.get("class")
    of_class = priorities[guest_class] if guest_class is not None else 0
    return GuestEntry(
        name,
        size.cpu,
        size.memory_mib,
        config=guest.get("config"),
        domain=guest.get("domain"),
        hypervisor=guest.get("hypervisor"),
        guest_class=guest_class,
        priority=guest.get("priority", of_class),
        ha=guest.get("ha", True),
        runs_on=guest.get("runs_on"),
        prefer=tuple(guest.get("prefer", ())),
        after=tuple(sorted(guest.get("after", ()))),
        start_order=start.get("order"),
        start_delay_s=start.get("delay_s", 0),
        options=dict(sorted(written_options(guest.section("options")).items())),
    )


def policy(root: Section) -> Policy:
    """Return the policy, with what it leaves out."""
    given: dict[str, Any] = dict(root.section("policy"))
    return Policy(**given)


def qdevice(root: Section) -> QDevice | None:
    """Return the arbiter, if there is one."""
    quorum = root.section("quorum")
    return QDevice(**quorum["qdevice"]) if "qdevice" in quorum else None


def two_node(root: Section) -> bool:
    """Resolve votequorum's two_node: auto is for two nodes without a qdevice."""
    quorum = root.section("quorum")
    given = quorum.get("two_node", "auto")
    if isinstance(given, bool):
        return given
    return len(root.section("nodes")) == 2 and "qdevice" not in quorum


def _sorted(section: Section) -> list[tuple[str, Section]]:
    return sorted(section.sections())
