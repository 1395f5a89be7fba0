"""A cluster as the planner sees it: nodes, guests, rules, policy; usable sizes.

Made by ``clusterfile.planned`` from a file and by ``pacemaker.live`` from a CIB.
Memory is whole MiB, processors are whole numbers, both after reservation and ratio.
Everything is a tuple, sorted by name: the order of entries in a file changes nothing.
"""

from __future__ import annotations

from typing import NamedTuple, Union

HOST = "host"
RACK = "rack"
BY_CLASS = "by-class"
NONE = "none"


class Node(NamedTuple):
    """A node with what guests may use of it.

    ``rack`` is the node's own name where none is given: a node without rack is its own.
    """

    name: str
    cpu: int
    memory_mib: int
    rack: str


class Guest(NamedTuple):
    """A guest with what it needs, overhead included; higher priority is kept longer.

    ``runs_on`` is None for a guest that runs nowhere yet. ``prefer`` is in order of
    preference and never costs a start.
    """

    name: str
    cpu: int
    memory_mib: int
    priority: int = 0
    ha: bool = True
    runs_on: str | None = None
    prefer: tuple[str, ...] = ()


class Spread(NamedTuple):
    """These guests never (hard) or rather not (soft) share a host or a rack."""

    guests: tuple[str, ...]
    across: str = HOST
    hard: bool = True


class Together(NamedTuple):
    """These guests share a node; the first named leads."""

    guests: tuple[str, ...]
    hard: bool = True


class Pin(NamedTuple):
    """Each of these guests runs on one of these nodes (racks are resolved)."""

    guests: tuple[str, ...]
    nodes: tuple[str, ...]
    hard: bool = True


class Avoid(NamedTuple):
    """Each of these guests runs on none of these nodes (racks are resolved)."""

    guests: tuple[str, ...]
    nodes: tuple[str, ...]
    hard: bool = True


Rule = Union[Spread, Together, Pin, Avoid]


class Cluster(NamedTuple):
    """All that decides where guests run.

    ``two_node`` is votequorum's option of that name, resolved: such a cluster survives
    one loss. ``qdevice`` is one more vote (votequorum(5), ffsplit); with ``last_man``
    (its algorithm lms) the last node keeps quorum. ``tolerate`` is the number of
    failures the administrator asked for.
    """

    nodes: tuple[Node, ...]
    guests: tuple[Guest, ...]
    rules: tuple[Rule, ...] = ()
    tolerate: int = 1
    two_node: bool = False
    qdevice: bool = False
    preemption: str = BY_CLASS
    last_man: bool = False
