"""Takes out of a cluster file's content what ``reading`` would refuse, and tells it.

Called by import: a cluster that exists may have names, values and rules that a cluster
file has no words for, and a file that cannot be read back helps nobody. The judge is
``reading`` itself, so that the two never differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vmha.heartbeat.clusterfile import flow, rules, writing
from vmha.heartbeat.clusterfile.content import (
    AvoidEntry,
    ClusterFile,
    Device,
    GuestEntry,
    NodeEntry,
    PinEntry,
    Policy,
    RuleEntry,
)
from vmha.heartbeat.clusterfile.errors import BadClusterFile, Problem
from vmha.heartbeat.clusterfile.reading import parse

ROUNDS = 50
"""Each takes something out; what names it is found wrong in the next."""

_NAME = "cluster"
_LATER: dict[str, Any] = {
    "priority": 0,
    "runs_on": None,
    "prefer": (),
    "after": (),
    "start_order": None,
    "start_delay_s": 0,
}
_WORDS = {"start.order": "start_order", "start.delay_s": "start_delay_s"}


class Unacceptable(Exception):
    """Nothing that could be left out would make a cluster file of this."""


def accepted(file: ClusterFile) -> tuple[ClusterFile, list[str]]:
    """Return what can be read back, and a sentence for each thing that is left out.

    Raises Unacceptable where nothing is left, such as without a node.
    """
    told: list[str] = []
    for _ in range(ROUNDS):
        try:
            parse(writing.text_of(file), file.path)
        except BadClusterFile as error:
            work = _Work(file)
            for problem in error.problems:
                work.take(problem)
            file = _consistent(work.left(), told)
            told += work.told
            continue
        return file, told
    raise Unacceptable(str(told[-1]))


class _Work:
    """One round: every problem's place is noted, and then all of them are left out."""

    def __init__(self, file: ClusterFile) -> None:
        self.told: list[str] = []
        self._file = file
        self._guests: dict[str, GuestEntry | None] = {g.name: g for g in file.guests}
        self._nodes: dict[str, NodeEntry | None] = {n.name: n for n in file.nodes}
        self._rules = dict(enumerate(file.rules))
        self._whole: dict[str, Any] = {}
        self._levels: dict[str, set[int]] = {}

    def take(self, problem: Problem) -> None:
        """Leave out the smallest thing that a problem is about."""
        part, _, rest = problem.path.partition(".")
        if part == "guests":
            self._guest(rest, problem.message)
        elif part == "nodes" and rest:
            self._node(rest, problem.message)
        elif part.startswith("rules["):
            self._rule(int(part[6:].partition("]")[0]), problem.message)
        elif part in ("cluster", "quorum", "policy"):
            self._of_all(part, rest, problem.message)
        else:
            raise Unacceptable(f"{problem.path}: {problem.message}".lstrip(": "))

    def left(self) -> ClusterFile:
        """Return the content without what was taken out."""
        nodes = [
            replace(
                node,
                fencing=tuple(
                    level
                    for at, level in enumerate(node.fencing)
                    if at not in self._levels.get(node.name, ())
                ),
            )
            for node in self._nodes.values()
            if node is not None
        ]
        return replace(
            self._file,
            guests=tuple(guest for guest in self._guests.values() if guest is not None),
            nodes=tuple(nodes),
            rules=tuple(self._rules[at] for at in sorted(self._rules)),
            **self._whole,
        )

    def _tell(self, what: str, message: str) -> None:
        self.told.append(f"{what} is left out: {message}")

    def _guest(self, rest: str, message: str) -> None:
        name, inner = _split(rest, self._guests)
        guest = self._guests[name]
        if guest is None:
            return
        word = _WORDS.get(inner.partition("[")[0], inner.partition("[")[0])
        if inner.startswith("options."):
            key = inner.partition(".")[2]
            options = {k: v for k, v in guest.options.items() if k != key}
            self._guests[name] = replace(guest, options=options)
        elif word in _LATER:
            changes = {word: _LATER[word]}
            self._guests[name] = replace(guest, **changes)
        else:
            self._guests[name], inner = None, ""
        self._tell(f"guest {name}{':' if inner else ''} {inner}".rstrip(), message)

    def _node(self, rest: str, message: str) -> None:
        name, inner = _split(rest, self._nodes)
        node = self._nodes[name]
        if node is None:
            return
        changes: dict[str, Any] = {}
        if inner.startswith("fencing["):
            changes["fencing"] = self._fencing(node, inner)
        elif inner.startswith("addresses"):
            changes["addresses"] = ()
        elif inner == "rack":
            changes["rack"] = None
        elif inner in ("capacity.cpu", "capacity.memory_mib"):
            changes[inner.partition(".")[2]] = 0
        else:
            self._nodes[name], inner = None, ""
        if inner:
            self._nodes[name] = replace(node, **changes)
        self._tell(f"node {name}{':' if inner else ''} {inner}".rstrip(), message)

    def _fencing(self, node: NodeEntry, place: str) -> tuple[tuple[Device, ...], ...]:
        """Leave out a parameter; else the level, which is none without the device."""
        level, device, key = _place(place)
        if device is None or not key or key == "agent":
            self._levels.setdefault(node.name, set()).add(level)
            return node.fencing
        one = node.fencing[level][device]
        if key == "plug":
            changed = replace(one, plug="")
        elif key == "cib_secret":
            changed = replace(one, cib_secret=False)
        else:
            name = key.removeprefix("options.")
            options = {k: v for k, v in one.options.items() if k != name}
            changed = replace(one, options=options)
        devices = [*node.fencing[level]]
        devices[device] = changed
        levels = [*node.fencing]
        levels[level] = tuple(devices)
        return tuple(levels)

    def _rule(self, at: int, message: str) -> None:
        rule = self._rules.pop(at, None)
        if rule is not None:
            self._tell(f"rule {flow.text(rules.fields(rule))}", message)

    def _of_all(self, part: str, rest: str, message: str) -> None:
        """Put the default in the place of a setting of the whole cluster."""
        if part == "policy":
            self._whole["policy"] = Policy()
        elif part == "quorum":
            self._whole |= {"qdevice": None, "two_node": len(self._file.nodes) == 2}
        elif rest == "token_ms":
            self._whole["token_ms"] = None
        elif self._file.name != _NAME:
            self._whole["name"] = _NAME
        else:
            raise Unacceptable(f"{part}.{rest}: {message}")
        self._tell(f"{part}.{rest}".rstrip("."), message)


def _split(path: str, names: Mapping[str, object]) -> tuple[str, str]:
    """Return the entry's name and the path in it; names may hold points."""
    for name in sorted(names, key=len, reverse=True):
        if path == name:
            return name, ""
        if path.startswith(f"{name}."):
            return name, path[len(name) + 1 :]
    raise Unacceptable(f"{path} is no entry that was written")


def _place(path: str) -> tuple[int, int | None, str]:
    """Return level, device and key of ``fencing[0][1].options.x``."""
    places, _, key = path.partition(".")
    numbers = [int(text.rstrip("]")) for text in places.split("[")[1:]]
    return numbers[0], numbers[1] if len(numbers) > 1 else None, key


def _consistent(file: ClusterFile, told: list[str]) -> ClusterFile:
    """Leave out what names nodes and guests that are no longer in the file."""
    nodes = {node.name for node in file.nodes}
    guests = {guest.name for guest in file.guests}
    kept: list[RuleEntry] = []
    for rule in file.rules:
        left = _without(rule, nodes, guests)
        shown = flow.text(rules.fields(rule))
        if left is None:
            told.append(f"rule {shown} is left out, as what it names is")
            continue
        if left != rule:
            told.append(f"rule {shown} names what is left out; the rest of it is kept")
        kept.append(left)
    return replace(
        file,
        rules=tuple(dict.fromkeys(kept)),
        guests=tuple(
            replace(
                guest,
                runs_on=guest.runs_on if guest.runs_on in nodes else None,
                prefer=tuple(name for name in guest.prefer if name in nodes),
            )
            for guest in file.guests
        ),
        two_node=file.two_node and len(nodes) == 2,
    )


def _without(rule: RuleEntry, nodes: set[str], guests: set[str]) -> RuleEntry | None:
    """Return a rule about those that are left, None for one about nobody."""
    left = tuple(name for name in rule.guests if name in guests)
    if isinstance(rule, PinEntry):
        to = tuple(name for name in rule.to if name in nodes)
        return replace(rule, guests=left, to=to) if left and to else None
    if isinstance(rule, AvoidEntry):
        there = tuple(name for name in rule.nodes if name in nodes)
        return replace(rule, guests=left, nodes=there) if left and there else None
    return replace(rule, guests=left) if len(left) > 1 else None


def left_out(file: ClusterFile, names: Iterable[str], told: list[str]) -> ClusterFile:
    """Return the content without some guests, nor what is said of them."""
    absent = set(names)
    guests = tuple(guest for guest in file.guests if guest.name not in absent)
    return _consistent(replace(file, guests=guests), told)
