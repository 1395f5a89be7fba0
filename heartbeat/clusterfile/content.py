"""What a cluster file says, checked and complete: defaults filled in, XML read.

Made by ``reading``; read by rendering, doctor and import. Names and sizes are as the
administrator wrote them; ``planned`` turns them into the planner's model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

from vmha.heartbeat.planning.model import BY_CLASS, HOST


@dataclass(frozen=True)
class Device:
    """One fence device: its agent and its parameters, without pcmk_host_*.

    A secret is never here: parameters name a file, or the CIB secret ``password`` is
    said to be with ``cib_secret: true``. ``plug`` is the outlet, port or name by which
    the device knows the node that it stands under, "" where that is the node's name.
    """

    agent: str
    options: Mapping[str, str] = field(default_factory=dict)
    cib_secret: bool = False
    plug: str = ""


@dataclass(frozen=True)
class NodeEntry:
    """A node: ring addresses, sizes as bought, its levels of fence devices."""

    name: str
    addresses: tuple[str, ...] = ()
    cpu: int = 0
    memory_mib: int = 0
    reserve_cpu: int = 0
    reserve_memory_mib: int = 0
    cpu_ratio: float = 1.0
    rack: str | None = None
    fencing: tuple[tuple[Device, ...], ...] = ()


@dataclass(frozen=True)
class GuestEntry:
    """A guest: how the agent finds it, how it counts, where it would rather be.

    ``cpu`` and ``memory_mib`` are from the file or from the XML, without overhead.
    ``options`` are further parameters of ocf:vmha:VirtualMachine.
    """

    name: str
    cpu: int
    memory_mib: int
    config: str | None = None
    domain: str | None = None
    hypervisor: str | None = None
    guest_class: str | None = None
    priority: int = 0
    ha: bool = True
    runs_on: str | None = None
    prefer: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    start_order: int | None = None
    start_delay_s: int = 0
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SpreadEntry:
    """``spread: [...]``, as written."""

    guests: tuple[str, ...]
    across: str = HOST
    hard: bool = True


@dataclass(frozen=True)
class TogetherEntry:
    """``together: [...]``, as written; the first named leads."""

    guests: tuple[str, ...]
    hard: bool = True


@dataclass(frozen=True)
class PinEntry:
    """``pin: [...], to: [...]``; ``to`` holds node names and ``rack:NAME``."""

    guests: tuple[str, ...]
    to: tuple[str, ...]
    hard: bool = True


@dataclass(frozen=True)
class AvoidEntry:
    """``avoid: [...], nodes: [...]``; ``nodes`` holds node names and ``rack:NAME``."""

    guests: tuple[str, ...]
    nodes: tuple[str, ...]
    hard: bool = True


RuleEntry = Union[SpreadEntry, TogetherEntry, PinEntry, AvoidEntry]


@dataclass(frozen=True)
class Policy:
    """What the administrator asks of the whole."""

    tolerate: int = 1
    preemption: str = BY_CLASS
    migration_limit: int | None = None
    guest_overhead_mib: int = 0


@dataclass(frozen=True)
class QDevice:
    """Corosync's arbiter on a host outside of the cluster."""

    host: str
    algorithm: str = "ffsplit"


@dataclass(frozen=True)
class ClusterFile:
    """A whole cluster file. All tuples are sorted by name, rules by what they say."""

    path: str
    name: str
    nodes: tuple[NodeEntry, ...]
    guests: tuple[GuestEntry, ...] = ()
    classes: Mapping[str, int] = field(default_factory=dict)
    rules: tuple[RuleEntry, ...] = ()
    policy: Policy = field(default_factory=Policy)
    token_ms: int | None = None
    two_node: bool = False
    qdevice: QDevice | None = None
    warnings: tuple[str, ...] = ()
