"""Who may go on after a loss, by a corosync.conf: as the planner reckons, and what not.

Pure. Called by plan and whatif of a running cluster, by status, and by the facts of a
node. Source: votequorum(5), corosync-qdevice(8).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from vmha.heartbeat.corosync import reading
from vmha.heartbeat.corosync.reading import Section

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ON = "1"
# Each switches a quorum device off, and can only leave more nodes in quorum.
HELPERS = {
    "auto_tie_breaker": "one half of the nodes may go on",
    "last_man_standing": "after each loss fewer votes are needed",
    "allow_downscale": "nodes that leave in order need no votes any more",
}
WITHOUT_DEVICE = ("auto_tie_breaker", "last_man_standing")
_NUMBERED = re.compile(r"nodelist\.node\.(\d+)\.(\w+)")


class Quorum(NamedTuple):
    """What decides, and what of it is not reckoned with, as sentences.

    ``last_man``: the arbiter is one of lms. ``gains`` can only leave more in quorum
    than is reckoned with; with ``costs`` it may be less.
    """

    two_node: bool = False
    qdevice: bool = False
    last_man: bool = False
    costs: tuple[str, ...] = ()
    gains: tuple[str, ...] = ()


def of(conf: Section) -> Quorum:
    """Return what a configuration says; ``wait_for_all`` counts at a start only."""
    words = conf.first("quorum").words
    is_off = any(words.get(name) == ON for name in WITHOUT_DEVICE)
    has_device = reading.qdevice_host(conf) is not None and not is_off
    gains = [
        f"{name} is on: {what}, which is not reckoned with"
        for name, what in HELPERS.items()
        if words.get(name) == ON
    ]
    return Quorum(
        reading.has_two_node(conf),
        has_device,
        has_device and reading.has_last_man(conf),
        (*_votes(conf), *(_of_device(conf) if not is_off else ())),
        tuple(gains),
    )


def of_settings(settings: Mapping[str, str]) -> Quorum:
    """Return the same from the keys of corosync-cmapctl(8)."""
    root = Section()
    nodes: dict[str, Section] = {}
    for key, value in settings.items():
        numbered = _NUMBERED.fullmatch(key)
        if numbered:
            place = nodes.setdefault(numbered[1], Section())
            place.words[numbered[2]] = value
        elif key.startswith("quorum."):
            place = root
            *path, name = key.split(".")
            for part in path:
                place = place.inner.setdefault(part, [Section()])[0]
            place.words[name] = value
    root.inner["nodelist"] = [Section(inner={"node": list(nodes.values())})]
    return of(root)


def _votes(conf: Section) -> Iterator[str]:
    """Yield where nodes have other than one vote each, or more votes are expected."""
    nodes = conf.first("nodelist").inner.get("node", [])
    votes = {one.words.get("quorum_votes", ON) for one in nodes}
    if votes - {ON}:
        yield "quorum_votes is not 1 for each node, as is reckoned with"
    expected = conf.first("quorum").words.get("expected_votes")
    if expected is None or not nodes:
        return
    # An arbiter's votes are added by the arbiter.
    if expected != str(len(nodes)):
        yield f"expected_votes is {expected}, and there are {len(nodes)} nodes"


def _of_device(conf: Section) -> Iterator[str]:
    """Yield what of an arbiter is of another kind than the two that vmha knows."""
    if "device" not in conf.first("quorum").inner:
        return
    device = conf.first("quorum", "device")
    model = device.words.get("model", "")
    votes = device.words.get("votes")
    algorithm = device.first("net").words.get("algorithm", "")
    if model != "net":
        yield f"the quorum device is of the model {model or '?'}, not of net"
    elif algorithm == "ffsplit":
        if votes not in (None, ON):
            yield f"the quorum device has {votes} votes, not 1 as ffsplit needs"
    elif algorithm != "lms":
        yield f"the quorum device has the algorithm {algorithm or '?'}"
    elif votes is not None:
        yield f"the quorum device has {votes} votes of its own, which lms should not"
