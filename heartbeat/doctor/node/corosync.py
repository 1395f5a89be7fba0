"""Corosync's timers, members and links as they run, and what was measured of them.

Source: corosync-cmapctl(8) and cmap_keys(8): ``runtime.config.totem.*`` are the values
in force, ``stats.knet.nodeN.linkM.*`` what each link does, latencies in microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vmha.agents.protocol import process
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Refused
from vmha.heartbeat.corosync import quorum

CMAPCTL = "/usr/sbin/corosync-cmapctl"
_LINE = re.compile(r"^(\S+) \((\w+)\) = (.*)$")
_RING = re.compile(r"^nodelist\.node\.(\d+)\.ring(\d+)_addr$")
_NAME = re.compile(r"^nodelist\.node\.(\d+)\.name$")
_LINK = re.compile(r"^stats\.knet\.node(\d+)\.link(\d+)\.(\w+)$")
_OF_TIMER = "runtime.config.totem."


def tell(deadline: Deadline) -> dict[str, object]:
    """Return what the running Corosync has; raises where it does not answer."""
    settings = _asked([], deadline)
    statistics = _asked(["-m", "stats"], deadline)
    return read(settings, statistics)


def read(
    settings: Mapping[str, str], statistics: Mapping[str, str]
) -> dict[str, object]:
    """Sum up two maps of keys and values."""
    rings = [
        match.groups() for key in settings for match in [_RING.match(key)] if match
    ]
    own = settings.get("runtime.votequorum.this_node_id", "")
    links = _links(statistics, own)
    used = [link for link in links.values() if link.get("enabled") == "1"]
    votes = quorum.of_settings(settings)
    measured = [link for link in used if _number(link, "latency_samples")]
    worst = max((_number(link, "latency_max") for link in measured), default=None)
    usual = max((_number(link, "latency_ave") for link in measured), default=None)
    return {
        "token_ms": _timer(settings, "token"),
        "consensus_ms": _timer(settings, "consensus"),
        "nodes": len({node for node, _ in rings}),
        "links": len({ring for _, ring in rings}),
        "links_down": _down(links, settings),
        "latency_max_ms": None if worst is None else worst / 1000,
        "latency_ave_ms": None if usual is None else usual / 1000,
        "two_node": votes.two_node,
        "qdevice": votes.qdevice,
        "last_man": votes.last_man,
        "quorum_costs": list(votes.costs),
        "quorum_gains": list(votes.gains),
        "transport": settings.get("totem.transport", ""),
    }


def parse(text: str) -> dict[str, str]:
    """Read lines of the form ``key (type) = value``."""
    matches = (_LINE.match(line) for line in text.splitlines())
    return {match.group(1): match.group(3) for match in matches if match}


def _asked(words: list[str], deadline: Deadline) -> dict[str, str]:
    result = process.run([CMAPCTL, *words], deadline)
    if result.exit_code != 0:
        said = " ".join((result.stderr or result.stdout).split())
        raise Refused(f"corosync-cmapctl failed: {said or result.exit_code}")
    return parse(result.stdout)


def _links(
    statistics: Mapping[str, str], own: str
) -> dict[tuple[str, str], dict[str, str]]:
    """Return the links to other nodes; the one to oneself is no network."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for key, value in statistics.items():
        match = _LINK.match(key)
        if match and match.group(1) != own:
            place = match.group(1), match.group(2)
            found.setdefault(place, {})[match.group(3)] = value
    return found


def _down(
    links: Mapping[tuple[str, str], Mapping[str, str]], settings: Mapping[str, str]
) -> list[str]:
    """Return the links that are down to nodes to which another link is up."""
    names = {
        settings.get(f"nodelist.node.{match.group(1)}.nodeid", ""): name
        for key, name in settings.items()
        for match in [_NAME.match(key)]
        if match
    }
    reached = {
        node for (node, _), link in links.items() if link.get("connected") == "1"
    }
    return sorted(
        f"link {ring} to {names.get(node, f'node {node}')}"
        for (node, ring), link in links.items()
        if node in reached
        and link.get("enabled") == "1"
        and link.get("connected") == "0"
    )


def _timer(settings: Mapping[str, str], name: str) -> int | None:
    text = settings.get(_OF_TIMER + name, "")
    return int(text) if text.isdigit() else None


def _number(link: Mapping[str, str], name: str) -> int:
    text = link.get(name, "")
    return int(text) if text.isdigit() else 0
