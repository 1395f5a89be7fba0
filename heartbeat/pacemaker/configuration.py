"""Pacemaker's configuration in neutral words, before it is XML, pcs or crm.

Made by ``rendering``; written by ``cib``, ``pcs`` and ``crm``. Ids of
everything made here begin with "vmha-" or are a guest's own name, and carry the mark by
which ``diff`` knows what it may touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

INFINITY = 1_000_000
"""Pacemaker's score for "always" (Pacemaker Explained, "Scores")."""


@dataclass(frozen=True)
class Operation:
    """One ``<op>``; times in seconds."""

    name: str
    interval_s: int = 0
    timeout_s: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Primitive:
    """A resource or a fence device; ``agent`` is ``ocf:vmha:VirtualMachine`` or so."""

    id: str
    agent: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    utilization: Mapping[str, int] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True)
class Clone:
    """One primitive on every node."""

    id: str
    primitive: Primitive
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Location:
    """A resource's score on one node."""

    id: str
    resource: str
    node: str
    score: int


@dataclass(frozen=True)
class Colocation:
    """``resource`` is placed by where ``with_resource`` is."""

    id: str
    resource: str
    with_resource: str
    score: int
    node_attribute: str | None = None


@dataclass(frozen=True)
class Order:
    """``then`` starts after ``first`` has started; optional ones only if both start."""

    id: str
    first: str
    then: str
    kind: str = "Mandatory"


Constraint = Union[Location, Colocation, Order]


@dataclass(frozen=True)
class NodeSettings:
    """What a node offers, and its attributes (its rack)."""

    name: str
    utilization: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FencingLevel:
    """The devices that must all succeed at one level, for one node."""

    id: str
    node: str
    index: int
    devices: tuple[str, ...]


@dataclass(frozen=True)
class Configuration:
    """A whole configuration; each tuple sorted by id, since order changes placement."""

    properties: Mapping[str, str]
    resource_defaults: Mapping[str, str]
    nodes: tuple[NodeSettings, ...]
    resources: tuple[Primitive | Clone, ...]
    constraints: tuple[Constraint, ...] = ()
    fencing_levels: tuple[FencingLevel, ...] = ()
