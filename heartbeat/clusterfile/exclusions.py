"""Values that are each fine and exclude each other; rules have their own module.

Called by ``reading`` on the document as written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vmha.agents.protocol.parameters import Values
from vmha.agents.vm.parameters import PARAMETERS
from vmha.heartbeat.clusterfile.document import Path, Section, line_of, path_text
from vmha.heartbeat.clusterfile.errors import Problem
from vmha.heartbeat.clusterfile.guesses import Guesser
from vmha.heartbeat.clusterfile.secrets import FILE_SENTENCE, OWN_AGENTS

DEFAULT_URI = "qemu:///system"
IDENTITY = ("config", "domain", "hypervisor")
PLUGS = ("plug", "port")
TAKEN = {
    "pcmk_host_list": "vmha writes it: a device belongs to the node it stands under",
    "pcmk_host_map": "vmha writes it: give plug beside the device's agent",
    "pcmk_host_check": "vmha writes it: a device belongs to the node it stands under",
    "autoset_utilization_": "vmha writes it: the sizes of this file count",
    "unset_utilization_": "vmha writes it: the sizes of this file count",
}


def problems(root: Section, guesser: Guesser) -> list[Problem]:
    """Return everything that contradicts itself."""
    check = _Check(root, guesser)
    return [
        *check.nodes(),
        *check.quorum(),
        *check.guests(),
        *check.namesakes(),
        *check.cycles(),
    ]


def written_options(section: Section) -> dict[str, str]:
    """Return parameters as texts, as they stand in the file: YAML's "on" stays "on"."""
    return {
        key: value if isinstance(value, str) else section.written.get(key, "")
        for key, value in section.items()
    }


class _Check:
    """The checks of one document."""

    def __init__(self, root: Section, guesser: Guesser) -> None:
        self._root = root
        self._guesser = guesser

    def _at(self, path: Path, sentence: str) -> Problem:
        return Problem(line_of(self._root, path), path_text(path), sentence)

    def nodes(self) -> Iterator[Problem]:
        """A reserve is a part of the capacity; a device's options do not repeat it."""
        for name, node in self._root.section("nodes").sections():
            capacity, reserve = node.section("capacity"), node.section("reserve")
            for key in ("cpu", "memory_mib"):
                has, keeps = capacity.get(key), reserve.get(key)
                if isinstance(has, int) and isinstance(keeps, int) and keeps > has >= 0:
                    sentence = f"{keeps} is more than the capacity, {has}; reserve less"
                    yield self._at(("nodes", name, "reserve", key), sentence)
            levels = node.get("fencing")
            for at, level in enumerate(levels if isinstance(levels, list) else ()):
                for number, device in enumerate(
                    level if isinstance(level, list) else ()
                ):
                    if isinstance(device, Section):
                        path = ("nodes", name, "fencing", at, number)
                        yield from self._device(device, path)

    def _device(self, device: Section, path: Path) -> Iterator[Problem]:
        if device.get("cib_secret") is True and "password_file" in device:
            sentence = "give password_file or cib_secret: true, not both"
            yield self._at((*path, "cib_secret"), sentence)
        agent = device.get("agent")
        is_foreign = isinstance(agent, str) and not agent.startswith(OWN_AGENTS)
        if is_foreign and "password_file" in device:
            # It would be given to an agent that passes it over, and has no password.
            said = FILE_SENTENCE.format(agent=agent)
            yield self._at((*path, "password_file"), said)
        for key in device.section("options"):
            where = (*path, "options", key)
            if key in PLUGS and "plug" in device:
                said = f"{key} is the plug, a key of the device itself; name it once"
                yield self._at(where, said)
            elif key in device or key == "agent":
                yield self._at(
                    where, f"{key} is a key of the device itself; name it once"
                )
            yield from self._taken(where)

    def _taken(self, path: Path) -> Iterator[Problem]:
        for prefix, reason in TAKEN.items():
            if str(path[-1]).startswith(prefix):
                yield self._at(path, f"{path[-1]} is not for this file: {reason}")

    def quorum(self) -> Iterator[Problem]:
        """votequorum(5): two_node is for exactly two nodes, and without a qdevice."""
        quorum = self._root.section("quorum")
        if quorum.get("two_node") is not True:
            return
        count = len(self._root.section("nodes"))
        path = ("quorum", "two_node")
        if count != 2:
            sentence = f"two_node is for exactly two nodes and there are {count}"
            yield self._at(path, f"{sentence}; give auto")
        if "qdevice" in quorum:
            sentence = "votequorum has two_node or a qdevice, not both; give false"
            yield self._at(path, sentence)

    def guests(self) -> Iterator[Problem]:
        """A guest is found in one way, and its options are the agent's."""
        nodes = self._root.section("nodes")
        for name, guest in self._root.section("guests").sections():
            path: Path = ("guests", name)
            if "config" in guest and "domain" in guest:
                sentence = "give config (the XML) or domain (defined on every node)"
                yield self._at((*path, "domain"), f"{sentence}, not both")
            if name in nodes:
                sentence = f"{name} is also a node; Pacemaker's tools would mix them up"
                yield self._at(path, f"{sentence}: rename one")
            if guest.section("options"):
                yield from self._options(guest.section("options"), path)

    def namesakes(self) -> Iterator[Problem]:
        """No two resources run one and the same guest: each would count it as its own.

        A guest with neither config nor domain is the domain of its own name.
        """
        seen: dict[tuple[str, str], str] = {}
        for name, guest in self._root.section("guests").sections():
            key = "config" if isinstance(guest.get("config"), str) else "domain"
            value, uri = guest.get(key, name), guest.get("hypervisor", DEFAULT_URI)
            if not isinstance(value, str) or not isinstance(uri, str):
                continue
            first = seen.setdefault((uri if key == "domain" else key, value), name)
            if first != name:
                sentence = f"{key} {value} is already that of guest {first}"
                place = ("guests", name, key)
                yield self._at(place, f"{sentence}; one guest is one entry")

    def _options(self, options: Section, guest: Path) -> Iterator[Problem]:
        known = {parameter.name: parameter for parameter in PARAMETERS}
        given: dict[str, str] = {}
        for key, text in written_options(options).items():
            path = (*guest, "options", key)
            taken = list(self._taken(path))
            yield from taken
            if key in IDENTITY:
                yield self._at(
                    path, f"{key} is a key of the guest itself; move it there"
                )
            elif key not in known:
                guess = self._guesser.meant(key, known)
                sentence = f"ocf:vmha:VirtualMachine has no parameter {key!r}{guess}"
                yield self._at(path, sentence)
            elif not taken:
                given[key] = text
        yield from self._values(given, guest)

    def _values(self, given: Mapping[str, str], guest: Path) -> Iterator[Problem]:
        for problem in Values(PARAMETERS, given).problems():
            if problem.name in given:
                path = (*guest, "options", problem.name)
                sentence = f"{problem.value!r} is not accepted: {problem.accepted}"
                yield self._at(path, sentence)

    def cycles(self) -> Iterator[Problem]:
        """No guest starts after itself, through whichever others."""
        guests = self._root.section("guests")
        before = {
            name: sorted({text for _, text in guest.texts("after") if text in guests})
            for name, guest in guests.sections()
        }
        for cycle in _cycles(before):
            shown = " after ".join([*cycle, cycle[0]])
            sentence = f"the order of starts goes round: {shown}; drop one of them"
            yield self._at(("guests", cycle[0], "after"), sentence)


def _cycles(before: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """Yield one cycle for each knot, found by depth, without recursion."""
    done: set[str] = set()
    for start in sorted(before):
        trail: list[str] = []
        places: dict[str, int] = {}
        pending = [(start, False)]
        while pending:
            name, is_left = pending.pop()
            if is_left:
                places.pop(trail.pop())
                done.add(name)
            elif name in places:
                yield trail[places[name] :]
            elif name not in done:
                places[name] = len(trail)
                trail.append(name)
                pending.append((name, True))
                pending += [(other, False) for other in reversed(before[name])]
